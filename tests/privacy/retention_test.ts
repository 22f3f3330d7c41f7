import assert from "node:assert/strict";
import { AuditLog } from "../../audit/mod.ts";
import { Erasure, Retention } from "../../privacy/mod.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LIMITS, openStore, temporaryFolder } from "../support/store.ts";

const DAY_MS = 24 * 3_600_000;
const DAYS = 30;

async function open() {
  const folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/test.db`;
  const test = await openStore(databaseUrl);
  const { connection: database, vault } = test;
  const clock = new FakeClock();
  await clock.advance(1000 * DAY_MS - clock.now());
  const audit = new AuditLog({
    ...{ database, now: () => clock.now(), newId: () => crypto.randomUUID() },
  });
  const erasure = new Erasure({ database, audit, vault, databaseUrl });
  const reported: unknown[] = [];
  const retention = new Retention({
    ...{ erasure, days: DAYS, clock, report: (error: unknown) => reported.push(error) },
  });
  return {
    ...{ ...test, database, clock, audit, reported, retention, folder: folder.path },
    async [Symbol.asyncDispose]() {
      await retention.stop();
      database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Applications that are done, so many days old. */
async function add({ store, clock }: Opened, ids: readonly string[], days: number) {
  const atMs = clock.now() - days * DAY_MS;
  for (const id of ids) {
    const text = JSON.stringify({ canary: `canary-${id}` });
    const task = { id, payload: text, revision: "1", result: text, createdAtMs: atMs };
    assert.equal(await store.enqueueDone(task, atMs), true);
  }
}

async function idsIn({ database }: Opened): Promise<string[]> {
  const { rows } = await database.read("SELECT id FROM tasks ORDER BY number");
  return rows.map(({ id }) => String(id));
}

async function erasedCounts({ audit }: Opened): Promise<unknown[]> {
  const entries = await Array.fromAsync(audit.entries());
  return entries.filter(({ action }) => action === "application.expire")
    .map(({ details }) => JSON.parse(details).applications);
}

async function isInFiles({ folder }: Opened, text: string): Promise<boolean> {
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    if (new TextDecoder("latin1").decode(bytes).includes(text)) return true;
  }
  return false;
}

Deno.test("what is older than the days that it is kept goes, with every byte of it; what is not stays", async () => {
  await using test = await open();
  await add(test, ["app_old", "0123contract"], DAYS + 1);
  await add(test, ["app_edge"], DAYS);
  await add(test, ["app_new"], 0);
  await test.retention.drain();
  assert.deepEqual(await idsIn(test), ["app_edge", "app_new"]);
  assert.deepEqual(await erasedCounts(test), [2]);
  assert.equal(await isInFiles(test, "canary"), false);
  assert.equal(await test.store.payload("app_new"), '{"canary":"canary-app_new"}');
  await test.clock.advance(1);
  await test.retention.drain();
  assert.deepEqual(await idsIn(test), ["app_new"]);
});

Deno.test("what was sent again counts from then, and what is being scored stays", async () => {
  await using test = await open();
  const { store, clock } = test;
  await add(test, ["app_1", "app_2"], DAYS + 1);
  await store.enqueue([{ id: "app_1", payload: "{}", revision: "2" }], clock.now());
  await store.enqueue([{ id: "app_2", payload: "{}", revision: "2" }], 1);
  const claim = { leaseMs: 1000, limit: 9, retryHorizonMs: 1000 };
  const { claimed } = await store.settle({ nowMs: clock.now(), claim });
  assert.equal(claimed.length, 2);
  await test.retention.drain();
  assert.deepEqual(await idsIn(test), ["app_1", "app_2"]);
  assert.deepEqual(await erasedCounts(test), []);
});

Deno.test("rows of a batch go with their chunks, and the batch with the last of them", async () => {
  await using test = await open();
  const { database, store, vault } = test;
  const batches = new LibsqlBatches(database, { limits: LIMITS, vault });
  await batches.open({ id: "bat_1", detail: "probabilities" }, 1);
  const chunk = { batchId: "bat_1", position: 0, firstRow: 1, rows: 2, refusedRows: 0 };
  await batches.append({ ...chunk, payload: '{"canary":"canary-row"}', revision: "1" }, 1);
  await batches.receive("bat_1", { chunks: 1, nowMs: 1 });
  const claim = { leaseMs: 1000, limit: 1, retryHorizonMs: 1000 };
  const { claimed } = await store.settle({ nowMs: 1, claim });
  await store.settle({ nowMs: 2, completed: claimed.map((task) => ({ ...task, result: "[]" })) });
  await test.retention.drain();
  assert.deepEqual(await idsIn(test), []);
  assert.equal(await isInFiles(test, "canary-row"), false);
  assert.equal(await batches.find("bat_1"), undefined);
});

Deno.test("a round takes bounded steps, with commits between which others write", async () => {
  await using test = await open();
  const { database, clock } = test;
  await database.write([{
    sql: `INSERT INTO tasks (id, state, revision, run_at_ms, created_at_ms, finished_at_ms)
      WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
      SELECT 'app_' || n, 'done', '1', 0, iif(n % 10 = 0, ?, 0), 0 FROM n`,
    args: [BigInt(clock.now())],
  }]);
  assert.equal(await test.retention.step(), true);
  assert.equal((await idsIn(test)).length, 1600);
  assert.deepEqual(await erasedCounts(test), Array(9).fill(100));
  await test.retention.drain();
  const left = await idsIn(test);
  assert.equal(left.length, 250);
  assert.ok(left.every((id) => id.endsWith("0")));
});

Deno.test("where nothing can be written nothing is lost or said, and it is tried again", async () => {
  await using test = await open();
  const { database, clock, reported } = test;
  await add(test, ["app_1"], DAYS + 1);
  for (const table of ["audit", "tasks"]) {
    const when = table === "audit" ? "INSERT" : "DELETE";
    await database.write([
      `CREATE TRIGGER fault BEFORE ${when} ON ${table} BEGIN SELECT raise(ABORT, 'fault'); END`,
    ]);
    if (table === "audit") test.retention.start();
    await clock.advance(3_600_000);
    assert.deepEqual(await idsIn(test), ["app_1"]);
    assert.equal((await test.store.find("app_1"))?.result, '{"canary":"canary-app_1"}');
    assert.deepEqual(await erasedCounts(test), []);
    assert.match(String(reported.at(-1)), /fault/);
    await database.write(["DROP TRIGGER fault"]);
  }
  await clock.advance(3_600_000);
  assert.deepEqual(await idsIn(test), []);
  assert.deepEqual(await erasedCounts(test), [1]);
});

Deno.test("two processes that remove the same say so once", async () => {
  await using test = await open();
  const { database, clock, audit, vault } = test;
  await add(test, ["app_1", "app_2"], DAYS + 1);
  const erasure = new Erasure({
    database,
    audit,
    vault,
    databaseUrl: `file:${test.folder}/test.db`,
  });
  const report = (error: unknown) => assert.fail(String(error));
  const other = new Retention({ erasure, days: DAYS, clock, report });
  await Promise.all([test.retention.drain(), other.drain()]);
  assert.deepEqual(await idsIn(test), []);
  assert.deepEqual(await erasedCounts(test), [2]);
});
