import { createClient } from "@libsql/client/web";
import assert from "node:assert/strict";
import { startHranaServer } from "./hrana_server.ts";
import { temporaryFolder } from "./store.ts";

async function startServer() {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const server = resources.use(await startHranaServer({ path: `${folder.path}/a.db` }));
  const client = createClient({ url: server.url });
  resources.defer(() => client.close());
  await client.executeMultiple("CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE TABLE u (c);");
  const running = resources.move();
  return { server, client, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

Deno.test("the test server gives every kind of value back as it came", async () => {
  await using test = await startServer();
  const args = [null, 2n ** 60n, 1.5, "текст", new Uint8Array([0, 255])];
  const sql = "SELECT ? AS n, ? AS i, ? AS f, ? AS t, ? AS b";
  const client = createClient({ url: test.server.url, intMode: "bigint" });
  const { rows: [row], columns } = await client.execute({ sql, args });
  client.close();
  assert.deepEqual(columns, ["n", "i", "f", "t", "b"]);
  assert.deepEqual(
    [row?.n, row?.i, row?.f, row?.t, new Uint8Array(row?.b as ArrayBuffer)],
    args,
  );
});

Deno.test("the test server keeps a transaction open over several requests", async () => {
  await using test = await startServer();
  const { client } = test;
  const transaction = await client.transaction("write");
  await transaction.execute("INSERT INTO t (b) VALUES ('x')");
  assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 0);
  await assert.rejects(
    client.batch(["INSERT INTO u VALUES (1)"], "write"),
    { code: "SQLITE_BUSY" },
  );
  await transaction.commit();
  assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 1);

  const undone = await client.transaction("write");
  await undone.execute("DELETE FROM t");
  await undone.rollback();
  assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 1);
});

Deno.test("the test server undoes a batch of which one statement fails", async () => {
  await using test = await startServer();
  const { client } = test;
  await assert.rejects(
    client.batch(["INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, 2)"], "write"),
    { code: "SQLITE_CONSTRAINT" },
  );
  assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 0);
});

Deno.test("the test server counts the rows that a statement changed", async () => {
  await using test = await startServer();
  const [inserted, updated, read] = await test.client.batch([
    "INSERT INTO t (b) VALUES (1), (2), (3)",
    "UPDATE t SET b = 0 WHERE a > 1 RETURNING a",
    "SELECT a FROM t",
  ], "write");
  assert.equal(inserted?.rowsAffected, 3);
  assert.equal(inserted?.lastInsertRowid, 3n);
  assert.deepEqual(updated?.rows.map(({ a }) => a), [2, 3]);
  assert.equal(updated?.rowsAffected, 2);
  assert.equal(read?.rowsAffected, 0);
});

Deno.test("the test server answers version 3 with its own requests", async () => {
  await using test = await startServer();
  async function pipeline(body: unknown) {
    const response = await fetch(`${test.server.url}/v3/pipeline`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }
  const begun = await pipeline({
    requests: [
      { type: "store_sql", sql_id: 1, sql: "BEGIN" },
      { type: "execute", stmt: { sql_id: 1 } },
      { type: "get_autocommit" },
    ],
  });
  assert.equal(begun.body.results[2].response.is_autocommit, false);
  const ended = await pipeline({
    baton: begun.body.baton,
    requests: [
      {
        type: "batch",
        batch: {
          steps: [
            { stmt: { sql: "SELECT 1 AS one" } },
            { stmt: { sql: "SELECT nonsense" } },
            {
              stmt: { sql: "COMMIT" },
              condition: {
                type: "and",
                conds: [
                  { type: "ok", step: 0 },
                  { type: "error", step: 1 },
                  { type: "not", cond: { type: "is_autocommit" } },
                ],
              },
            },
          ],
        },
      },
      { type: "describe", sql: "SELECT a FROM t" },
      { type: "get_autocommit" },
      { type: "close" },
    ],
  });
  const [batch, described, autocommit] = ended.body.results;
  assert.deepEqual(batch.response.result.step_results[0].rows, [[{ type: "integer", value: "1" }]]);
  assert.match(batch.response.result.step_errors[1].message, /no such column: nonsense/);
  assert.deepEqual(described.response.result.cols, [{ name: "a", decltype: "INTEGER" }]);
  assert.equal(autocommit.response.is_autocommit, true);
  assert.equal(ended.body.baton, null);
  assert.equal((await pipeline({ baton: begun.body.baton, requests: [] })).status, 400);
});
