/** What every kind of database must do as a queue: one suite for the embedded file and for servers. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Completed, Priority, TaskStore } from "../../queue/store.ts";
import { resultOf, type TestStore } from "../support/store.ts";

/** Opens an empty, migrated store. */
export type OpenStore = () => Promise<
  Pick<TestStore, "store" | "connection" | "vault"> & (Disposable | AsyncDisposable)
>;

const behaviours: { name: string; run: (open: OpenStore) => Promise<void> }[] = [];

function behaviour(name: string, run: (open: OpenStore) => Promise<void>): void {
  behaviours.push({ name, run });
}

/** Holds a store to everything that the queue promises; `where` names the kind of database. */
export function storeSuite(where: string, open: OpenStore): void {
  for (const { name, run } of behaviours) Deno.test(`${where}: ${name}`, () => run(open));
}

const NOW = 1_700_000_000_000;
const LEASE = 1000;
const HORIZON = 100 * LEASE;
const PAYLOAD = '{"answers":{}}';

async function claim(store: TaskStore, nowMs: number, limit = 10) {
  return (await store.settle({ nowMs, claim: { leaseMs: LEASE, limit, retryHorizonMs: HORIZON } }))
    .claimed;
}

function rescue(store: TaskStore, nowMs: number, maxAttempts: number) {
  return store.rescue({ nowMs, maxAttempts, leaseHorizonMs: HORIZON });
}

async function complete(store: TaskStore, task: Completed) {
  return (await store.settle({ nowMs: NOW, completed: [task] })).stored;
}

behaviour("enqueue() stores a task once, whatever comes with the second call", async (open) => {
  await using test = await open();
  assert.deepEqual(await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW), [
    "queued",
  ]);
  assert.deepEqual(
    await test.store.enqueue([{ id: "a", payload: '{"answers":{"x":1}}', revision: "1" }], NOW + 5),
    ["queued"],
  );
  const claimed = await claim(test.store, NOW);
  assert.deepEqual(claimed, [
    { id: "a", payload: PAYLOAD, attempt: 1, fence: 1, createdAtMs: NOW },
  ]);
});

behaviour("enqueue() reports the state of a task that is known", async (open) => {
  await using test = await open();
  await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
  await claim(test.store, NOW);
  assert.deepEqual(await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW), [
    "leased",
  ]);
  await complete(test.store, { id: "a", fence: 1, result: "{}" });
  assert.deepEqual(await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW), [
    "done",
  ]);
});

behaviour("enqueue() refuses an id that is too long, and stores nothing", async (open) => {
  await using test = await open();
  await assert.rejects(
    test.store.enqueue([
      { id: "a", payload: PAYLOAD, revision: "1" },
      { id: "b".repeat(65), payload: PAYLOAD, revision: "1" },
    ], NOW),
    /length/,
  );
});

behaviour("enqueue() starts a task again that ended under another revision", async (open) => {
  await using test = await open();
  const task = { id: "a", payload: PAYLOAD };
  await test.store.enqueue([{ ...task, revision: "1" }], NOW);
  await claim(test.store, NOW);
  assert.deepEqual(await test.store.enqueue([{ ...task, revision: "2" }], NOW), ["leased"]);
  await complete(test.store, { id: "a", fence: 1, result: '"old"' });
  assert.deepEqual(await test.store.enqueue([{ ...task, revision: "1" }], NOW), ["done"]);
  const again = { ...task, revision: "2" };
  assert.deepEqual(await test.store.enqueue([again, again], NOW + 9), ["queued", "queued"]);
  assert.equal(await resultOf(test.store, "a"), undefined);
  assert.deepEqual(await claim(test.store, NOW + 9), [
    { id: "a", payload: PAYLOAD, attempt: 1, fence: 2, createdAtMs: NOW + 9 },
  ]);
  assert.deepEqual(await complete(test.store, { id: "a", fence: 1, result: '"late"' }), []);
  assert.deepEqual(await complete(test.store, { id: "a", fence: 2, result: '"new"' }), ["a"]);
  assert.equal(await resultOf(test.store, "a"), '"new"');
});

