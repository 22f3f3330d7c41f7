/** What runs against each other: each takes a number of tasks in batches through upload, claim, score and result, on a new file. */
import { openVault } from "../../vault.ts";
import { createHash } from "node:crypto";
import Native from "libsql";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { Connection } from "../../database/connection.ts";
import { GroupedDatabase } from "../../database/grouped_database.ts";
import { migrate, readMigrations } from "../../database/migrate.ts";
import type { ClaimedTask } from "../../queue/store.ts";
import { encodePayload } from "../../scoring/handler.ts";
import { EXAMPLE } from "../../tests/support/service.ts";

export interface Work {
  /** Of a file that does not exist yet. */
  readonly path: string;
  readonly tasks: number;
  readonly batch: number;
}

export interface Contestant {
  readonly name: string;
  /** What a commit waits for. */
  readonly synchronous: "FULL" | "NORMAL";
  /** Share of the tasks that it is given: a slow one need not run for minutes. */
  readonly share: number;
  run(work: Work): Promise<void>;
}

/** Scores a batch; outcomes in the order of the tasks. */
export type Score = (
  tasks: readonly ClaimedTask[],
) => Promise<readonly ({ readonly result: string } | { readonly error: string })[]>;

const PAYLOAD = encodePayload(EXAMPLE);
const REVISION = "f".repeat(64);
export const RESULT = JSON.stringify({
  version: "1",
  probabilities: Object.fromEntries(
    ["a", "b", "c", "d", "e"].map((
      bank,
      index,
    ) => [`bank_${bank}`, 0.40770822763442993 + index / 10]),
  ),
});

/** A hash, as the service's are: each in another place of an index. */
function taskId(index: number): string {
  return createHash("sha1").update(String(index)).digest("hex");
}

function* batches({ tasks, batch }: Work): Generator<string[]> {
  for (let at = 0; at < tasks; at += batch) {
    yield Array.from({ length: Math.min(batch, tasks - at) }, (_, index) => taskId(at + index));
  }
}

export function prescore(name: string, score: Score): Contestant {
  return {
    name,
    synchronous: "FULL",
    share: 1,
    async run(work) {
      const connection = await Connection.open(`file:${work.path}`);
      await migrate(connection, { migrations: readMigrations(), nowMs: Date.now() });
      const limits = { waitingTasks: 1e6, waitingTasksPerTenant: 1e6 };
      const vault = await openVault({ databaseUrl: `file:${work.path}`, database: connection });
      const store = new LibsqlStore(
        new GroupedDatabase(connection, { waitingLimit: 1000 }),
        { limits, vault },
      );
      const claim = { leaseMs: 15_000, limit: work.batch, retryHorizonMs: 10_000 };
      let held: readonly ClaimedTask[] = [];
      async function settle(more: boolean): Promise<void> {
        const outcomes = await score(held);
        const completed = held.map(({ id, fence }, index) => {
          const outcome = outcomes[index];
          if (!outcome || !("result" in outcome)) throw new Error("a task was not scored");
          return { id, fence, result: outcome.result };
        });
        const settled = await store.settle({ nowMs: Date.now(), completed, ...more && { claim } });
        if (settled.stored.length !== held.length) throw new Error("a result was not stored");
        held = settled.claimed;
      }
      for (const ids of batches(work)) {
        const tasks = ids.map((id) => ({ id, payload: PAYLOAD, revision: REVISION }));
        await store.enqueue(tasks, Date.now());
        await settle(true);
      }
      await settle(false);
      store.close();
    },
  };
}

/** The SQL alone, by the same library, in the same number of commits: no lists, no fences, no turns, no counts, no dead letters. */
export const rawSameTables: Contestant = {
  name: "raw SQL, the same tables",
  synchronous: "FULL",
  share: 1,
  run(work) {
    const db = openRaw(work.path);
    for (const { sql } of readMigrations()) db.exec(sql);
    for (const name of ["added", "started_again", "ended", "removed"]) {
      db.exec(`DROP TRIGGER tasks_${name}`);
    }
    const insert = db.prepare(
      "INSERT INTO tasks (id, revision, turn, run_at_ms, created_at_ms) VALUES (?, ?, ?, ?, ?)",
    );
    const insertPayload = db.prepare(
      "INSERT INTO payloads (number, body) SELECT number, ? FROM tasks WHERE id = ?",
    );
    const claim = db.prepare(`
      UPDATE tasks SET state = 'leased', attempt = 1, fence = 1, lease_until_ms = ?
      WHERE rowid IN (
        SELECT rowid FROM tasks WHERE state = 'queued' AND attempt = 0
        ORDER BY priority, turn LIMIT ?)
      RETURNING id, (SELECT body FROM payloads WHERE payloads.number = tasks.number) AS payload`);
    const end = db.prepare(
      "UPDATE tasks SET state = 'done', lease_until_ms = NULL, finished_at_ms = ? WHERE id = ?",
    );
    const insertResult = db.prepare(
      "INSERT INTO results (number, body, fence, created_at_ms) SELECT number, ?, 1, ? FROM tasks WHERE id = ?",
    );
    let turn = 0n;
    return cycles(db, work, {
      upload(id, nowMs) {
        insert.run(id, REVISION, turn++, nowMs, nowMs);
        insertPayload.run(PAYLOAD, id);
      },
      claim: (limit, nowMs) => claim.all(nowMs + 15_000n, limit),
      end(id, nowMs) {
        insertResult.run(RESULT, nowMs, id);
        end.run(nowMs, id);
      },
    });
  },
};

