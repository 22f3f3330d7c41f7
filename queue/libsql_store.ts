/** The queue in a libSQL database: every state change is one statement, or one transaction of a few. */
import type { InStatement } from "@libsql/client";
import { termsStatements } from "../consent/mod.ts";
import { type Database, type Rows, statement } from "../database/database.ts";
import {
  type DataKey,
  openBodies,
  packed,
  sealBody,
  SealError,
  type StoredBody,
  tryOpenBodies,
  type Vault,
} from "../sealing/mod.ts";
import { QUEUE } from "./fairness.ts";
import type {
  ClaimedTask,
  ClaimOptions,
  Completed,
  DoneTask,
  Enqueued,
  Failed,
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

/** `:places` says which bytes of `:sealed` are whose, and under which key: bytes in JSON would be twice as many. */
const ENQUEUE_PAYLOADS = `
  INSERT INTO payloads (number, body, key, sealed)
  SELECT number, 'null', asked.value ->> 'key',
    substr(:sealed, asked.value ->> 'from', asked.value ->> 'length')
  FROM json_each(:places) AS asked JOIN tasks ON tasks.id = asked.value ->> 'id' WHERE true
  ON CONFLICT DO NOTHING`;

/** Of a task that nobody has claimed, and that is stored with the payload under this key. */
const STORE_DONE = `
  INSERT INTO results (number, body, sealed, fence, created_at_ms)
  SELECT number, 'null', :result, 1, :now FROM tasks JOIN payloads USING (number)
  WHERE id = :id AND state = 'queued' AND fence = 0 AND key = :key`;

/** Follows STORE_DONE, and ends nothing where that stored nothing. */
const END_STORED = `
  UPDATE tasks SET state = 'done', attempt = 1, fence = 1, finished_at_ms = :now
  WHERE id = :id AND state = 'queued' AND changes() > 0`;

/** A task that the queue did not take is not there. */
const STATES = `
  SELECT coalesce(tasks.state, 'refused') AS state FROM json_each(:ids) AS asked
  LEFT JOIN tasks ON tasks.id = asked.value
  ORDER BY asked.key`;

/** Of a task without a result no key is looked for. */
const TASK = `
  tasks.id, state, attempt, error, tasks.created_at_ms, finished_at_ms, results.body, results.sealed,
  (SELECT key FROM payloads WHERE payloads.number = results.number) AS key`;

const FIND = `
  SELECT ${TASK} FROM tasks LEFT JOIN results USING (number)
  WHERE tasks.id = :id`;

const FIND_EACH = `
  SELECT ${TASK}
  FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value LEFT JOIN results USING (number)`;

const PAYLOAD_EACH = `
  SELECT tasks.id, fence, state, payloads.key, sealed, body FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value JOIN payloads USING (number)`;

const ENDED = `
  SELECT tasks.id FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value
  WHERE tasks.state IN ('done', 'dead')`;

const CLAIM = `
  UPDATE tasks
  SET state = 'leased', attempt = attempt + 1, fence = fence + 1, lease_until_ms = :until
  WHERE number IN (`;

const CLAIMED = `)
  RETURNING id, attempt, fence, created_at_ms,
    ${
  ["key", "body", "sealed"]
    .map((column) =>
      `(SELECT ${column} FROM payloads WHERE payloads.number = tasks.number) AS ${column}`
    )
}`;

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
  INSERT INTO results (number, body, sealed, fence, created_at_ms)
  SELECT tasks.number, coalesce(ended.value ->> 'result', 'null'),
    substr(:sealed, ended.value ->> 'from', ended.value ->> 'length'), tasks.fence, :now
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

/** Claimed tasks whose keys are remembered: more than any process has at work. */
const REMEMBERED = 10_000;
/** Payloads that are kept in memory for their claim: 8 MB. */
const KEPT_FRESH = { payloads: 4096, characters: 2048 } as const;

export interface StoreParts {
  readonly limits: StoreLimits;
  readonly vault: Pick<Vault, "take" | "taken" | "keys" | "close">;
}

export class LibsqlStore implements TaskStore {
  readonly #database: Database;
  readonly #limits: StoreLimits;
  readonly #vault: StoreParts["vault"];
  /** Under which their results are sealed; null: their payload is stored in clear. */
  readonly #claimed = new Map<string, number | null>();
  /** Payloads that this process sealed a moment ago, by the numbers of their keys: it will most likely claim them. */
  readonly #fresh = new Map<number, string>();

  constructor(database: Database, { limits, vault }: StoreParts) {
    this.#database = database;
    this.#limits = limits;
    this.#vault = vault;
  }

  async enqueue(tasks: readonly NewTask[], nowMs: number): Promise<readonly Enqueued[]> {
    // The first of two with one id is kept.
    const payloads = new Map(tasks.map(({ id, payload }) => [id, payload] as const).toReversed());
    // Without a pause where the keys are ready, so that a claim that is asked for next finds the tasks.
    const keys = this.#vault.take(payloads.size) ?? await this.#vault.taken(payloads.size);
    const [taken] = await this.#database.write([
      enqueueStatement(tasks, { nowMs, limits: this.#limits }),
      ...termsOf(tasks, nowMs),
      payloadsStatement(payloads, keys),
    ]);
    if (taken?.rowsAffected === payloads.size) {
      this.#keepFresh([...payloads.values()], keys);
      return tasks.map(() => "queued");
    }
    const ids = JSON.stringify(tasks.map(({ id }) => id));
    const { rows } = await this.#database.read(statement(STATES, { ids }));
    return rows.map(({ state }) => state as Enqueued);
  }

  async enqueueDone(
    { payload, result, createdAtMs, ...task }: DoneTask,
    nowMs: number,
  ): Promise<boolean> {
    const { id } = task;
    const [key] = this.#vault.take(1) ?? await this.#vault.taken(1);
    if (key === undefined) throw new Error("the vault gave no key");
    const results = await this.#database.write([
      enqueueStatement([task], { nowMs: createdAtMs, limits: this.#limits }),
      ...termsOf([task], createdAtMs),
      payloadsStatement(new Map([[id, payload]]), [key]),
      ...doneStatements({ id, result, key, nowMs }),
    ]);
    if ((results.at(-1)?.rowsAffected ?? 0) > 0) return true;
    // Perhaps it waits with this very payload, under another key.
    const known = await this.#waiting(id);
    if (known?.payload !== payload) return false;
    const again = await this.#database.write(doneStatements({ id, result, key: known.key, nowMs }));
    return (again.at(-1)?.rowsAffected ?? 0) > 0;
  }

  async find(id: string): Promise<Task | undefined> {
    const { rows } = await this.#database.read(statement(FIND, { id }));
    return (await this.#tasksOf(rows))[0];
  }

  async findEach(ids: readonly string[]): Promise<ReadonlyMap<string, Task>> {
    const { rows } = await this.#database.read(statement(FIND_EACH, { ids: JSON.stringify(ids) }));
    return new Map((await this.#tasksOf(rows)).map((task) => [task.id, task]));
  }

  async payload(id: string): Promise<string | undefined> {
    return (await this.payloadEach([id])).get(id);
  }

  async payloadEach(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#payloadRows(ids);
    const texts = await openBodies(this.#vault, rows.map((row) => bodyOf("payload", row)));
    return new Map(rows.map(({ id }, at) => [String(id), String(texts[at])]));
  }

  async ended(ids: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#database.read(statement(ENDED, { ids: JSON.stringify(ids) }));
    return rows.map(({ id }) => String(id));
  }

  async settle({ nowMs, completed = [], failed = [], claim }: Settlement): Promise<Settled> {
    const { bytes, places, ended, lost } = await this.#sealed(completed);
    const given = [...failed, ...lost];
    const statements: InStatement[] = [];
    if (ended.length > 0) {
      statements.push(
        statement(STORE_RESULTS, { tasks: places, sealed: bytes, now: nowMs }),
        statement(END_DONE, { tasks: endedJson(ended), now: nowMs }),
      );
    }
    if (given.length > 0) statements.push(failedStatement(given, nowMs));
    const claimAt = statements.length;
    if (claim) {
      statements.push(...claimStatements(claim, nowMs));
    }
    // A claim alone may be lost: its tasks are queued then, as if it had not been.
    const results = statements.length > 0
      ? await this.#database.write(statements, { durable: claimAt > 0 })
      : [];
    const stored = ended.length > 0 ? results[1]?.rows ?? [] : [];
    const tried = given.length > 0 ? results[claimAt - 1]?.rows ?? [] : [];
    const claimed = await this.#opened(results.slice(claimAt).flatMap(({ rows }) => rows), nowMs);
    for (const { id } of [...ended, ...given]) this.#claimed.delete(id);
    for (const { id, key } of claimed.keys) this.#claimed.set(id, key);
    if (this.#claimed.size > REMEMBERED) this.#claimed.clear();
    return {
      stored: stored.map(({ id }) => String(id)),
      buried: [...buriedIds(tried), ...claimed.buried],
      claimed: claimed.tasks,
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
    this.#vault.close();
  }

  /** Of a task that nobody has claimed, and whose payload is sealed. */
  async #waiting(
    id: string,
  ): Promise<{ readonly payload: string; readonly key: DataKey } | undefined> {
    const [row] = await this.#payloadRows([id]);
    if (row?.state !== "queued" || Number(row.fence) > 0 || row.key === null) return undefined;
    const number = Number(row.key);
    const [payload] = await openBodies(this.#vault, [bodyOf("payload", row)]);
    const bytes = (await this.#vault.keys([number])).get(number);
    return bytes && { payload: String(payload), key: { number, bytes } };
  }

  async #payloadRows(ids: readonly string[]): Promise<Rows["rows"]> {
    return (await this.#database.read(statement(PAYLOAD_EACH, { ids: JSON.stringify(ids) }))).rows;
  }

  async #tasksOf(rows: Rows["rows"]): Promise<Task[]> {
    const results = await openBodies(this.#vault, rows.map((row) => bodyOf("result", row)));
    return rows.map((row, at) => taskOf(row, results[at] ?? null));
  }

  /** Seals results under their applications' keys. `ended` are those that can be stored; what has no key any more is given up. */
  async #sealed(completed: readonly Completed[]) {
    const unknown = completed.map(({ id }) => id).filter((id) => !this.#claimed.has(id));
    const known = new Map(
      completed.flatMap(({ id }) => {
        const key = this.#claimed.get(id);
        return key === undefined ? [] : [[id, key] as const];
      }),
    );
    for (const { id, key } of unknown.length > 0 ? await this.#payloadRows(unknown) : []) {
      known.set(String(id), key === null ? null : Number(key));
    }
    const numbers = [...known.values()].filter((number) => number !== null);
    const keys = numbers.length > 0
      ? await this.#vault.keys(numbers)
      : new Map<number, Uint8Array>();
    const ended: Completed[] = [];
    const lost: Failed[] = [];
    const bodies: { readonly sealed: Uint8Array; readonly fields: object }[] = [];
    for (const each of completed) {
      const { id, fence, result } = each;
      const number = known.get(id) ?? null;
      const key = number === null ? undefined : keys.get(number);
      if (number !== null && key === undefined) {
        const error = `its result cannot be kept: its key, number ${number}, is destroyed`;
        lost.push({ id, fence, error, retryAtMs: null });
        continue;
      }
      ended.push(each);
      bodies.push(
        key === undefined
          ? { sealed: new Uint8Array(), fields: { id, fence, result } }
          : { sealed: sealBody("result", { id, text: result, key }), fields: { id, fence } },
      );
    }
    return { ...packed(bodies), ended, lost };
  }

  #keepFresh(payloads: readonly string[], keys: readonly DataKey[]): void {
    for (const [at, { number }] of keys.entries()) {
      const text = payloads[at];
      if (text !== undefined && text.length <= KEPT_FRESH.characters) this.#fresh.set(number, text);
    }
    for (const number of this.#fresh.keys()) {
      if (this.#fresh.size <= KEPT_FRESH.payloads) break;
      this.#fresh.delete(number);
    }
  }

  #takeFresh(key: number): string | undefined {
    const text = this.#fresh.get(key);
    if (text !== undefined) this.#fresh.delete(key);
    return text;
  }

  /** What was claimed; that whose payload cannot be read is buried with the cause. */
  async #opened(rows: Rows["rows"], nowMs: number) {
    const fresh = rows.map(({ key }) => this.#takeFresh(Number(key)));
    const unread = rows.filter((_, at) => fresh[at] === undefined);
    const opened = await tryOpenBodies(this.#vault, unread.map((row) => bodyOf("payload", row)));
    const texts = fresh.map((text) => text ?? opened.shift() ?? null);
    const tasks: ClaimedTask[] = [];
    const lost: Failed[] = [];
    for (const [at, row] of rows.entries()) {
      const text = texts[at];
      if (text instanceof SealError) {
        const [id, fence] = [String(row.id), Number(row.fence)];
        lost.push({ id, fence, error: text.message, retryAtMs: null });
      } else tasks.push(claimedTask(row, String(text)));
    }
    const results = lost.length > 0
      ? await this.#database.write([failedStatement(lost, nowMs)])
      : [];
    const keys = rows.map(({ id, key }) => ({
      id: String(id),
      key: key === null ? null : Number(key),
    }));
    return { tasks, keys, buried: buriedIds(results[0]?.rows ?? []) };
  }
}

function payloadsStatement(
  payloads: ReadonlyMap<string, string>,
  keys: readonly DataKey[],
): InStatement {
  const { bytes, places } = packed([...payloads].flatMap(([id, text], at) => {
    const key = keys[at];
    if (key === undefined) throw new Error(`the vault gave ${keys.length} keys`);
    const sealed = sealBody("payload", { id, text, key: key.bytes });
    return [{ sealed, fields: { id, key: key.number } }];
  }));
  return statement(ENQUEUE_PAYLOADS, { places, sealed: bytes });
}

function doneStatements(
  { id, result, key, nowMs }: { id: string; result: string; key: DataKey; nowMs: number },
): InStatement[] {
  const sealed = sealBody("result", { id, text: result, key: key.bytes });
  return [
    statement(STORE_DONE, { id, key: key.number, result: sealed, now: nowMs }),
    statement(END_STORED, { id, now: nowMs }),
  ];
}

function failedStatement(failed: readonly Failed[], nowMs: number): InStatement {
  return statement(END_FAILED, { tasks: JSON.stringify(failed), now: nowMs });
}

function buriedIds(rows: Rows["rows"]): string[] {
  return rows.filter(({ state }) => state === "dead").map(({ id }) => String(id));
}

function bodyOf(kind: "payload" | "result", row: Rows["rows"][number]): StoredBody {
  const { id, key, body, sealed } = row;
  return { kind, id: String(id), key, body, sealed };
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

function claimedTask(row: Rows["rows"][number], payload: string): ClaimedTask {
  return {
    id: String(row.id),
    payload,
    attempt: Number(row.attempt),
    fence: Number(row.fence),
    createdAtMs: Number(row.created_at_ms),
  };
}

function taskOf(row: Rows["rows"][number], result: string | null): Task {
  return {
    id: String(row.id),
    state: row.state as TaskState,
    attempt: Number(row.attempt),
    error: row.error as string | null,
    result,
    createdAtMs: Number(row.created_at_ms),
    finishedAtMs: row.finished_at_ms as number | null,
  };
}
