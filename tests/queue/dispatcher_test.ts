import assert from "node:assert/strict";
import type { QueuePolicy } from "../../configs/mod.ts";
import { Dispatcher, type Handler, type Outcome } from "../../queue/dispatcher.ts";
import type { ClaimedTask } from "../../queue/store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openStore, resultOf, type TestStore } from "../support/store.ts";

const POLICY: QueuePolicy = {
  batchRows: 10,
  maxAttempts: 3,
  leaseMs: 1000,
  jobTimeoutMs: 500,
  rescueEveryMs: 100,
  backoffMs: { base: 10, max: 40 },
  drainMs: 300,
};

interface Rig extends AsyncDisposable, TestStore {
  readonly clock: FakeClock;
  readonly dispatcher: Dispatcher;
  readonly reported: unknown[];
  /** Ids that it said have ended. */
  readonly told: string[];
  upload(...ids: string[]): Promise<void>;
}

async function rig(handler: Handler, { lanes = 1 } = {}): Promise<Rig> {
  const test = await openStore();
  const clock = new FakeClock();
  const reported: unknown[] = [];
  const told: string[] = [];
  const dispatcher = new Dispatcher({
    store: test.store,
    handler,
    policy: POLICY,
    lanes,
    clock,
    random: () => 0.5,
    report: (error) => reported.push(error),
    onEnded: (ids) => void told.push(...ids),
  });
  dispatcher.start();
  await clock.advance(0);
  return {
    ...test,
    clock,
    dispatcher,
    reported,
    told,
    async upload(...ids) {
      await test.store.enqueue(
        ids.map((id) => ({ id, payload: "{}", revision: "1" })),
        clock.now(),
      );
      dispatcher.wake();
      await clock.advance(0);
    },
    async [Symbol.asyncDispose]() {
      const stopped = dispatcher.stop();
      await clock.advance(POLICY.drainMs);
      await stopped;
      test[Symbol.dispose]();
    },
  };
}

function succeed(tasks: readonly ClaimedTask[]): Promise<Outcome[]> {
  return Promise.resolve(tasks.map(({ id }) => ({ result: JSON.stringify(id) })));
}

Deno.test("Dispatcher runs an upload at once, without waiting for a timer", async () => {
  await using test = await rig(succeed);
  await test.upload("a");
  assert.equal(await resultOf(test.store, "a"), '"a"');
});

Deno.test("Dispatcher takes up what an earlier process left queued", async () => {
  await using test = await rig(succeed);
  await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], test.clock.now());
  await test.clock.advance(POLICY.rescueEveryMs);
  assert.equal(await resultOf(test.store, "a"), '"a"');
});

Deno.test("Dispatcher claims together what waits together", async () => {
  const sizes: number[] = [];
  await using test = await rig((tasks) => {
    sizes.push(tasks.length);
    return succeed(tasks);
  });
  await test.upload(...Array.from({ length: 25 }, (_, index) => `t${index}`));
  assert.deepEqual(sizes, [10, 10, 5]);
});

Deno.test("Dispatcher runs no more batches at once than it has lanes", async () => {
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  await using test = await rig(async (tasks) => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => release.push(resolve));
    running--;
    return succeed(tasks);
  }, { lanes: 2 });
  await test.upload(...Array.from({ length: 30 }, (_, index) => `t${index}`));
  assert.equal(running, 2);
  while (release.length > 0) {
    release.shift()?.();
    await test.clock.advance(0);
  }
  assert.equal(most, 2);
  assert.equal(await resultOf(test.store, "t29"), '"t29"');
});

Deno.test("Dispatcher buries one bad task after its attempts, and the others of its batch go on", async () => {
  const seen: string[][] = [];
  await using test = await rig((tasks) => {
    seen.push(tasks.map(({ id }) => id));
    if (tasks.some(({ id }) => id === "poison")) throw new Error("the worker died");
    return succeed(tasks);
  });
  await test.upload("a", "poison", "b");
  await test.clock.advance(POLICY.backoffMs.max * POLICY.maxAttempts);
  assert.equal(await resultOf(test.store, "a"), '"a"');
  assert.equal(await resultOf(test.store, "b"), '"b"');
  const poison = await test.store.find("poison");
  assert.deepEqual([poison?.state, poison?.attempt], ["dead", 3]);
  assert.equal(poison?.error, "the worker died");
  assert.deepEqual(seen.filter((batch) => batch.length > 1).length, 1);
});

Deno.test("Dispatcher takes turns between tasks that failed before and tasks that never ran", async () => {
  const seen: string[] = [];
  await using test = await rig((tasks) => {
    seen.push(tasks[0]?.id.slice(0, 5) ?? "");
    return Promise.resolve(
      tasks.map(({ id, attempt }) =>
        id.startsWith("again") && attempt === 1 ? { error: "once more" } : { result: "1" }
      ),
    );
  });
  await test.upload(...Array.from({ length: 10 }, (_, index) => `again${index}`));
  test.clock.set(test.clock.now() + POLICY.backoffMs.max);
  await test.upload(...Array.from({ length: 30 }, (_, index) => `fresh${index}`));
  await test.clock.advance(1);
  assert.deepEqual(seen.slice(0, 7), [
    "again",
    "again",
    "fresh",
    "again",
    "fresh",
    "again",
    "fresh",
  ]);
});

