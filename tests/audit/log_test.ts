import assert from "node:assert/strict";
import { AuditLog, type Entry, headText, parseHead, verify } from "../../audit/mod.ts";
import { Connection } from "../../database/connection.ts";
import type { Database } from "../../database/database.ts";
import { GroupedDatabase } from "../../database/grouped_database.ts";
import { runTask } from "../support/process.ts";
import type { Fault } from "../support/hrana_server.ts";
import { openRemoteStore } from "../support/remote_store.ts";
import { openStore, temporaryFolder } from "../support/store.ts";

const NOW = 1_700_000_000_000;

function openLog(database: Database): AuditLog {
  return new AuditLog({ database, now: () => NOW, newId: () => crypto.randomUUID() });
}

/** A log in a file: what fails takes a new connection, and a database in memory goes with the old one. */
async function openFile() {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const url = `file:${folder.path}/audit.db`;
  const { connection } = resources.use(await openStore(url));
  const running = resources.move();
  return { url, connection, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function all(log: AuditLog): Promise<Entry[]> {
  return await Array.fromAsync(log.entries());
}

const ENTRY = { actor: "command:root", action: "keys.create", subject: "keys/7" };

Deno.test("AuditLog.append chains entries and keeps their details in canonical form", async () => {
  using test = await openStore();
  const log = openLog(test.connection);
  await log.append({ ...ENTRY, details: { role: "reader", days: 30, also: { b: 1, a: [null] } } });
  await log.append({ ...ENTRY, action: "keys.revoke" });
  const [first, second] = await all(log);
  assert.equal(first?.sequence, 1);
  assert.equal(first.details, '{"also":{"a":[null],"b":1},"days":30,"role":"reader"}');
  assert.equal(first.previousHash, "0".repeat(64));
  assert.deepEqual([second?.sequence, second?.previousHash, second?.action, second?.details], [
    ...[2, first.hash],
    ...["keys.revoke", "{}"],
  ]);
  assert.deepEqual(await verify(log.entries()), { head: await log.head() });
});

Deno.test("AuditLog.append commits an entry and its change together, or neither", async () => {
  await using test = await openFile();
  const log = openLog(test.connection);
  await test.connection.write(["CREATE TABLE keys (id TEXT PRIMARY KEY) STRICT"]);
  await log.append(ENTRY, ["INSERT INTO keys VALUES ('7')"]);
  await assert.rejects(log.append(ENTRY, ["INSERT INTO keys VALUES ('7')"]), /UNIQUE/);
  assert.equal((await all(log)).length, 1);
  await assert.rejects(
    log.append({ ...ENTRY, actor: "a\nb" }, ["INSERT INTO keys VALUES ('8')"]),
    /actor must be 1 to 200 characters without control characters/,
  );
  assert.equal((await test.connection.read("SELECT * FROM keys")).rows.length, 1);
});

Deno.test("the table of the audit log refuses changes, deletions, and entries out of order", async () => {
  await using test = await openFile();
  const log = openLog(test.connection);
  await log.append(ENTRY);
  for (
    const [sql, refusal] of [
      ["UPDATE audit SET actor = 'x'", /append-only/],
      ["DELETE FROM audit", /append-only/],
      [
        "INSERT INTO audit SELECT 3, id, at_ms, actor, action, subject, details, hash, hash FROM audit",
        /moved on/,
      ],
      ["INSERT OR REPLACE INTO audit SELECT * FROM audit", /moved on/],
    ] as const
  ) await assert.rejects(test.connection.write([sql]), refusal);
});

Deno.test("AuditLog.change asks its plan again where another process appended meanwhile", async () => {
  await using test = await openFile();
  const [mine, other] = [openLog(test.connection), openLog(test.connection)];
  const seen: number[] = [];
  await mine.change(async () => {
    seen.push((await other.head()).sequence);
    if (seen.length === 1) await other.append(ENTRY);
    return { entry: ENTRY };
  });
  assert.deepEqual(seen, [0, 1]);
  assert.equal((await verify(mine.entries())).fault, undefined);
});

Deno.test("AuditLog.change stores nothing where its plan refuses, and lets the next one through", async () => {
  using test = await openStore();
  const log = openLog(test.connection);
  const refused = log.change(() => Promise.reject(new RangeError("no")));
  const next = log.append(ENTRY);
  await assert.rejects(refused, RangeError);
  assert.equal((await next).sequence, 1);
});

Deno.test("processes that append at the same time lose nothing and keep one chain", async () => {
  await using test = await openFile();
  await test.connection.write(["CREATE TABLE done (by_whom TEXT, n INTEGER) STRICT"]);
  const connections = await Promise.all(
    ["a", "b", "c"].map(() => Connection.open(test.url)),
  );
  await Promise.all(connections.map(async (connection, at) => {
    const log = openLog(new GroupedDatabase(connection, { waitingLimit: 100 }));
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        log.append({ ...ENTRY, actor: `process:${at}` }, [
          `INSERT INTO done VALUES ('${at}', ${n})`,
        ])),
    );
  }));
  for (const connection of connections) connection.close();
  const log = openLog(test.connection);
  assert.equal((await verify(log.entries())).head.sequence, 60);
  const { rows } = await test.connection.read("SELECT DISTINCT by_whom, n FROM done");
  assert.equal(rows.length, 60);
});

