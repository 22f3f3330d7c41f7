/**
 * Uploads, claims and ends tasks, and notes each promise in the file beside the database as soon as it was given: a task when
 * `enqueue` resolved, a result when `settle` did. With NORMAL as its second argument no commit waits for the disk.
 */
import { LibsqlStore } from "../../../queue/libsql_store.ts";
import { LIMITS, openStore } from "../../support/store.ts";

const [folder = "", synchronous = "FULL", groups = "60"] = Deno.args;
const { connection, vault } = await openStore(`file:${folder}/queue.db`);
const store = new LibsqlStore({
  write: (statements, options) =>
    connection.write(statements, synchronous === "FULL" ? options : { durable: false }),
  read: (statement) => connection.read(statement),
  close: () => connection.close(),
}, { limits: LIMITS, vault });
// Often, so that cuts fall into checkpoints too.
await connection.read("PRAGMA wal_autocheckpoint = 40");
const acks = Deno.openSync(`${folder}/queue.db.acks`, { write: true, create: true });

function note(kind: "task" | "result", ids: readonly string[]): void {
  acks.writeSync(new TextEncoder().encode(ids.map((id) => `${kind} ${id}\n`).join("")));
}

const claim = { leaseMs: 60_000, limit: 4, retryHorizonMs: 1000 };
let held = (await store.settle({ nowMs: 0, claim })).claimed;
for (let group = 0; group < Number(groups); group++) {
  const ids = Array.from({ length: 1 + group % 5 }, (_, index) => `${group}.${index}`);
  await store.enqueue(ids.map((id) => ({ id, payload: "{}", revision: "1" })), group);
  note("task", ids);
  const completed = held.map((task) => ({ ...task, result: JSON.stringify(task.id) }));
  const { stored, claimed } = await store.settle({ nowMs: group, completed, claim });
  note("result", stored);
  held = claimed;
}
// Not closed: the last connection's close would carry the log into the database.
Deno.exit(0);
