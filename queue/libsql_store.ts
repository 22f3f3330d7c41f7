/** The queue in a libSQL database: every state change is one statement, or one transaction of a few. */
import type { InStatement } from "@libsql/client";
import { termsStatements } from "../consent/mod.ts";
import { type Database, statement } from "../database/database.ts";
import { QUEUE } from "./fairness.ts";
import type {
  ClaimedTask,
  ClaimOptions,
  Completed,
  DoneTask,
  Enqueued,
  Held,
  NewTask,
  RescueOptions,
  Settled,
  Settlement,
  Task,
  TaskState,
  TaskStore,
} from "./store.ts";

/**
 * `:tasks` is a JSON array of new tasks without their payloads, which SQLite would read at each step; an id may stand twice. Queued are those that are not known, and those that ended under
 * another revision. A full queue takes none that it does not know; the last group that finds room may exceed the limit.
 */
const ENQUEUE_TASKS = `
  WITH asked AS (
    SELECT min(key) AS key, value ->> 'id' AS id, value ->> 'revision' AS revision,
      coalesce(value ->> 'tenant', '') AS tenant,
      iif(value ->> 'priority' = 'batch', 1, 0) AS priority
    FROM json_each(:tasks) GROUP BY value ->> 'id'
  ),
  new AS (
    SELECT asked.*, tasks.id IS NOT NULL AS known,
      row_number() OVER (PARTITION BY asked.priority, asked.tenant ORDER BY key) - 1 AS place
    FROM asked LEFT JOIN tasks ON tasks.id = asked.id
    WHERE tasks.id IS NULL
      OR tasks.state IN ('done', 'dead') AND tasks.revision != asked.revision
  ),${QUEUE}
  INSERT INTO tasks (id, revision, tenant, priority, turn, run_at_ms, created_at_ms)
  SELECT new.id, new.revision, new.tenant, new.priority,
    max(coalesce(tenants.turn, 0), coalesce(queue.turn, 0)) + place, :now, :now
  FROM new
  LEFT JOIN tenants ON tenants.priority = new.priority AND tenants.tenant = new.tenant
  LEFT JOIN queue ON queue.priority = new.priority
  WHERE known
    OR coalesce(queue.waiting, 0) < :waiting AND coalesce(tenants.waiting, 0) < :waitingOfTenant
  ORDER BY key
  ON CONFLICT (id) DO UPDATE
  SET state = 'queued', attempt = 0, run_at_ms = :now, created_at_ms = :now,
    finished_at_ms = NULL, error = NULL, revision = excluded.revision,
    tenant = excluded.tenant, priority = excluded.priority, turn = excluded.turn`;

/** `:payloads` is a JSON object of texts by task id. */
const ENQUEUE_PAYLOADS = `
  INSERT INTO payloads (number, body)
  SELECT number, asked.value
  FROM json_each(:payloads) AS asked JOIN tasks ON tasks.id = asked.key WHERE true
  ON CONFLICT DO NOTHING`;

/** Of a task that nobody has claimed, and that is stored with this payload. */
const STORE_DONE = `
  INSERT INTO results (number, body, fence, created_at_ms)
  SELECT number, :result, 1, :now FROM tasks JOIN payloads USING (number)
  WHERE id = :id AND state = 'queued' AND fence = 0 AND body = :payload`;

/** Follows STORE_DONE, and ends nothing where that stored nothing. */
const END_STORED = `
  UPDATE tasks SET state = 'done', attempt = 1, fence = 1, finished_at_ms = :now
  WHERE id = :id AND state = 'queued' AND changes() > 0`;

/** A task that the queue did not take is not there. */
const STATES = `
  SELECT coalesce(tasks.state, 'refused') AS state FROM json_each(:ids) AS asked
  LEFT JOIN tasks ON tasks.id = asked.value
  ORDER BY asked.key`;

const FIND = `
  SELECT state, attempt, error, tasks.created_at_ms, finished_at_ms, results.body AS result
  FROM tasks LEFT JOIN results USING (number)
  WHERE tasks.id = :id`;

const FIND_EACH = `
  SELECT tasks.id, state, attempt, error, tasks.created_at_ms, finished_at_ms, results.body AS result
  FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value LEFT JOIN results USING (number)`;

const PAYLOAD = "SELECT body FROM tasks JOIN payloads USING (number) WHERE id = :id";

const PAYLOAD_EACH = `
  SELECT tasks.id, body FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value JOIN payloads USING (number)`;