Deno.test("Dispatcher fails only the task whose outcome is an error", async () => {
  await using test = await rig((tasks) =>
    Promise.resolve(
      tasks.map(({ id }) => id === "bad" ? { error: "unreadable" } : { result: "1" }),
    )
  );
  await test.upload("good", "bad");
  assert.equal(await resultOf(test.store, "good"), "1");
  assert.equal((await test.store.find("bad"))?.error, "unreadable");
});

Deno.test("Dispatcher keeps the lease of a batch that is at work for long", async () => {
  let release = () => {};
  await using test = await rig(async (tasks) => {
    await new Promise<void>((resolve) => release = resolve);
    return succeed(tasks);
  });
  await test.upload("a");
  await test.clock.advance(10 * POLICY.leaseMs);
  assert.equal((await test.store.find("a"))?.state, "leased");
  release();
  await test.clock.advance(0);
  const done = await test.store.find("a");
  assert.deepEqual([done?.state, done?.attempt, done?.result], ["done", 1, '"a"']);
});

Deno.test("Dispatcher takes back the lease of a claimer that vanished", async () => {
  await using test = await rig(succeed);
  const { store, clock } = test;
  await store.enqueue([{ id: "a", payload: "{}", revision: "1" }], clock.now());
  await store.settle({
    nowMs: clock.now(),
    claim: { leaseMs: POLICY.leaseMs, limit: 1, retryHorizonMs: 1 },
  });
  await clock.advance(POLICY.leaseMs - 1);
  assert.equal(await resultOf(store, "a"), undefined);
  await clock.advance(POLICY.rescueEveryMs);
  assert.equal(await resultOf(store, "a"), '"a"');
});

Deno.test("Dispatcher goes on when the clock is set back", async () => {
  await using test = await rig(succeed);
  const { store, clock } = test;
  clock.set(clock.now() - 3_600_000);
  await test.upload("a");
  assert.equal(await resultOf(store, "a"), '"a"');
  await store.enqueue([{ id: "b", payload: "{}", revision: "1" }], clock.now());
  await clock.advance(POLICY.rescueEveryMs);
  assert.equal(await resultOf(store, "b"), '"b"');
});

Deno.test("Dispatcher tries again what a clock that was set back has left far away", async () => {
  await using test = await rig(async (tasks) =>
    tasks.some(({ attempt }) => attempt === 1) ? [{ error: "no luck" }] : await succeed(tasks)
  );
  await test.upload("a");
  assert.equal((await test.store.find("a"))?.state, "queued");
  test.clock.set(test.clock.now() - 3_600_000);
  await test.clock.advance(2 * POLICY.rescueEveryMs);
  assert.equal(await resultOf(test.store, "a"), '"a"');
});

Deno.test("Dispatcher reports a failing store and goes on when it is back", async () => {
  await using test = await rig(succeed);
  const settle = test.store.settle.bind(test.store);
  test.store.settle = () => Promise.reject(new Error("disk I/O error"));
  await test.upload("a");
  assert.match(String(test.reported[0]), /disk I\/O error/);
  test.store.settle = settle;
  await test.clock.advance(POLICY.rescueEveryMs);
  assert.equal(await resultOf(test.store, "a"), '"a"');
});

Deno.test("Dispatcher keeps what a batch came to until the store takes it", async () => {
  let runs = 0;
  await using test = await rig((tasks) => {
    runs++;
    return succeed(tasks);
  });
  const settle = test.store.settle.bind(test.store);
  let failures = 20;
  test.store.settle = (settlement) =>
    settlement.completed && failures-- > 0
      ? Promise.reject(new Error("disk I/O error"))
      : settle(settlement);
  await test.upload("a");
  await test.clock.advance(2 * POLICY.leaseMs);
  const done = await test.store.find("a");
  assert.deepEqual([done?.state, done?.attempt, done?.result], ["done", 1, '"a"']);
  assert.equal(runs, 1);
  assert.equal(test.reported.length, 20);
});

Deno.test("Dispatcher.stop() lets the batch at work end and claims no other", async () => {
  let release = () => {};
  await using test = await rig(async (tasks) => {
    await new Promise<void>((resolve) => release = resolve);
    return succeed(tasks);
  });
  await test.upload("a");
  const stopped = test.dispatcher.stop();
  await test.store.enqueue([{ id: "b", payload: "{}", revision: "1" }], test.clock.now());
  release();
  await test.clock.advance(0);
  await stopped;
  assert.equal(await resultOf(test.store, "a"), '"a"');
  assert.equal((await test.store.find("b"))?.state, "queued");
  assert.equal(test.clock.pending, 0);
});

Deno.test("Dispatcher.stop() gives up on a batch that does not end in time", async () => {
  await using test = await rig(() => new Promise(() => {}));
  await test.upload("a");
  const stopped = test.dispatcher.stop();
  await test.clock.advance(POLICY.drainMs);
  await stopped;
  assert.equal((await test.store.find("a"))?.state, "leased");
});

