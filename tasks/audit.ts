/**
 * `deno task audit`: looks whether the audit log is as it was written, beside the running service or without it.
 *
 *     audit head                           the end of the log as one word: keep it where the service cannot write
 *     audit verify [--head SEQUENCE:HASH]  reads the whole log; exits 2 where something was changed, or is missing
 *     audit list [--limit 50]              the latest entries, the last one first
 */
import { AuditLog, headText, parseHead, verify as verifyLog } from "../audit/mod.ts";
import { systemClock } from "../clock.ts";
import { Connection } from "../database/connection.ts";
import { configFromEnvironment } from "./config.ts";
import { chooseCommand, type Command, main, readOptions, UsageError } from "./main.ts";

const CHANGED = 2;

async function withLog<T>(work: (log: AuditLog) => Promise<T>): Promise<T> {
  const database = await Connection.open(configFromEnvironment().service.databaseUrl);
  try {
    return await work(
      new AuditLog({ database, now: systemClock.now, newId: () => crypto.randomUUID() }),
    );
  } finally {
    database.close();
  }
}

const head: Command = async () => console.log(headText(await withLog((log) => log.head())));

const verify: Command = async (args) => {
  const { values } = readOptions({ options: { head: { type: "string" } } }, args);
  const kept = values.head === undefined ? undefined : parseHead(values.head);
  if (values.head !== undefined && kept === undefined) {
    throw new UsageError(
      `--head: current value is ${values.head}, must be what deno task audit head printed, ` +
        "such as 12:4f53cda1...",
    );
  }
  const { head, fault } = await withLog((log) => verifyLog(log.entries(), kept));
  if (fault === undefined) {
    console.log(`${head.sequence} entries are as they were written; head ${headText(head)}`);
    return;
  }
  console.error(`The audit log is not as it was written: ${fault}`);
  Deno.exit(CHANGED);
};

const list: Command = async (args) => {
  const { values } = readOptions({ options: { limit: { type: "string", default: "50" } } }, args);
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new UsageError(
      `--limit: current value is ${values.limit}, must be a whole number from 1`,
    );
  }
  for (const entry of await withLog((log) => log.page({ limit }))) {
    const { sequence, atMs, actor, action, subject, details } = entry;
    console.log(
      [sequence, new Date(atMs).toISOString(), actor, action, subject, details].join("  "),
    );
  }
};

/** The commands by name; without a name the log is verified. */
export const audit: Command = (args) => chooseCommand({ head, verify, list }, "verify", args)();

if (import.meta.main) await main(() => audit(Deno.args));
