import assert from "node:assert/strict";
import { OutcomeStore } from "../../analytics/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import { ConsentStore } from "../../consent/mod.ts";
import { Erasure, Subjects } from "../../privacy/mod.ts";
import { Connection } from "../../database/connection.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { Vault } from "../../sealing/mod.ts";
import { MASTER_KEY } from "../support/master_key.ts";
import { PROJECT } from "../support/service.ts";
import { LIMITS, openStore, temporaryFolder } from "../support/store.ts";

const CANARY = "canary-9d41c7";

/** A database in a file in which two applications are done, each with a canary of its own in its answers and its result. */
async function openApplications(path: string) {
  const test = await openStore(`file:${path}`);
  const { store, connection: database, vault } = test;
  for (const number of [1, 2]) {
    const id = `app_${number}`;
    const text = JSON.stringify({ position: `${CANARY}-${number}` });
    await store.enqueueDone({ id, payload: text, revision: "1", result: text, createdAtMs: 1 }, 1);
    await new OutcomeStore(database).record([
      {
        ...{ applicationId: id, tenant: "", bank: "bank_a", event: "approved" },
        ...{ decidedAtMs: 1, probability: 0.5, bins: Uint8Array.of(1) },
      },
    ], 1);
  }
  let entries = 0;
  const audit = new AuditLog({ database, now: () => 1, newId: () => `entry ${entries++}` });
  return {
    ...test,
    audit,
    erasure: new Erasure({ database, audit, vault, databaseUrl: `file:${path}` }),
  };
}

/** Whether any file of the database holds a text. */
async function holds(folder: string, text: string): Promise<boolean> {
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    if (new TextDecoder("latin1").decode(bytes).includes(text)) return true;
  }
  return false;
}