const ENDED = `
  SELECT tasks.id FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value
  WHERE tasks.state IN ('done', 'dead')`;

const CLAIM = `
  UPDATE tasks
  SET state = 'leased', attempt = attempt + 1, fence = fence + 1, lease_until_ms = :until
  WHERE number IN (`;

const CLAIMED = `)
  RETURNING id, attempt, fence, created_at_ms,
    (SELECT body FROM payloads WHERE payloads.number = tasks.number) AS payload`;

/** For the second of two claims in a transaction: it claims nothing where the first claimed a task. */
const UNLESS_CLAIMED = "AND changes() = 0";

/** The retry of a priority that is due first: two searches of an index, the second for a time that a clock set back has left far away. */
function firstDue(priority: 0 | 1): string {
  const retries = `SELECT number FROM tasks
      WHERE state = 'queued' AND attempt > 0 AND priority = ${priority}`;
  return `coalesce(
    (${retries} AND run_at_ms <= :now ORDER BY run_at_ms, number LIMIT 1),
    (${retries} AND run_at_ms > :now + :horizon ORDER BY run_at_ms, number LIMIT 1))`;
}

const FRESH = "SELECT 1 FROM tasks WHERE state = 'queued' AND attempt = 0";

/** A batch's task that failed waits, as its others do, for interactive ones that never ran; or where none of a batch is wanted. */
function claimRetry(condition: string): string {
  return `${CLAIM}
    SELECT number FROM tasks
    WHERE state = 'queued' AND attempt > 0 ${condition}
      AND number = coalesce(${firstDue(0)},
        iif(:batchLimit = 0 OR EXISTS (${FRESH} AND priority = 0), NULL, ${firstDue(1)}))
  ${CLAIMED}`;
}

/**
 * What is claimed together is of one priority, so that nobody waits for a batch that was claimed with his task; nothing of a
 * batch is claimed where an interactive task is to be tried again.
 */
function claimFresh(condition: string): string {
  return `${CLAIM}
    SELECT number FROM tasks
    WHERE state = 'queued' AND attempt = 0 ${condition}
      AND priority = iif(EXISTS (${FRESH} AND priority = 0), 0, 1)
      AND (priority = 0 OR ${firstDue(0)} IS NULL)
    ORDER BY priority, turn, number
    LIMIT iif(EXISTS (${FRESH} AND priority = 0), :limit, :batchLimit)
  ${CLAIMED}`;
}

const RETRY_FIRST = { retry: claimRetry(""), fresh: claimFresh(UNLESS_CLAIMED) };
const FRESH_FIRST = { retry: claimRetry(UNLESS_CLAIMED), fresh: claimFresh("") };

/** Of one priority: a search of the index. */
function firstRetry(priority: 0 | 1): string {
  return `SELECT min(run_at_ms) AS due FROM tasks
    WHERE state = 'queued' AND attempt > 0 AND priority = ${priority}`;
}

/** `:tasks` have an id and a fence; only leases that are still held are touched. */
const STORE_RESULTS = `
  INSERT INTO results (number, body, fence, created_at_ms)
  SELECT tasks.number, ended.value ->> 'result', tasks.fence, :now
  FROM json_each(:tasks) AS ended
  JOIN tasks ON tasks.id = ended.value ->> 'id' AND tasks.fence = ended.value ->> 'fence'
  WHERE tasks.state = 'leased'`;

const END_DONE = `
  UPDATE tasks
  SET state = 'done', lease_until_ms = NULL, finished_at_ms = :now, error = NULL,
    revision = coalesce(ended.value ->> 'revision', tasks.revision)
  FROM json_each(:tasks) AS ended
  WHERE tasks.id = ended.value ->> 'id' AND tasks.fence = ended.value ->> 'fence'
    AND tasks.state = 'leased'
  RETURNING tasks.id`;

const END_FAILED = `
  UPDATE tasks
  SET state = iif(ended.value ->> 'retryAtMs' IS NULL, 'dead', 'queued'),
    run_at_ms = coalesce(ended.value ->> 'retryAtMs', run_at_ms),
    finished_at_ms = iif(ended.value ->> 'retryAtMs' IS NULL, :now, NULL),
    lease_until_ms = NULL,
    error = ended.value ->> 'error'
  FROM json_each(:tasks) AS ended
  WHERE tasks.id = ended.value ->> 'id' AND tasks.fence = ended.value ->> 'fence'
    AND tasks.state = 'leased'
  RETURNING tasks.id, tasks.state`;