behaviour("enqueue() stores a task once where one group names it twice", async (open) => {
  await using test = await open();
  await test.store.enqueue([{ id: "b", payload: PAYLOAD, revision: "1" }], NOW);
  await claim(test.store, NOW);
  const states = await test.store.enqueue(
    ["a", "b", "a"].map((id) => ({ id, payload: PAYLOAD, revision: "1" })),
    NOW,
  );
  assert.deepEqual(states, ["queued", "leased", "queued"]);
  assert.deepEqual((await claim(test.store, NOW)).map(({ id }) => id), ["a"]);
});

behaviour(
  "settle() claims a task that failed before alone, and ahead of the others",
  async (open) => {
    await using test = await open();
    await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }, {
      id: "b",
      payload: PAYLOAD,
      revision: "1",
    }], NOW);
    const failed = await claim(test.store, NOW);
    await test.store.settle({
      nowMs: NOW,
      failed: failed.map((task) => ({ ...task, error: "no", retryAtMs: NOW })),
    });
    await test.store.enqueue([{ id: "c", payload: PAYLOAD, revision: "1" }, {
      id: "d",
      payload: PAYLOAD,
      revision: "1",
    }], NOW);
    const batches = [];
    for (let batch = 0; batch < 4; batch++) {
      batches.push((await claim(test.store, NOW)).map(({ id }) => id).sort());
    }
    assert.deepEqual(batches, [["a"], ["b"], ["c", "d"], []]);
  },
);

behaviour(
  "settle() claims interactive tasks before a batch's, whichever of them failed",
  async (open) => {
    await using test = await open();
    const { store } = test;
    const claimOne = { leaseMs: LEASE, limit: 1, retryHorizonMs: HORIZON };
    const enqueue = (id: string, priority: Priority) =>
      store.enqueue([{ id, payload: PAYLOAD, revision: "1", priority }], NOW);
    const fail = async () => {
      const failed = (await claim(store, NOW)).map((task) => ({ ...task, error: "no" }));
      await store.settle({
        nowMs: NOW,
        failed: failed.map((task) => ({ ...task, retryAtMs: NOW })),
      });
    };
    for (const freshFirst of [false, true]) {
      await enqueue(`retried chunk ${freshFirst}`, "batch");
      await fail();
      await enqueue(`retried ${freshFirst}`, "interactive");
      await fail();
      await enqueue(`fresh chunk ${freshFirst}`, "batch");
      assert.equal(await store.nextDueMs(), 0);
      const order: string[] = [];
      const next = async () => {
        const settled = await store.settle({ nowMs: NOW, claim: { ...claimOne, freshFirst } });
        order.push(...settled.claimed.map(({ id }) => id.replace(` ${freshFirst}`, "")));
      };
      await next();
      await enqueue(`fresh ${freshFirst}`, "interactive");
      for (let task = 0; task < 3; task++) await next();
      const chunks = ["retried chunk", "fresh chunk"];
      assert.deepEqual(order, ["retried", "fresh", ...freshFirst ? chunks.toReversed() : chunks]);
    }
  },
);

behaviour("nextDueMs() is when the first retry of either priority is due", async (open) => {
  await using test = await open();
  const { store } = test;
  const atMs = { interactive: NOW + 9, batch: NOW + 5 };
  assert.equal(await store.nextDueMs(), undefined);
  for (const priority of ["interactive", "batch"] as const) {
    await store.enqueue([{ id: priority, payload: PAYLOAD, revision: "1", priority }], NOW);
    const failed = (await claim(store, NOW)).map((task) => ({ ...task, error: "no" }));
    const retryAtMs = atMs[priority];
    await store.settle({ nowMs: NOW, failed: failed.map((task) => ({ ...task, retryAtMs })) });
    assert.equal(await store.nextDueMs(), retryAtMs);
  }
});

behaviour("settle() claims each task for one claimer, the longest due first", async (open) => {
  await using test = await open();
  for (const [index, id] of ["c", "a", "b"].entries()) {
    await test.store.enqueue([{ id, payload: PAYLOAD, revision: "1" }], NOW + index);
  }
  const first = await claim(test.store, NOW + 10, 2);
  const second = await claim(test.store, NOW + 10, 2);
  assert.deepEqual(new Set(first.map(({ id }) => id)), new Set(["c", "a"]));
  assert.deepEqual(second.map(({ id }) => id), ["b"]);
  assert.deepEqual(await claim(test.store, NOW + 10), []);
});

