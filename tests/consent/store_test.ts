import assert from "node:assert/strict";
import { AuditLog, verify } from "../../audit/mod.ts";
import { ConsentRecorder, ConsentStore } from "../../consent/mod.ts";
import { statement } from "../../database/database.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LIMITS, openStore, temporaryFolder } from "../support/store.ts";

const CONSENT = { purposes: ["scoring", "marketing"], document: "notice/1" } as const;
const TERMS = { consent: CONSENT, subject: "a".repeat(64), actor: "key:1" } as const;

/** In a file: a connection that failed is replaced, and one to memory would lose all. */
async function open() {
  const folder = await temporaryFolder();
  const test = await openStore(`file:${folder.path}/test.db`);
  const { connection: database } = test;
  const audit = new AuditLog({ database, now: () => 9, newId: () => crypto.randomUUID() });
  return {
    ...{ ...test, database, audit, consents: new ConsentStore(database, audit) },
    async [Symbol.asyncDispose]() {
      database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

async function entriesOf({ audit }: Opened) {
  const entries = await Array.fromAsync(audit.entries());
  return entries.map(({ actor, action, subject, details }) => ({
    ...{ actor, action, subject, details: JSON.parse(details) },
  }));
}

async function count({ database }: Opened, table: string): Promise<number> {
  const { rows } = await database.read(`SELECT count(*) AS count FROM ${table}`);
  return Number(rows[0]?.count);
}

Deno.test("terms are stored in the commit of their task: where that fails neither is there", async () => {
  await using test = await open();
  const { store, database } = test;
  const task = { id: `app_${"1".repeat(61)}`, payload: "{}", revision: "1", terms: TERMS };
  await assert.rejects(() => store.enqueue([task], 1));
  for (const table of ["tasks", "consents", "application_subjects"]) {
    assert.equal(await count(test, table), 0, table);
  }
  await store.enqueue([{ ...task, id: "app_1" }], 1);
  assert.equal(await count(test, "consents"), 2);
  const { rows } = await database.read("SELECT subject FROM application_subjects");
  assert.deepEqual(rows.map(({ subject }) => subject), [TERMS.subject]);
});

Deno.test("what is sent again under the id of a task adds nothing to its terms, done first or not", async () => {
  await using test = await open();
  const { store, consents } = test;
  const task = { id: "app_1", payload: "{}", revision: "1" };
  const other = { ...TERMS, consent: { ...CONSENT, purposes: ["model-training"] as const } };
  // The first of two in one group is kept, with its terms or with none.
  await store.enqueue([{ ...task, terms: TERMS }, { ...task, terms: other }], 1);
  await store.enqueue([{ ...task, terms: other }], 2);
  await store.enqueueDone({ ...task, terms: other, result: "{}", createdAtMs: 3 }, 3);
  const kept = (await consents.read("app_1"))?.map(({ purpose }) => purpose);
  assert.deepEqual(kept, ["marketing", "scoring"]);
  await store.enqueue([{ ...task, id: "app_2" }, { ...task, id: "app_2", terms: TERMS }], 1);
  assert.deepEqual(await consents.read("app_2"), []);
  const done = { ...task, id: "app_3", terms: TERMS, result: "{}", createdAtMs: 3 };
  assert.equal(await store.enqueueDone(done, 4), true);
  assert.deepEqual((await consents.read("app_3"))?.map(({ givenAtMs }) => givenAtMs), [3, 3]);
});

Deno.test("a full queue stores no terms either", async () => {
  using test = await openStore(":memory:", { waitingTasks: 1, waitingTasksPerTenant: 1 });
  const { store, connection } = test;
  await store.enqueue([{ id: "app_1", payload: "{}", revision: "1" }], 1);
  const task = { id: "app_2", payload: "{}", revision: "1", terms: TERMS };
  assert.deepEqual(await store.enqueue([task], 1), ["refused"]);
  assert.equal((await connection.read("SELECT 1 FROM consents")).rows.length, 0);
});

Deno.test("rows of a batch have terms of their own, and lose them with it", async () => {
  await using test = await open();
  const { database, vault } = test;
  const batches = new LibsqlBatches(database, { limits: LIMITS, vault });
  await batches.open({ id: "bat_1", detail: "probabilities" }, 1);
  const chunk = { batchId: "bat_1", position: 0, firstRow: 1, rows: 2, refusedRows: 0 };
  const terms = [{ ...TERMS, row: 2 }];
  const appended = { ...chunk, payload: "{}", revision: "1", terms };
  assert.equal(await batches.append(appended, 1), "appended");
  assert.equal(await batches.append(appended, 2), "appended");
  const { rows } = await database.read("SELECT row, purpose FROM consents ORDER BY purpose");
  assert.deepEqual(rows.map(({ row, purpose }) => [row, purpose]), [
    [2, "marketing"],
    [2, "scoring"],
  ]);
  await test.consents.record();
  assert.deepEqual(await entriesOf(test), [{
    ...{ actor: "key:1", action: "consent.give", subject: "batches/bat_1" },
    details: { fromRow: 2, rows: 1 },
  }]);
  await database.write(["DELETE FROM payloads", "DELETE FROM batch_chunks", "DELETE FROM tasks"]);
  assert.equal(await count(test, "consents"), 0);
  assert.equal(await count(test, "application_subjects"), 0);
});

Deno.test("each step is on record once, in its order, and the chain holds", async () => {
  await using test = await open();
  const { store, consents, audit } = test;
  for (const id of ["app_1", "app_2"]) {
    await store.enqueue([{ id, payload: "{}", revision: "1", terms: TERMS }], 1);
  }
  // A withdrawal that comes before the upload was put on record puts that on record first.
  assert.equal(await consents.withdraw({ id: "app_2", actor: "key:2", nowMs: 5 }), true);
  assert.equal(await consents.record(), true);
  assert.equal(await consents.record(), false);
  const again = { purposes: ["marketing"], document: "notice/2", expiresAtMs: 99 } as const;
  assert.equal(await consents.give(again, { id: "app_1", actor: "key:3", nowMs: 6 }), true);
  const given = { document: "notice/1", purposes: ["marketing", "scoring"] };
  const giving = { actor: "key:1", action: "consent.give" };
  const at = (ms: number) => new Date(ms).toISOString();
  assert.deepEqual(await entriesOf(test), [
    { ...giving, subject: "applications/app_2", details: { ...given, givenAt: at(1) } },
    { actor: "key:2", action: "consent.withdraw", subject: "applications/app_2", details: {} },
    { ...giving, subject: "applications/app_1", details: { ...given, givenAt: at(1) } },
    {
      ...{ actor: "key:3", action: "consent.give", subject: "applications/app_1" },
      details: {
        document: "notice/2",
        purposes: ["marketing"],
        ...{ givenAt: at(6), expiresAt: at(99) },
      },
    },
  ]);
  const verified = await verify(audit.entries());
  assert.equal("fault" in verified, false);
  // The purpose that the new agreement does not name is withdrawn, the other one begins anew.
  assert.deepEqual(await consents.read("app_1"), [
    {
      ...{ purpose: "marketing", document: "notice/2", givenAtMs: 6, expiresAtMs: 99 },
      withdrawnAtMs: null,
    },
    {
      ...{ purpose: "scoring", document: "notice/1", givenAtMs: 1, expiresAtMs: null },
      withdrawnAtMs: 6,
    },
  ]);
});

Deno.test("of an application that is not there nothing is read, given, withdrawn or said", async () => {
  await using test = await open();
  const { consents } = test;
  const step = { id: "app_0", actor: "key:1", nowMs: 1 };
  assert.equal(await consents.read("app_0"), undefined);
  assert.equal(await consents.give(CONSENT, step), false);
  assert.equal(await consents.withdraw(step), false);
  assert.deepEqual(await entriesOf(test), []);
});

Deno.test("a withdrawal that cannot be put on record does not happen", async () => {
  await using test = await open();
  const { store, consents, database } = test;
  await store.enqueue([{ id: "app_1", payload: "{}", revision: "1", terms: TERMS }], 1);
  await database.write([
    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no space left'); END",
  ]);
  await assert.rejects(
    () => consents.withdraw({ id: "app_1", actor: "key:1", nowMs: 5 }),
    /no space left/,
  );
  const asked = { purpose: "marketing", nowMs: 6 } as const;
  assert.equal((await consents.refused(["app_1"], asked)).size, 0);
});

Deno.test("the recorder goes on after a failure, and records what processes before it left", async () => {
  await using test = await open();
  const { store, database, consents } = test;
  const tasks = Array.from({ length: 150 }, (_, number) => ({
    ...{ id: `app_${number}`, payload: "{}", revision: "1", terms: TERMS },
  }));
  await store.enqueue(tasks, 1);
  await database.write([
    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no space left'); END",
  ]);
  const clock = new FakeClock();
  const reported: unknown[] = [];
  const recorder = new ConsentRecorder({ consents, clock, report: (e) => reported.push(e) });
  recorder.start();
  await clock.advance(1000);
  assert.equal(reported.length, 1);
  await database.write(["DROP TRIGGER full"]);
  await clock.advance(1000);
  await recorder.stop();
  const subjects = (await entriesOf(test)).map(({ subject }) => subject);
  assert.deepEqual(subjects.toSorted(), tasks.map(({ id }) => `applications/${id}`).toSorted());
  const left = statement("SELECT 1 FROM consents WHERE unrecorded_actor IS NOT NULL", {});
  assert.equal((await database.read(left)).rows.length, 0);
});