const EXTEND = `
  UPDATE tasks
  SET lease_until_ms = max(lease_until_ms, :until)
  FROM json_each(:tasks) AS held
  WHERE tasks.id = held.value ->> 'id' AND tasks.fence = held.value ->> 'fence'
    AND tasks.state = 'leased'`;

const RESCUE = `
  UPDATE tasks
  SET state = iif(attempt >= :attempts, 'dead', 'queued'),
    run_at_ms = :now,
    finished_at_ms = iif(attempt >= :attempts, :now, NULL),
    lease_until_ms = NULL,
    error = 'attempt ' || attempt || ' ended without an answer: its lease ran out'
  WHERE state = 'leased' AND lease_until_ms NOT BETWEEN :now + 1 AND :now + :horizon`;

/** How much may wait: tasks that are queued or leased, for each priority apart. */
export interface StoreLimits {
  readonly waitingTasks: number;
  readonly waitingTasksPerTenant: number;
}

export class LibsqlStore implements TaskStore {
  readonly #database: Database;
  readonly #limits: StoreLimits;

  constructor(database: Database, limits: StoreLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  async enqueue(tasks: readonly NewTask[], nowMs: number): Promise<readonly Enqueued[]> {
    // The first of two with one id is kept.
    const payloads = Object.fromEntries(tasks.map(({ id, payload }) => [id, payload]).toReversed());
    const [taken] = await this.#database.write([
      enqueueStatement(tasks, { nowMs, limits: this.#limits }),
      ...termsOf(tasks, nowMs),
      statement(ENQUEUE_PAYLOADS, { payloads: JSON.stringify(payloads) }),
    ]);
    if (taken?.rowsAffected === Object.keys(payloads).length) return tasks.map(() => "queued");
    const ids = JSON.stringify(tasks.map(({ id }) => id));
    const { rows } = await this.#database.read(statement(STATES, { ids }));
    return rows.map(({ state }) => state as Enqueued);
  }

  async enqueueDone(
    { payload, result, createdAtMs, ...task }: DoneTask,
    nowMs: number,
  ): Promise<boolean> {
    const { id } = task;
    const results = await this.#database.write([
      enqueueStatement([task], { nowMs: createdAtMs, limits: this.#limits }),
      ...termsOf([task], createdAtMs),
      statement(ENQUEUE_PAYLOADS, { payloads: JSON.stringify({ [id]: payload }) }),
      statement(STORE_DONE, { id, payload, result, now: nowMs }),
      statement(END_STORED, { id, now: nowMs }),
    ]);
    return (results.at(-1)?.rowsAffected ?? 0) > 0;
  }

  async find(id: string): Promise<Task | undefined> {
    const { rows: [row] } = await this.#database.read(statement(FIND, { id }));
    return row && taskOf(id, row);
  }

  async findEach(ids: readonly string[]): Promise<ReadonlyMap<string, Task>> {
    const { rows } = await this.#database.read(statement(FIND_EACH, { ids: JSON.stringify(ids) }));
    return new Map(rows.map((row) => [String(row.id), taskOf(String(row.id), row)]));
  }

  async payload(id: string): Promise<string | undefined> {
    const { rows: [row] } = await this.#database.read(statement(PAYLOAD, { id }));
    return row && String(row.body);
  }

  async payloadEach(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#database.read(
      statement(PAYLOAD_EACH, { ids: JSON.stringify(ids) }),
    );
    return new Map(rows.map(({ id, body }) => [String(id), String(body)]));
  }

  async ended(ids: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#database.read(statement(ENDED, { ids: JSON.stringify(ids) }));
    return rows.map(({ id }) => String(id));
  }

  async settle({ nowMs, completed = [], failed = [], claim }: Settlement): Promise<Settled> {
    const statements: InStatement[] = [];
    if (completed.length > 0) {
      statements.push(
        statement(STORE_RESULTS, { tasks: JSON.stringify(completed), now: nowMs }),
        statement(END_DONE, { tasks: endedJson(completed), now: nowMs }),
      );
    }
    if (failed.length > 0) {
      statements.push(statement(END_FAILED, { tasks: JSON.stringify(failed), now: nowMs }));
    }
    const claimAt = statements.length;
    if (claim) {
      statements.push(...claimStatements(claim, nowMs));
    }
    // A claim alone may be lost: its tasks are queued then, as if it had not been.
    const results = await this.#database.write(statements, { durable: claimAt > 0 });
    const stored = completed.length > 0 ? results[1]?.rows ?? [] : [];
    const tried = failed.length > 0 ? results[claimAt - 1]?.rows ?? [] : [];
    const claimed = results.slice(claimAt).flatMap(({ rows }) => rows);
    return {
      stored: stored.map(({ id }) => String(id)),
      buried: tried.filter(({ state }) => state === "dead").map(({ id }) => String(id)),
      claimed: claimed.map(claimedTask),
    };
  }