Deno.test("an erased application cannot be read in a copy of the database that was made before, and others can", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/test.db`;
  const { store, connection, audit, erasure, vault } = await openApplications(path);
  try {
    assert.equal(await holds(folder.path, CANARY), false, "all is sealed from the start");
    await connection.read("PRAGMA wal_checkpoint(TRUNCATE)");
    await Deno.copyFile(path, `${folder.path}/before.db`);
    assert.equal(await erasure.erase("app_1", "key:1"), "erased");
    assert.equal(await store.find("app_1"), undefined);
    assert.equal((await store.find("app_2"))?.state, "done");
    const known = await new OutcomeStore(connection).decisionsOf(["app_1", "app_2"]);
    assert.deepEqual([...known.keys()], ["app_2"]);
    const [entry] = await audit.page({ limit: 1 });
    assert.deepEqual([entry?.action, entry?.actor], ["application.erase", "key:1"]);
    assert.equal(await erasure.erase("app_1", "key:1"), "missing");
    assert.equal((await audit.page({ limit: 9 })).length, 1, "nothing was erased, nothing is said");
    assert.deepEqual((await connection.read("SELECT * FROM spent_keys")).rows, []);

    const copy = await Connection.open(`file:${folder.path}/before.db`);
    // The keys of today, which another process reads anew.
    const keys = await Connection.open(`file:${path}.keys.db`);
    const masterKeys = [Uint8Array.fromHex(MASTER_KEY)];
    const today = await Vault.open({ database: keys, masterKeys, isFile: true });
    for (const each of [vault, today]) {
      const before = new LibsqlStore(copy, { limits: LIMITS, vault: each });
      assert.equal(await before.payload("app_2"), JSON.stringify({ position: `${CANARY}-2` }));
      await assert.rejects(before.payload("app_1"), /payload of app_1: its key, .* is destroyed/);
      await assert.rejects(before.find("app_1"), /result of app_1: its key, .* is destroyed/);
    }
    copy.close();
    today.close();
  } finally {
    connection.close();
    vault.close();
  }
});

Deno.test("a task whose key is destroyed is buried with the cause when it is claimed", async () => {
  using test = await openStore();
  const { store, vault, connection } = test;
  await store.enqueue(["a", "b"].map((id) => ({ id, payload: `"${id}"`, revision: "1" })), 1);
  const { rows: [row] } = await connection.read(
    "SELECT key FROM payloads JOIN tasks USING (number) WHERE id = 'a'",
  );
  await vault.destroy([Number(row?.key)]);
  const claim = { leaseMs: 1000, limit: 9, retryHorizonMs: 1000 };
  // Another process: this one has what it stored a moment ago in memory.
  const other = new LibsqlStore(connection, { limits: LIMITS, vault });
  const { claimed, buried } = await other.settle({ nowMs: 1, claim });
  assert.deepEqual([claimed.map(({ id }) => id), buried], [["b"], ["a"]]);
  const task = await store.find("a");
  assert.equal(task?.state, "dead");
  assert.match(task.error ?? "", /its key, number \d+, is destroyed/);
});

Deno.test("every table that names an application is one from which it is removed", async () => {
  using test = await openStore();
  const { rows } = await test.connection.read(
    "SELECT m.name AS name, c.name AS field FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c " +
      "WHERE m.type = 'table' AND c.name IN ('application_id', 'task_id', 'subject', 'number')",
  );
  assert.deepEqual(rows.map(({ name, field }) => `${name}.${field}`).toSorted(), [
    ...["application_subjects.number", "application_subjects.subject"],
    // Says who did what; an application is named there by a random id.
    "audit.subject",
    // A chunk holds the rows of many, and goes with its batch.
    "batch_chunks.task_id",
    "consents.number",
    ...["fact_changes.number", "fact_progress.number", "facts.number"],
    ...["model_trial_scores.application_id", "outcome_events.application_id"],
    ...["outcomes.application_id", "payloads.number", "results.number", "task_traces.task_id"],
    "tasks.number",
    "webhook_deliveries.subject",
  ]);
});

Deno.test("of an erased row no byte is left, and the chunk's other rows are as they were", async () => {
  await using folder = await temporaryFolder();
  const { store, connection: database, audit, erasure, vault } = await openApplications(
    `${folder.path}/test.db`,
  );
  try {
    const batches = new LibsqlBatches(database, { limits: LIMITS, vault });
    await batches.open({ id: "bat_1", detail: "probabilities" }, 1);
    const texts = [1.5, 2, 3].map((number) =>
      `{"answers":{"a":${number},"b":"row-${CANARY}-${number}"}}`
    );
    const chunk = { batchId: "bat_1", position: 0, firstRow: 1, rows: 3, refusedRows: 0 };
    const subject = "b".repeat(64);
    const terms = [1, 2].map((row) => ({ row, subject, actor: "key:1" }));
    const payload = `{"work":"w","rows":[${texts}]}`;
    await batches.append({ ...chunk, payload, revision: "1", terms }, 1);
    const { rows: [task] } = await database.read("SELECT number FROM tasks WHERE id GLOB 'chk_*'");
    const row = { number: Number(task?.number), batch: "bat_1", row: 2, place: 1 };
    assert.equal(await erasure.eraseRow(row, "key:1"), false, "it is still to be scored");
    const keyOf = async () =>
      (await database.read(
        "SELECT key FROM payloads JOIN tasks USING (number) WHERE id GLOB 'chk_*'",
      ))
        .rows[0]?.key;
    const key = Number(await keyOf());
    const claim = { leaseMs: 1000, limit: 9, retryHorizonMs: 1000 };
    const { claimed } = await store.settle({ nowMs: 1, claim });
    assert.equal(await erasure.eraseRow(row, "key:1"), false, "it is being scored");
    const result =
      `[{"result":{"c":"row-${CANARY}-1.5"}},{"result":{"c":"row-${CANARY}-2"}},{"result":3.10}]`;
    await store.settle({ nowMs: 2, completed: claimed.map((each) => ({ ...each, result })) });
    assert.equal(await erasure.eraseRow(row, "key:1"), true);
    assert.equal(await holds(folder.path, CANARY), false);
    assert.notEqual(await keyOf(), key, "what is left is sealed anew");
    assert.deepEqual([...await vault.keys([key])], []);
    const id = String(claimed[0]?.id);
    const no = '{"errors":[{"detail":"it was erased"}]}';
    assert.equal(await store.payload(id), payload.replace(texts[1] ?? "", no));
    assert.equal(
      (await store.find(id))?.result,
      `[{"result":{"c":"row-${CANARY}-1.5"}},${no},{"result":3.10}]`,
    );
    const { rows: subjects } = await database.read("SELECT row FROM application_subjects");
    assert.deepEqual(subjects.map(({ row }) => row), [1]);
    const [entry] = await audit.page({ limit: 1 });
    assert.deepEqual([entry?.action, entry?.subject, entry?.details], [
      ...["row.erase", "batches/bat_1", '{"row":2}'],
    ]);
  } finally {
    database.close();
  }
});

Deno.test("an erasure of a person that fails half way is finished by asking again", async () => {
  await using folder = await temporaryFolder();
  const { store, connection: database, audit, erasure } = await openApplications(
    `${folder.path}/test.db`,
  );
  try {
    const subject = "b".repeat(64);
    for (const id of ["app_3", "app_4"]) {
      const terms = { subject, actor: "key:1" };
      await store.enqueue([{ id, payload: "{}", revision: "1", terms }], 1);
    }
    const consents = new ConsentStore(database, audit);
    const subjects = new Subjects({ database, audit, consents, store, erasure });
    await database.write([
      `CREATE TRIGGER fault BEFORE DELETE ON tasks WHEN old.id = 'app_4' BEGIN
       SELECT raise(ABORT, 'fault'); END`,
    ]);
    await assert.rejects(() => subjects.erase(subject, "key:1"), /fault/);
    assert.equal(await store.find("app_3"), undefined);
    assert.equal(await store.payload("app_4"), "{}");
    await database.write(["DROP TRIGGER fault"]);
    const again = await subjects.erase(subject, "key:1");
    assert.deepEqual(again, { applications: 1, rows: 0, atWork: [] });
    assert.equal(await subjects.erase(subject, "key:1"), undefined);
  } finally {
    database.close();
  }
});

Deno.test("docs/privacy.md names every table that holds something of a person", async () => {
  using test = await openStore();
  const text = await Deno.readTextFile(new URL("docs/privacy.md", PROJECT));
  const { rows } = await test.connection.read(
    "SELECT DISTINCT m.name AS name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c " +
      "WHERE m.type = 'table' AND c.name IN ('application_id', 'subject', 'number')",
  );
  // Numbers of tasks alone, of which nothing is said.
  const bare = ["tasks", "fact_changes", "fact_progress"];
  const tables = rows.map(({ name }) => String(name)).filter((name) => !bare.includes(name));
  assert.deepEqual(tables.filter((name) => !text.includes(`\`${name}\``)), []);
  assert.ok(tables.length >= 8);
});

Deno.test("what is being scored is not removed, and what waits is", async () => {
  await using folder = await temporaryFolder();
  const { store, connection, erasure } = await openApplications(`${folder.path}/test.db`);
  try {
    await store.enqueue([{ id: "app_3", payload: "{}", revision: "1" }], 1);
    const claim = { leaseMs: 1000, limit: 1, retryHorizonMs: 1000 };
    const { claimed } = await store.settle({ nowMs: 1, claim });
    assert.deepEqual(claimed.map(({ id }) => id), ["app_3"]);
    assert.equal(await erasure.erase("app_3", "key:1"), "at work");
    assert.equal(await store.payload("app_3"), "{}");
    await store.enqueue([{ id: "app_4", payload: "{}", revision: "1" }], 1);
    assert.equal(await erasure.erase("app_4", "key:1"), "erased");
  } finally {
    connection.close();
  }
});