behaviour("settle() claims a task that never ran whatever the clock says now", async (open) => {
  await using test = await open();
  await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
  assert.equal((await claim(test.store, NOW - 1_000_000)).length, 1);
});

behaviour(
  "settle() and rescue() do not wait for a time that a clock running ahead had set",
  async (open) => {
    await using test = await open();
    const ahead = NOW + 10 * HORIZON;
    await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], ahead);
    await claim(test.store, ahead);
    assert.equal(await rescue(test.store, NOW, 3), 1);
    const [again] = await claim(test.store, NOW);
    assert.ok(again);
    await test.store.settle({ nowMs: NOW, failed: [{ ...again, error: "no", retryAtMs: ahead }] });
    assert.equal((await claim(test.store, NOW)).length, 1);
  },
);

behaviour("settle() stores one result, for the fence that holds", async (open) => {
  await using test = await open();
  await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
  await claim(test.store, NOW);
  await rescue(test.store, NOW + LEASE, 3);
  const [again] = await claim(test.store, NOW + LEASE);
  assert.equal(again?.fence, 2);
  assert.deepEqual(await complete(test.store, { id: "a", fence: 1, result: '"late"' }), []);
  assert.equal(await resultOf(test.store, "a"), undefined);
  assert.deepEqual(await complete(test.store, { id: "a", fence: 2, result: '"own"' }), ["a"]);
  assert.deepEqual(await complete(test.store, { id: "a", fence: 2, result: '"twice"' }), []);
  assert.equal(await resultOf(test.store, "a"), '"own"');
  assert.equal((await test.store.find("a"))?.state, "done");
});

behaviour(
  "settle() queues a task again at its time, then buries it with the cause",
  async (open) => {
    await using test = await open();
    await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
    await claim(test.store, NOW);
    await test.store.settle({
      nowMs: NOW,
      failed: [{ id: "a", fence: 1, error: "no luck", retryAtMs: NOW + 50 }],
    });
    assert.deepEqual(await test.store.find("a"), {
      id: "a",
      state: "queued",
      attempt: 1,
      error: "no luck",
      result: null,
      createdAtMs: NOW,
      finishedAtMs: null,
    });
    assert.deepEqual(await claim(test.store, NOW + 49), []);
    assert.equal((await claim(test.store, NOW + 50)).length, 1);
    await test.store.settle({
      nowMs: NOW,
      failed: [{ id: "a", fence: 2, error: "gone", retryAtMs: null }],
    });
    assert.deepEqual(await test.store.find("a"), {
      id: "a",
      state: "dead",
      attempt: 2,
      error: "gone",
      result: null,
      createdAtMs: NOW,
      finishedAtMs: NOW,
    });
  },
);

behaviour("payload() and ended() tell what a task holds, and which have ended", async (open) => {
  await using test = await open();
  const ids = ["done", "dead", "waits"];
  await test.store.enqueue(ids.map((id) => ({ id, payload: PAYLOAD, revision: "1" })), NOW);
  const [done, dead] = await claim(test.store, NOW, 2);
  assert.ok(done && dead);
  await test.store.settle({
    nowMs: NOW,
    completed: [{ ...done, result: "1" }],
    failed: [{ ...dead, error: "gone", retryAtMs: null }],
  });
  assert.equal(await test.store.payload("waits"), PAYLOAD);
  assert.equal(await test.store.payload("unknown"), undefined);
  assert.deepEqual([...await test.store.payloadEach(["waits", "unknown", "waits"])], [
    ["waits", PAYLOAD],
  ]);
  const found = await test.store.findEach(["waits", "unknown", "waits"]);
  assert.deepEqual([...found], [["waits", await test.store.find("waits")]]);
  assert.deepEqual([...await test.store.ended([...ids, "unknown"])].sort(), ["dead", "done"]);
  assert.deepEqual(await test.store.ended([]), []);
});