Deno.test("an append whose answer was lost after the commit is stored once, and succeeds", async () => {
  const next: Fault[] = [];
  await using test = await openRemoteStore({
    fault: (sql) => sql.some((text) => text.startsWith("BEGIN")) ? next.shift() ?? "none" : "none",
  });
  await test.connection.write(["CREATE TABLE done (n INTEGER) STRICT"]);
  const log = openLog(test.connection);
  next.push("cutAfter");
  await log.append(ENTRY, ["INSERT INTO done VALUES (1)"]);
  next.push("cutBefore");
  await log.append(ENTRY, ["INSERT INTO done VALUES (2)"]);
  assert.deepEqual(next, []);
  assert.equal((await verify(log.entries())).head.sequence, 2);
  assert.equal((await test.connection.read("SELECT * FROM done")).rows.length, 2);
});

Deno.test("AuditLog.page reads the latest entries, of one subject too", async () => {
  using test = await openStore();
  const log = openLog(test.connection);
  for (const subject of ["a", "b", "a", "a"]) await log.append({ ...ENTRY, subject });
  const sequences = async (options: Parameters<typeof log.page>[0]) =>
    (await log.page(options)).map(({ sequence }) => sequence);
  assert.deepEqual(await sequences({ limit: 2 }), [4, 3]);
  assert.deepEqual(await sequences({ limit: 2, before: 3 }), [2, 1]);
  assert.deepEqual(await sequences({ limit: 2, subject: "a", before: 4 }), [3, 1]);
});

Deno.test("a head is one word", () => {
  const head = { sequence: 12, hash: "ab".repeat(32) };
  assert.deepEqual(parseHead(` ${headText(head)}\n`), head);
  for (const text of ["", "12", `12:${"AB".repeat(32)}`, `-1:${"ab".repeat(32)}`]) {
    assert.equal(parseHead(text), undefined);
  }
});

Deno.test("deno task audit finds a change, and against a kept head that the end is gone", async () => {
  await using test = await openFile();
  const env = { PRESCORE_DATABASE_URL: test.url };
  const run = (...args: string[]) => runTask(["-P=generate", "tasks/audit.ts", ...args], { env });
  const log = openLog(test.connection);
  for (let n = 0; n < 3; n++) await log.append(ENTRY);
  const kept = (await run("head")).stdout.trim();
  assert.equal(kept, headText(await log.head()));
  assert.equal((await run("verify", "--head", kept)).code, 0);
  assert.match(
    (await run("list")).stdout,
    /^3 {2}2023-11-14T22:13:20.000Z {2}command:root {2}keys.create/,
  );

  await test.connection.write(["DROP TRIGGER audit_kept", "DELETE FROM audit WHERE sequence = 3"]);
  assert.equal((await run("verify")).code, 0);
  const cut = await run("verify", "--head", kept);
  assert.equal(cut.code, 2);
  assert.match(cut.stderr, /ends with entry 2, and must have entry 3: its end was cut off/);
  assert.match((await run("verify", "--head", "3")).stderr, /--head: current value is 3/);
});
