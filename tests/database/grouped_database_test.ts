import type { InStatement } from "@libsql/client";
import assert from "node:assert/strict";
import type { Database } from "../../database/database.ts";
import { GroupedDatabase } from "../../database/grouped_database.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { StoreLockedError } from "../../queue/store.ts";
import { LIMITS, openStore, temporaryFolder } from "../support/store.ts";
import { storeSuite } from "../queue/store_suite.ts";

/** Answers each statement with its own text; refuses a transaction with the statement "bad". */
function echo(): { database: Database; transactions: InStatement[][] } {
  const transactions: InStatement[][] = [];
  const database: Database = {
    write(statements) {
      transactions.push(statements);
      return statements.includes("bad")
        ? Promise.reject(new Error("refused"))
        : Promise.resolve(statements.map((sql) => ({ rows: [{ sql }], rowsAffected: 1 })));
    },
    read: () => Promise.reject(new Error("not asked")),
    close() {},
  };
  return { database, transactions };
}

function texts(rows: readonly { rows: readonly Readonly<Record<string, unknown>>[] }[]) {
  return rows.map(({ rows }) => rows[0]?.sql);
}

Deno.test("GroupedDatabase makes one transaction of those that come together, and splits the answers", async () => {
  const { database, transactions } = echo();
  const grouped = new GroupedDatabase(database, { waitingLimit: 10 });
  const answers = await Promise.all([["a", "b"], ["c"], []].map((each) => grouped.write(each)));
  assert.deepEqual(answers.map(texts), [["a", "b"], ["c"], []]);
  assert.deepEqual(transactions, [["a", "b", "c"]]);
});

Deno.test("GroupedDatabase lets no writer suffer for another", async () => {
  const { database } = echo();
  const grouped = new GroupedDatabase(database, { waitingLimit: 10 });
  const answers = await Promise.allSettled(
    [["a"], ["b", "bad"], ["c"]].map((each) => grouped.write(each)),
  );
  assert.deepEqual(answers.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
});

Deno.test("GroupedDatabase waits once for a lock that holds up all writers", async () => {
  let asked = 0;
  const grouped = new GroupedDatabase({
    write() {
      asked++;
      return Promise.reject(new StoreLockedError("database is locked"));
    },
    read: () => Promise.reject(new Error("not asked")),
    close() {},
  }, { waitingLimit: 10 });
  const answers = await Promise.allSettled(["a", "b", "c"].map((each) => grouped.write([each])));
  assert.equal(asked, 1);
  for (const answer of answers) {
    assert.ok(answer.status === "rejected" && answer.reason instanceof StoreLockedError);
  }
});

storeSuite("grouped commits", async () => {
  const folder = await temporaryFolder();
  const { connection, vault } = await openStore(`file:${folder.path}/queue.db`);
  const store = new LibsqlStore(new GroupedDatabase(connection, { waitingLimit: 10 }), {
    limits: LIMITS,
    vault,
  });
  return {
    ...{ store, connection, vault },
    async [Symbol.asyncDispose]() {
      store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("GroupedDatabase makes a shared commit durable where one of its writers needs that", async () => {
  const asked: unknown[] = [];
  const grouped = new GroupedDatabase({
    write(statements, options) {
      asked.push(options);
      return Promise.resolve(statements.map(() => ({ rows: [], rowsAffected: 0 })));
    },
    read: () => Promise.reject(new Error("not asked")),
    close() {},
  }, { waitingLimit: 10 });
  await Promise.all([grouped.write(["a"]), grouped.write(["b"], { durable: false })]);
  await Promise.all(["a", "b"].map((each) => grouped.write([each], { durable: false })));
  assert.deepEqual(asked, [{ durable: true }, { durable: false }]);
});
