/**
 * Ways in which a queue of this kind is wrong in practice. The simulation must tell each from the real one; a statement keeps all its
 * parameters, or the database itself would refuse it.
 */
import type { Mutant } from "./world.ts";

const FENCE = " AND tasks.fence = ended.value ->> 'fence'";

/** Changes statements that contain `of`: every `from` becomes `to`. */
function rewriting(of: string, from: string | RegExp, to: string): (sql: string) => string {
  return (sql) => sql.includes(of) ? sql.replaceAll(from, to) : sql;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "results are stored without the fence",
    noticedAt: 4,
    sql: (sql) =>
      sql.includes("INSERT INTO results") || sql.includes("state = 'done'")
        ? sql.replace(FENCE, "")
        : sql,
  },
  {
    name: "failures count without the fence",
    noticedAt: 4,
    sql: rewriting("'retryAtMs'", FENCE, ""),
  },
  {
    name: "a claim keeps the old fence",
    sql: (sql) => sql.replace("fence = fence + 1", "fence = max(fence, 3)"),
  },
  {
    name: "a claim takes what another holds",
    sql: (sql) =>
      sql.replace(
        "state = 'queued' AND attempt = 0 AND changes()",
        "state IN ('queued', 'leased') AND changes()",
      ),
  },
  {
    name: "a claim mixes tasks that failed before into a batch",
    sql: rewriting("changes() = 0", "AND attempt = 0 AND changes() = 0", ""),
  },
  {
    name: "a claim does not count the attempt",
    sql: (sql) => sql.replace("attempt = attempt + 1, ", ""),
  },
  {
    name: "a rescue takes every lease",
    sql: (sql) =>
      sql.replace("lease_until_ms NOT BETWEEN :now + 1 AND :now + :horizon", ":horizon > 0"),
  },
  {
    name: "a rescue believes any lease",
    noticedAt: 56,
    sql: (sql) =>
      sql.replace(
        "lease_until_ms NOT BETWEEN :now + 1 AND :now + :horizon",
        "lease_until_ms <= :now AND :horizon > 0",
      ),
  },
  {
    name: "a retry believes any time",
    noticedAt: 59,
    sql: (sql) => sql.replaceAll("run_at_ms > :now + :horizon", "false AND :horizon > 0"),
  },
  {
    name: "a rescue never buries",
    sql: (sql) => sql.replaceAll("attempt >= :attempts", "false AND :attempts > 0"),
  },
  {
    name: "a rescue buries at once",
    sql: (sql) => sql.replaceAll("attempt >= :attempts", ":attempts > 0"),
  },
  {
    name: "a failure buries at once",
    sql: (sql) => sql.replaceAll("ended.value ->> 'retryAtMs' IS NULL", "true"),
  },
  {
    name: "an upload starts a known task again",
    sql: (sql) => sql.replace("AND tasks.revision != asked.revision", ""),
  },
  {
    name: "the task is not ended with its result",
    sql: (sql) => sql.includes("state = 'done'") ? sql.replace("WHERE ", "WHERE false AND ") : sql,
  },
  {
    name: "the result is not stored with the end",
    sql: (sql) => sql.includes("INSERT INTO results") ? `${sql} AND false` : sql,
  },
  {
    name: "nothing is rescued",
    store: (store) => Object.assign(store, { rescue: () => Promise.resolve(0) }),
  },
  {
    name: "leases are not kept alive",
    noticedAt: 25,
    store: (store) => Object.assign(store, { extend: () => Promise.resolve(0) }),
  },
  {
    name: "an upload is acknowledged before its commit",
    store(store) {
      const enqueue = store.enqueue.bind(store);
      return Object.assign(store, {
        enqueue: ((tasks, nowMs) => {
          enqueue(tasks, nowMs).catch(() => {});
          return Promise.resolve(tasks.map(() => "queued" as const));
        }) satisfies typeof store.enqueue,
      });
    },
  },
];