behaviour("settle() ends one batch and claims the next in one transaction", async (open) => {
  await using test = await open();
  const ids = ["a", "b", "c", "d"];
  await test.store.enqueue(ids.map((id) => ({ id, payload: PAYLOAD, revision: "1" })), NOW);
  const [a, b] = await claim(test.store, NOW, 2);
  assert.ok(a && b);
  const { stored, claimed } = await test.store.settle({
    nowMs: NOW,
    completed: [{ ...a, result: "1" }],
    failed: [{ ...b, error: "no", retryAtMs: NOW + 1 }],
    claim: { leaseMs: LEASE, limit: 5, retryHorizonMs: HORIZON },
  });
  assert.deepEqual(stored, [a.id]);
  assert.deepEqual(claimed.map(({ id }) => id).sort(), ["c", "d"]);
});

behaviour("extend() moves the end of a lease that is held, and of no other", async (open) => {
  await using test = await open();
  await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
  const first = await claim(test.store, NOW);
  assert.equal(await test.store.extend(first, NOW + 5 * LEASE), 1);
  assert.equal(await test.store.extend(first, NOW + 1), 1);
  assert.equal(await rescue(test.store, NOW + 5 * LEASE - 1, 3), 0);
  assert.equal(await rescue(test.store, NOW + 5 * LEASE, 3), 1);
  assert.equal(await test.store.extend(first, NOW + 9 * LEASE), 0);
  await claim(test.store, NOW + 5 * LEASE);
  assert.equal(await test.store.extend(first, NOW + 9 * LEASE), 0);
});

behaviour(
  "rescue() takes back only what ran out, and buries it after the last attempt",
  async (open) => {
    await using test = await open();
    await test.store.enqueue([{ id: "a", payload: PAYLOAD, revision: "1" }], NOW);
    await claim(test.store, NOW);
    assert.equal(await rescue(test.store, NOW + LEASE - 1, 2), 0);
    assert.equal(await rescue(test.store, NOW + LEASE, 2), 1);
    assert.equal((await test.store.find("a"))?.state, "queued");
    await claim(test.store, NOW + LEASE);
    assert.equal(await rescue(test.store, NOW + 2 * LEASE, 2), 1);
    const dead = await test.store.find("a");
    assert.equal(dead?.state, "dead");
    assert.match(dead?.error ?? "", /attempt 2 ended without an answer/);
  },
);

behaviour(
  "it never loses a task or stores a second result, in any order of calls",
  async (open) => {
    const ids = ["a", "b", "c"] as const;
    const call = fc.oneof(
      fc.record({ kind: fc.constant("enqueue" as const), id: fc.constantFrom(...ids) }),
      fc.record({ kind: fc.constant("claim" as const) }),
      fc.record({ kind: fc.constantFrom("complete" as const, "fail" as const), held: fc.nat(20) }),
      fc.record({ kind: fc.constant("later" as const), ms: fc.nat(2 * LEASE) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        await using test = await open();
        const { store } = test;
        const claims: { id: string; fence: number }[] = [];
        const current = new Map<string, number>();
        const finished = new Map<string, string>();
        const enqueued = new Set<string>();
        let nowMs = NOW;
        for (const step of calls) {
          if (step.kind === "later") {
            nowMs += step.ms;
            await rescue(store, nowMs, 1000);
          } else if (step.kind === "enqueue") {
            await store.enqueue([{ id: step.id, payload: PAYLOAD, revision: "1" }], nowMs);
            enqueued.add(step.id);
          } else if (step.kind === "claim") {
            for (
              const task of await claim(store, nowMs, 2)
            ) {
              assert.ok(!finished.has(task.id));
              assert.ok(task.fence > (current.get(task.id) ?? 0));
              current.set(task.id, task.fence);
              claims.push(task);
            }
          } else {
            const held = claims[step.held];
            if (held === undefined) continue;
            if (step.kind === "fail") {
              await store.settle({ nowMs, failed: [{ ...held, error: "no", retryAtMs: nowMs }] });
              continue;
            }
            const result = JSON.stringify(`${held.id} ${held.fence}`);
            const { stored } = await store.settle({ nowMs, completed: [{ ...held, result }] });
            if (stored.length > 0) {
              assert.equal(held.fence, current.get(held.id));
              assert.ok(!finished.has(held.id));
              finished.set(held.id, result);
            }
          }
        }
        for (const id of enqueued) {
          assert.equal(await resultOf(store, id), finished.get(id));
          assert.equal((await store.find(id))?.state === "done", finished.has(id));
        }
      }),
      { numRuns: 100 },
    );
  },
);