Deno.test("Dispatcher.drain() runs what is due, without being started", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  let batches = 0;
  const dispatcher = new Dispatcher({
    store: test.store,
    handler(tasks) {
      batches++;
      clock.set(clock.now() + 30);
      return succeed(tasks);
    },
    policy: POLICY,
    lanes: 1,
    clock,
    random: () => 0.5,
    report: (error) => assert.fail(String(error)),
  });
  const ids = Array.from({ length: 55 }, (_, index) => `t${index}`);
  await test.store.enqueue(ids.map((id) => ({ id, payload: "{}", revision: "1" })), clock.now());
  await dispatcher.drain(50);
  assert.equal(batches, 2);
  await dispatcher.drain(1_000);
  assert.equal(batches, 6);
  assert.equal(clock.pending, 0);
  for (const id of ids) assert.equal(await resultOf(test.store, id), JSON.stringify(id));
});

Deno.test("Dispatcher.drain() leaves a batch's tasks to those who have the time", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  const dispatcher = new Dispatcher({
    store: test.store,
    handler: (tasks) =>
      tasks.some(({ id, attempt }) => id === "fails" && attempt === 1)
        ? Promise.reject(new Error("no luck"))
        : succeed(tasks),
    policy: POLICY,
    lanes: 1,
    clock,
    random: () => 0,
    report: (error) => assert.fail(String(error)),
  });
  const task = { payload: "{}", revision: "1" };
  const ofBatch = ["fails", "waits"].map((id) => ({ ...task, id, priority: "batch" as const }));
  await test.store.enqueue([...ofBatch, { ...task, id: "now" }], clock.now());
  const states = () =>
    Promise.all(["now", "fails", "waits"].map(async (id) => (await test.store.find(id))?.state));
  await dispatcher.drain(1_000);
  assert.deepEqual(await states(), ["done", "queued", "queued"]);
  const claim = { leaseMs: 900, limit: 1, retryHorizonMs: 1_000 };
  const { claimed: [first] } = await test.store.settle({ nowMs: clock.now(), claim });
  assert.equal(first?.id, "fails");
  const failed = [{ ...first, error: "no luck", retryAtMs: clock.now() }];
  await test.store.settle({ nowMs: clock.now(), failed });
  await dispatcher.drain(1_000);
  assert.deepEqual(await states(), ["done", "queued", "queued"]);
  await dispatcher.drain(1_000, { batches: true });
  assert.deepEqual(await states(), ["done", "done", "done"]);
});

Deno.test("Dispatcher looks for more without a transaction, and claims with an upload's", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  let claims = 0;
  const dispatcher = new Dispatcher({
    store: {
      enqueue: (tasks, nowMs) => test.store.enqueue(tasks, nowMs),
      enqueueDone: (task, nowMs) => test.store.enqueueDone(task, nowMs),
      find: (id) => test.store.find(id),
      findEach: (ids) => test.store.findEach(ids),
      payloadEach: (ids) => test.store.payloadEach(ids),
      payload: (id) => test.store.payload(id),
      ended: (ids) => test.store.ended(ids),
      extend: (tasks, untilMs) => test.store.extend(tasks, untilMs),
      rescue: (options) => test.store.rescue(options),
      nextDueMs: () => test.store.nextDueMs(),
      close() {},
      settle(settlement) {
        if (settlement.completed === undefined) claims++;
        return test.store.settle(settlement);
      },
    },
    handler: succeed,
    policy: POLICY,
    lanes: 2,
    clock,
    random: () => 0,
    report: (error) => assert.fail(String(error)),
  });
  dispatcher.start();
  await clock.advance(1);
  claims = 0;
  for (let upload = 1; upload <= 5; upload++) {
    await test.store.enqueue([{ id: `t${upload}`, payload: "{}", revision: "1" }], clock.now());
    dispatcher.wake();
    await clock.advance(1);
    assert.equal((await test.store.find(`t${upload}`))?.state, "done");
    assert.equal(claims, upload);
  }
  await dispatcher.stop();
});

Deno.test("Dispatcher tells of a task that died only where it still held it", async () => {
  await using test = await rig(async ([task]) => {
    if (task?.id === "lost" && task.attempt === POLICY.maxAttempts) {
      const nowMs = test.clock.now() + POLICY.leaseMs;
      await test.store.rescue({ nowMs, maxAttempts: 9, leaseHorizonMs: POLICY.leaseMs });
      const claim = { leaseMs: 900, limit: 1, retryHorizonMs: POLICY.leaseMs };
      assert.equal((await test.store.settle({ nowMs, claim })).claimed.length, 1);
    }
    return [{ error: "no luck" }];
  });
  await test.upload("lost");
  await test.clock.advance(200);
  assert.equal((await test.store.find("lost"))?.attempt, POLICY.maxAttempts + 1);
  assert.deepEqual(test.told, []);
  await test.upload("died");
  await test.clock.advance(200);
  assert.deepEqual(test.told, ["died"]);
});