/** The least that a durable queue can write: one table of four columns. */
export const rawOneTable: Contestant = {
  name: "raw SQL, one small table",
  synchronous: "FULL",
  share: 1,
  run(work) {
    const db = openRaw(work.path);
    db.exec(
      "CREATE TABLE jobs (id TEXT NOT NULL PRIMARY KEY, state INTEGER NOT NULL, payload TEXT NOT NULL, result TEXT) STRICT",
    );
    db.exec("CREATE INDEX queued ON jobs (state) WHERE state = 0");
    const insert = db.prepare("INSERT INTO jobs VALUES (?, 0, ?, NULL)");
    const claim = db.prepare(`
      UPDATE jobs SET state = 1
      WHERE rowid IN (SELECT rowid FROM jobs WHERE state = 0 LIMIT ?) RETURNING id, payload`);
    const end = db.prepare("UPDATE jobs SET state = 2, result = ? WHERE id = ?");
    return cycles(db, work, {
      upload: (id) => void insert.run(id, PAYLOAD),
      claim: (limit) => claim.all(limit),
      end: (id) => void end.run(RESULT, id),
    });
  },
};

interface RawSteps {
  upload(id: string, nowMs: bigint): void;
  claim(limit: bigint, nowMs: bigint): readonly unknown[];
  end(id: string, nowMs: bigint): void;
}

type RawDatabase = ReturnType<typeof openRaw>;

function cycles(db: RawDatabase, work: Work, { upload, claim, end }: RawSteps): Promise<void> {
  let held: readonly { id: string }[] = [];
  function settle(limit: number): void {
    const nowMs = BigInt(Date.now());
    db.exec("BEGIN IMMEDIATE");
    for (const { id } of held) end(id, nowMs);
    held = limit > 0 ? claim(BigInt(limit), nowMs) as { id: string }[] : [];
    db.exec("COMMIT");
  }
  for (const ids of batches(work)) {
    db.exec("BEGIN IMMEDIATE");
    for (const id of ids) upload(id, BigInt(Date.now()));
    db.exec("COMMIT");
    settle(work.batch);
  }
  settle(0);
  db.close();
  return Promise.resolve();
}

function openRaw(path: string) {
  const db = new Native(path);
  db.exec("PRAGMA journal_mode = WAL");
  db.exec("PRAGMA synchronous = FULL");
  return db;
}

/** As much of plainjob's interface as is used here. */
interface Plainjob {
  better(database: unknown): unknown;
  defineQueue(options: { connection: unknown; logger: unknown }): {
    addMany(type: string, data: readonly unknown[]): unknown;
    getAndMarkJobAsProcessing(type: string): { id: number } | undefined;
    getJobById(id: number): { data: string } | undefined;
    markJobAsDone(id: number): void;
    close(): void;
  };
}

export const PLAINJOB_VERSION = "0.0.14";
const quiet = { error() {}, warn() {}, info() {}, debug() {} };

/**
 * plainjob on the same native library, whose interface is that of better-sqlite3. It sets synchronous NORMAL, at which a power cut
 * loses what was acknowledged, and stores no results; its jobs are claimed and ended one by one.
 */
export async function plainjob(synchronous: Contestant["synchronous"]): Promise<Contestant> {
  // A name put together at run time stays out of the lock file, and so out of the executable.
  const specifier = `npm:plainjob@${PLAINJOB_VERSION}`;
  const { better, defineQueue }: Plainjob = await import(specifier);
  return {
    name: "plainjob",
    synchronous,
    share: synchronous === "FULL" ? 0.05 : 0.5,
    run(work) {
      const db = new Native(work.path);
      const queue = defineQueue({ connection: better(db), logger: quiet });
      db.exec(`PRAGMA synchronous = ${synchronous}`);
      for (const ids of batches(work)) {
        queue.addMany("score", ids.map((id) => ({ id, payload: PAYLOAD })));
        for (let left = ids.length; left > 0; left--) {
          const job = queue.getAndMarkJobAsProcessing("score");
          if (!job || !queue.getJobById(job.id)) throw new Error("plainjob lost a job");
          queue.markJobAsDone(job.id);
        }
      }
      queue.close();
      return Promise.resolve();
    },
  };
}
