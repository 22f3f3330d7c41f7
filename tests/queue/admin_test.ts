import assert from "node:assert/strict";
import { QueueAdmin } from "../../queue/admin.ts";
import { runTask } from "../support/process.ts";
import { openStore, temporaryFolder, type TestStore } from "../support/store.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

/** One task in each state; the dead and the done ended at NOW. */
async function fill({ store }: TestStore): Promise<void> {
  const claim = { leaseMs: HOUR, limit: 1, retryHorizonMs: HOUR };
  for (const id of ["done", "dead", "leased", "queued"]) {
    await store.enqueue([{ id, payload: "{}", revision: "1" }], NOW);
    if (id === "queued") continue;
    const { claimed } = await store.settle({ nowMs: NOW, claim });
    const [task] = claimed;
    assert.equal(task?.id, id);
    if (id === "done") await store.settle({ nowMs: NOW, completed: [{ ...task, result: "1" }] });
    if (id === "dead") {
      await store.settle({ nowMs: NOW, failed: [{ ...task, error: "no luck", retryAtMs: null }] });
    }
  }
}

Deno.test("QueueAdmin counts and lists the tasks of each state", async () => {
  using test = await openStore();
  await fill(test);
  const admin = new QueueAdmin(test.connection);
  assert.deepEqual([...await admin.count()], [["dead", 1], ["done", 1], ["leased", 1], [
    "queued",
    1,
  ]]);
  assert.deepEqual(await admin.list("dead", 5), [
    { id: "dead", state: "dead", attempt: 1, createdAtMs: NOW, error: "no luck" },
  ]);
});

Deno.test("QueueAdmin gives dead tasks another life, and no other tasks", async () => {
  using test = await openStore();
  await fill(test);
  const admin = new QueueAdmin(test.connection);
  assert.deepEqual(await admin.requeue(["done", "leased", "nothing"], NOW), []);
  assert.deepEqual(await admin.requeue(["dead", "done"], NOW), ["dead"]);
  const task = await test.store.find("dead");
  assert.deepEqual([task?.state, task?.attempt, task?.error], ["queued", 0, "no luck"]);
  assert.deepEqual(await admin.requeue("all", NOW), []);
});

Deno.test("QueueAdmin removes what ended before a time, wholly", async () => {
  using test = await openStore();
  await fill(test);
  const admin = new QueueAdmin(test.connection);
  assert.deepEqual(await admin.purge("done", NOW), []);
  assert.deepEqual(await admin.purge("done", NOW + 1), ["done"]);
  assert.deepEqual(await admin.purge("dead", NOW + 1), ["dead"]);
  for (const table of ["tasks", "payloads"]) {
    const { rows } = await test.connection.read(`SELECT count(*) AS n FROM ${table}`);
    assert.deepEqual(rows, [{ n: 2 }]);
  }
  assert.deepEqual((await test.connection.read("SELECT * FROM results")).rows, []);
});

Deno.test("QueueAdmin removes many tasks in steps, so that others can write between them", async () => {
  using test = await openStore();
  const { connection } = test;
  await connection.write([
    `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
    INSERT INTO tasks (id, state, revision, run_at_ms, created_at_ms, finished_at_ms)
    SELECT n, 'done', '1', 1, 1, 2 FROM number`,
    "INSERT INTO payloads (number, body) SELECT number, '{}' FROM tasks",
  ]);
  const steps: number[] = [];
  const admin = new QueueAdmin({
    read: (statement) => connection.read(statement),
    async write(statements) {
      const results = await connection.write(statements);
      steps.push(results.at(-1)?.rows.length ?? 0);
      // What was started again in the meantime stays.
      await connection.write([
        "UPDATE tasks SET state = 'queued', finished_at_ms = NULL WHERE id = '5000'",
      ]);
      return results;
    },
    close() {},
  });
  const removed = await admin.purge("done", NOW);
  assert.deepEqual(steps, [2000, 2000, 999]);
  assert.equal(new Set(removed).size, 4999);
  assert.deepEqual(
    (await connection.read("SELECT id FROM tasks JOIN payloads USING (number)")).rows,
    [
      { id: "5000" },
    ],
  );
});

Deno.test("deno task queue tells, requeues and purges", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  {
    using test = await openStore(url);
    await fill(test);
  }
  const queue = (...args: string[]) =>
    runTask(["-P=generate", "tasks/queue.ts", ...args], { env: { PRESCORE_DATABASE_URL: url } });
  assert.match((await queue()).stdout, /^queued: 1\nleased: 1\ndone: 1\ndead: 1$/m);
  assert.match(
    (await queue("list")).stdout,
    /^dead {2}2023-11-14T22:13:20\.000Z {2}attempt 1 {2}no luck$/m,
  );
  assert.match((await queue("requeue", "--all")).stdout, /^1 tasks queued again$/m);
  assert.match(
    (await queue("purge", "--state", "done", "--before", "2023-12-01")).stdout,
    /^1 tasks removed$/m,
  );
  assert.equal((await queue("webhooks")).code, 0);
  assert.match((await queue("resend", "--all")).stdout, /^0 deliveries will be sent again$/m);
  assert.match((await queue("resend", "evt_x")).stderr, /Not given up, and left alone: evt_x/);
  const wrong = await queue("purge", "--state", "queued", "--before", "2023-12-01");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--state: current value is queued, must be one of done, dead/);
});

Deno.test("QueueAdmin queues a tenant's dead tasks in the tenant's turns, among the others'", async () => {
  using test = await openStore();
  const { store, connection } = test;
  const claim = { leaseMs: HOUR, limit: 3, retryHorizonMs: HOUR };
  const named = (tenant: string) =>
    [0, 1, 2].map((index) => ({ id: `${tenant}${index}`, payload: "{}", revision: "1", tenant }));
  await store.enqueue(named("a"), NOW);
  const { claimed } = await store.settle({ nowMs: NOW, claim });
  const failed = claimed.map((task) => ({ ...task, error: "no luck", retryAtMs: null }));
  await store.settle({ nowMs: NOW, failed });
  await store.enqueue(named("b"), NOW);
  assert.equal((await new QueueAdmin(connection).requeue("all", NOW)).length, 3);
  const order: string[] = [];
  for (let next = 0; next < 6; next++) {
    const [task] = (await store.settle({ nowMs: NOW, claim: { ...claim, limit: 1 } })).claimed;
    order.push(task?.id ?? "");
  }
  assert.deepEqual(order, ["a0", "b0", "a1", "b1", "a2", "b2"]);
});