  async extend(tasks: readonly Held[], leaseUntilMs: number): Promise<number> {
    const [extended] = await this.#database.write([
      statement(EXTEND, { tasks: heldJson(tasks), until: leaseUntilMs }),
    ], { durable: false });
    return extended?.rowsAffected ?? 0;
  }

  async rescue({ nowMs, maxAttempts, leaseHorizonMs }: RescueOptions): Promise<number> {
    const [rescued] = await this.#database.write([
      statement(RESCUE, { now: nowMs, attempts: maxAttempts, horizon: leaseHorizonMs }),
    ]);
    return rescued?.rowsAffected ?? 0;
  }

  async nextDueMs(): Promise<number | undefined> {
    const { rows: [row] } = await this.#database.read(
      `SELECT iif(
        EXISTS (SELECT 1 FROM tasks WHERE state = 'queued' AND attempt = 0), 0,
        (SELECT min(due) FROM (${firstRetry(0)} UNION ALL ${firstRetry(1)}))) AS due`,
    );
    return typeof row?.due === "number" ? row.due : undefined;
  }

  close(): void {
    this.#database.close();
  }
}

/** Queues the tasks that the queue takes, as a part of a transaction that also stores their payloads; affects a row for each. */
export function enqueueStatement(
  tasks: readonly Omit<NewTask, "payload">[],
  { nowMs, limits }: { readonly nowMs: number; readonly limits: StoreLimits },
): InStatement {
  // Without what else they carry: payloads are long.
  const asked = tasks.map(({ id, revision, tenant, priority }) => ({
    ...{ id, revision, tenant, priority },
  }));
  const { waitingTasks: waiting, waitingTasksPerTenant: waitingOfTenant } = limits;
  return statement(ENQUEUE_TASKS, {
    ...{ tasks: JSON.stringify(asked), now: nowMs, waiting, waitingOfTenant },
  });
}

/** Of two tasks with one id the first one's, as it is with payloads. */
function termsOf(tasks: readonly Omit<NewTask, "payload">[], nowMs: number): InStatement[] {
  if (tasks.every(({ terms }) => terms === undefined)) return [];
  const first = new Map(tasks.map((task) => [task.id, task] as const).toReversed());
  return termsStatements(
    [...first.values()].flatMap(({ id, terms }) => terms ? [{ ...terms, task: id }] : []),
    nowMs,
  );
}

/** Without the results, which are long. */
function endedJson(tasks: readonly Completed[]): string {
  return JSON.stringify(tasks.map(({ id, fence, revision }) => ({ id, fence, revision })));
}

function heldJson(tasks: readonly Held[]): string {
  return JSON.stringify(tasks.map(({ id, fence }) => ({ id, fence })));
}

function claimStatements(claim: ClaimOptions, nowMs: number): InStatement[] {
  const { leaseMs, limit, batchLimit = limit, retryHorizonMs: horizon, freshFirst = false } = claim;
  const sql = freshFirst ? FRESH_FIRST : RETRY_FIRST;
  const until = nowMs + leaseMs;
  const retry = statement(sql.retry, { until, batchLimit, now: nowMs, horizon });
  const fresh = statement(sql.fresh, { until, limit, batchLimit, now: nowMs, horizon });
  return freshFirst ? [fresh, retry] : [retry, fresh];
}

function claimedTask(row: Readonly<Record<string, unknown>>): ClaimedTask {
  return {
    id: String(row.id),
    payload: String(row.payload),
    attempt: Number(row.attempt),
    fence: Number(row.fence),
    createdAtMs: Number(row.created_at_ms),
  };
}

function taskOf(id: string, row: Readonly<Record<string, unknown>>): Task {
  return {
    id,
    state: row.state as TaskState,
    attempt: Number(row.attempt),
    error: row.error as string | null,
    result: row.result as string | null,
    createdAtMs: Number(row.created_at_ms),
    finishedAtMs: row.finished_at_ms as number | null,
  };
}
