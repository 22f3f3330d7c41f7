import assert from "node:assert/strict";
import type { Handler } from "../../queue/dispatcher.ts";
import { Express } from "../../queue/express.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openStore } from "../support/store.ts";

const TASK = { id: "a", payload: '{"a":1}', revision: "1" };
const WAIT_MS = 1000;
const succeed: Handler = (tasks) => Promise.resolve(tasks.map(({ id }) => ({ result: `"${id}"` })));

async function rig(handler: Handler, limits?: Parameters<typeof openStore>[1]) {
  const test = await openStore(":memory:", limits);
  const clock = new FakeClock();
  const express = new Express({ store: test.store, handler, lanes: 1, clock });
  return { ...test, clock, express };
}

Deno.test("Express stores a task with its result, as the queue would have", async () => {
  using test = await rig(succeed);
  assert.equal(await test.express.run(TASK, WAIT_MS), true);
  const now = test.clock.now();
  assert.deepEqual(await test.store.find("a"), {
    ...{ id: "a", state: "done", attempt: 1, error: null, result: '"a"' },
    ...{ createdAtMs: now, finishedAtMs: now },
  });
  assert.equal(await test.store.payload("a"), TASK.payload);
  const claim = { leaseMs: 1000, limit: 10, retryHorizonMs: 1000 };
  assert.deepEqual((await test.store.settle({ nowMs: now, claim })).claimed, []);
  const { rows } = await test.connection.read("SELECT waiting FROM tenants");
  assert.deepEqual(rows, []);
  assert.equal(test.clock.pending, 0);
});

Deno.test("Express gives a task the time at which it is stored", async () => {
  const seen: number[] = [];
  using test = await rig((tasks) => {
    seen.push(...tasks.map(({ createdAtMs }) => createdAtMs));
    return succeed(tasks);
  });
  await test.express.run(TASK, WAIT_MS);
  assert.deepEqual(seen, [(await test.store.find("a"))?.createdAtMs]);
});

for (
  const [what, handler] of [
    ["fails", () => Promise.resolve([{ error: "no luck" }])],
    ["throws", () => Promise.reject(new Error("the worker died"))],
    ["gives nothing", () => Promise.resolve([])],
  ] as [string, Handler][]
) {
  Deno.test(`Express leaves a task to the queue whose handler ${what}`, async () => {
    using test = await rig(handler);
    assert.equal(await test.express.run(TASK, WAIT_MS), false);
    assert.equal(await test.store.find("a"), undefined);
  });
}

Deno.test("Express leaves a task to the queue that takes too long, or finds no lane free", async () => {
  let end = () => {};
  using test = await rig(async (tasks) => {
    await new Promise<void>((resolve) => end = resolve);
    return await succeed(tasks);
  });
  const first = test.express.run(TASK, WAIT_MS);
  assert.equal(await test.express.run({ ...TASK, id: "b" }, WAIT_MS), false);
  await test.clock.advance(WAIT_MS);
  assert.equal(await first, false);
  // The lane is taken until its work has ended, however late.
  assert.equal(await test.express.run({ ...TASK, id: "b" }, WAIT_MS), false);
  end();
  await test.clock.advance(0);
  const again = test.express.run({ ...TASK, id: "b" }, WAIT_MS);
  end();
  assert.equal(await again, true);
});

Deno.test("Express changes nothing of a task that is known otherwise, or in a full queue", async () => {
  using test = await rig(succeed, { waitingTasks: 1, waitingTasksPerTenant: 1 });
  const now = test.clock.now();
  await test.store.enqueue([{ ...TASK, payload: '{"a":2}' }], now);
  assert.equal(await test.express.run(TASK, WAIT_MS), false);
  assert.equal((await test.store.find("a"))?.state, "queued");
  assert.equal(await test.store.payload("a"), '{"a":2}');
  assert.equal(await test.express.run({ ...TASK, id: "b" }, WAIT_MS), false);
  assert.equal(await test.store.find("b"), undefined);

  const claim = { leaseMs: 1000, limit: 10, retryHorizonMs: 1000 };
  await test.store.settle({ nowMs: now, claim });
  assert.equal(await test.express.run({ ...TASK, payload: '{"a":2}' }, WAIT_MS), false);
  assert.equal((await test.store.find("a"))?.state, "leased");
});
