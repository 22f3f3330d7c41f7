import { createClient } from "@libsql/client";
import assert from "node:assert/strict";
import { QueueAdmin } from "../../queue/admin.ts";
import { Connection } from "../../database/connection.ts";
import { migrate, readMigrations } from "../../database/migrate.ts";
import { StoreLockedError } from "../../queue/store.ts";
import { openStore, temporaryFolder } from "../support/store.ts";

Deno.test("Connection.open() keeps a file at synchronous FULL in write-ahead mode", async () => {
  await using folder = await temporaryFolder();
  using test = await openStore(`file:${folder.path}/queue.db`);
  assert.deepEqual((await test.connection.read("PRAGMA synchronous")).rows[0], { synchronous: 2 });
  assert.deepEqual((await test.connection.read("PRAGMA journal_mode")).rows[0], {
    journal_mode: "wal",
  });
});

Deno.test("Connection.open() refuses a file: URL that names a host", async () => {
  await assert.rejects(Connection.open("file://data/queue.db"), /one slash or three and a path/);
});

Deno.test("Connection works on after another writer kept it waiting too long", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  using test = await openStore(url);
  const other = createClient({ url });
  try {
    const transaction = await other.transaction("write");
    await transaction.execute(
      "INSERT INTO tasks (id, revision, run_at_ms, created_at_ms) VALUES ('b', '', 1, 1)",
    );
    await assert.rejects(
      test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], 1),
      (error) => error instanceof StoreLockedError && /database is locked/.test(error.message),
    );
    await transaction.commit();
    assert.deepEqual(await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], 1), [
      "queued",
    ]);
    await other.execute("DELETE FROM tasks WHERE id = 'b'");
    assert.equal((await test.store.find("a"))?.state, "queued");
  } finally {
    other.close();
  }
});

Deno.test("Connection leaves time for others between two tries for a lock", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  using test = await openStore(url);
  const other = createClient({ url });
  const transaction = await other.transaction("write");
  const waits: number[] = [];
  const connection = await Connection.open(url, {
    now: () => 0,
    after(ms, callback) {
      waits.push(ms);
      // Another in the same process lets go of the lock, as it only can while nobody holds the event loop.
      (waits.length < 3 ? Promise.resolve() : transaction.commit()).then(callback);
      return () => {};
    },
  });
  try {
    await connection.write([
      "INSERT INTO tasks (id, revision, run_at_ms, created_at_ms) VALUES ('a', '', 1, 1)",
    ]);
    assert.deepEqual(waits, [20, 20, 20]);
    assert.equal((await test.store.find("a"))?.state, "queued");
  } finally {
    connection.close();
    other.close();
  }
});

Deno.test("Connection.write() stores all statements or none", async () => {
  await using folder = await temporaryFolder();
  using test = await openStore(`file:${folder.path}/queue.db`);
  await assert.rejects(
    test.connection.write([
      "INSERT INTO tasks (id, revision, run_at_ms, created_at_ms) VALUES ('a', '', 1, 1)",
      "INSERT INTO tasks (id, revision, run_at_ms, created_at_ms) VALUES ('a', '', 1, 1)",
    ]),
    /UNIQUE constraint failed/,
  );
  assert.equal(await test.store.find("a"), undefined);
});

Deno.test("migrate() is done once, and again does nothing", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  {
    using test = await openStore(url);
    await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], 1);
  }
  using test = await openStore(url);
  assert.equal((await test.store.find("a"))?.state, "queued");
});

Deno.test("migrate() keeps what an older program queued, and counts it", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  const [first, ...newer] = readMigrations();
  assert.ok(first && newer.length > 0);
  const connection = await Connection.open(url);
  await migrate(connection, { migrations: [first], nowMs: 0 });
  await connection.write([
    "INSERT INTO tasks (id, revision, run_at_ms, created_at_ms) VALUES ('a', '1', 5, 5), ('b', '1', 4, 4)",
    "INSERT INTO tasks (id, state, revision, attempt, fence, run_at_ms, created_at_ms, finished_at_ms) " +
    "VALUES ('done', 'done', '1', 1, 3, 1, 1, 2)",
    `INSERT INTO payloads VALUES ('a', '"of a"'), ('b', '"of b"'), ('done', '"of done"')`,
    "INSERT INTO results VALUES ('done', '1', 3, 2)",
  ]);
  connection.close();
  using test = await openStore(url);
  const claim = { leaseMs: 9, limit: 9, retryHorizonMs: 9 };
  const { claimed } = await test.store.settle({ nowMs: 9, claim });
  assert.deepEqual(claimed.map(({ id, payload }) => [id, payload]), [
    ["a", '"of a"'],
    ["b", '"of b"'],
  ]);
  assert.equal((await test.store.find("done"))?.result, "1");
  assert.equal(await test.store.payload("done"), '"of done"');
  const { rows } = await test.connection.read("SELECT tenant, waiting, turn FROM tenants");
  assert.deepEqual(rows, [{ tenant: "", waiting: 2, turn: 1 }]);
});

Deno.test("QueueAdmin gives another life to what died under an older program", async () => {
  const connection = await Connection.open(":memory:");
  try {
    const [first, ...newer] = readMigrations();
    assert.ok(first && newer.length > 0);
    await migrate(connection, { migrations: [first], nowMs: 0 });
    await connection.write([
      `INSERT INTO tasks (id, state, revision, run_at_ms, created_at_ms, finished_at_ms, error)
      VALUES ('a', 'dead', '1', 5, 5, 6, 'no luck'), ('b', 'dead', '1', 4, 4, 6, 'no luck')`,
    ]);
    await migrate(connection, { migrations: [first, ...newer], nowMs: 0 });
    const requeued = await new QueueAdmin(connection).requeue("all", 9);
    assert.deepEqual([...requeued].sort(), ["a", "b"]);
    const { rows } = await connection.read("SELECT waiting, turn FROM tenants");
    assert.deepEqual(rows, [{ waiting: 2, turn: 2 }]);
  } finally {
    connection.close();
  }
});

Deno.test("migrate() refuses a database that a newer program made", async () => {
  const connection = await Connection.open(":memory:");
  try {
    const [first] = readMigrations();
    assert.ok(first);
    const newer = { version: 2, name: "0002_newer.sql", sql: "CREATE TABLE newer (x);\n" };
    await migrate(connection, { migrations: [first, newer], nowMs: 0 });
    await assert.rejects(
      migrate(connection, { migrations: [first], nowMs: 0 }),
      /its schema has version 2, and this program knows versions up to 1/,
    );
  } finally {
    connection.close();
  }
});

Deno.test("migrate() applies each migration once where two processes start together", async () => {
  await using folder = await temporaryFolder();
  const url = `file:${folder.path}/queue.db`;
  const connections = await Promise.all([Connection.open(url), Connection.open(url)]);
  try {
    const migrations = readMigrations();
    await Promise.all(connections.map((each) => migrate(each, { migrations, nowMs: 0 })));
    const { rows } = await connections[0].read("SELECT version FROM migrations");
    assert.equal(rows.length, migrations.length);
  } finally {
    for (const connection of connections) connection.close();
  }
});
