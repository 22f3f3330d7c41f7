/**
 * What an operator does to the queue by hand: look, give dead tasks another life, throw old ones away, and the same for what
 * could not be told to an address. Safe beside running
 * processes: each step is one transaction, a short one, and a task that was given back has a fence of its own.
 */
import { type Database, type Rows, statement } from "../database/database.ts";
import { QUEUE } from "./fairness.ts";
import type { TaskState } from "./store.ts";

export interface ListedTask {
  readonly id: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly error: string | null;
}

/** A delivery that no address took. */
export interface GivenUp {
  readonly eventId: string;
  readonly endpointId: string;
  readonly attempt: number;
  readonly occurredAtMs: number;
  readonly error: string;
}

const COUNT = "SELECT state, count(*) AS n FROM tasks GROUP BY state ORDER BY state";

const LIST = `
  SELECT id, state, attempt, created_at_ms, error FROM tasks
  WHERE state = :state ORDER BY created_at_ms, id LIMIT :limit`;

/** They take their tenants' next turns, as if they were uploaded now; a tenant whose tasks all ended before version 2 has none. */
const REQUEUE = `
  WITH chosen AS (
    SELECT id, priority, tenant,
      row_number() OVER (PARTITION BY priority, tenant ORDER BY created_at_ms, number) - 1 AS place
    FROM tasks
    WHERE state = 'dead' AND (:all OR id IN (SELECT value FROM json_each(:ids)))
  ),${QUEUE}
  UPDATE tasks
  SET state = 'queued', attempt = 0, run_at_ms = :now, finished_at_ms = NULL,
    turn = max(coalesce(tenants.turn, 0), coalesce(queue.turn, 0)) + place
  FROM chosen LEFT JOIN tenants USING (priority, tenant) LEFT JOIN queue USING (priority)
  WHERE tasks.id = chosen.id
  RETURNING tasks.id`;

const OLD = "SELECT number FROM tasks WHERE state = :state AND finished_at_ms < :before";

/** A task may have been started again since its number was read. */
const OLD_OF_STEP = `${OLD} AND number IN (SELECT value FROM json_each(:numbers))`;

const GIVEN_UP = `
  SELECT event_id, endpoint_id, attempt, occurred_at_ms, error FROM webhook_deliveries
  WHERE run_at_ms IS NULL ORDER BY occurred_at_ms, event_id, endpoint_id LIMIT :limit`;

const RESEND = `
  UPDATE webhook_deliveries SET attempt = 0, run_at_ms = :now
  WHERE run_at_ms IS NULL AND (:all OR event_id IN (SELECT value FROM json_each(:ids)))
  RETURNING event_id`;

/** Tasks removed in one transaction: while it runs, nobody else's is written. */
const PURGE_STEP = 2000;

export class QueueAdmin {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** How many tasks are in each state; a state without tasks is left out. */
  async count(): Promise<ReadonlyMap<TaskState, number>> {
    const { rows } = await this.#database.read(COUNT);
    return new Map(rows.map(({ state, n }) => [state as TaskState, Number(n)]));
  }

  /** The oldest tasks in a state. */
  async list(state: TaskState, limit: number): Promise<readonly ListedTask[]> {
    const { rows } = await this.#database.read(statement(LIST, { state, limit }));
    return rows.map((row) => ({
      id: String(row.id),
      state: row.state as TaskState,
      attempt: Number(row.attempt),
      createdAtMs: Number(row.created_at_ms),
      error: row.error as string | null,
    }));
  }

  /** Queues dead tasks again with all their attempts; returns the ids of those that were dead. */
  async requeue(ids: readonly string[] | "all", nowMs: number): Promise<readonly string[]> {
    const [requeued] = await this.#database.write([statement(REQUEUE, chosen(ids, nowMs))]);
    return idsOf(requeued);
  }

  /** The oldest deliveries that were given up. */
  async givenUp(limit: number): Promise<readonly GivenUp[]> {
    const { rows } = await this.#database.read(statement(GIVEN_UP, { limit }));
    return rows.map((row) => ({
      eventId: String(row.event_id),
      endpointId: String(row.endpoint_id),
      attempt: Number(row.attempt),
      occurredAtMs: Number(row.occurred_at_ms),
      error: String(row.error),
    }));
  }

  /** Has events that were given up sent again with all their attempts; returns the event's id for each address. */
  async resend(eventIds: readonly string[] | "all", nowMs: number): Promise<readonly string[]> {
    const [resent] = await this.#database.write([statement(RESEND, chosen(eventIds, nowMs))]);
    return (resent?.rows ?? []).map(({ event_id }) => String(event_id));
  }

  /**
   * Removes the tasks that ended in this state before a time, with their payloads and results; returns their ids. Where it fails,
   * some of them are gone, each wholly.
   */
  async purge(state: "done" | "dead", beforeMs: number): Promise<readonly string[]> {
    const old = { state, before: beforeMs };
    const { rows } = await this.#database.read(statement(OLD, old));
    const removed: string[] = [];
    for (let at = 0; at < rows.length; at += PURGE_STEP) {
      const numbers = rows.slice(at, at + PURGE_STEP).map(({ number }) => Number(number));
      const step = { ...old, numbers: JSON.stringify(numbers) };
      const results = await this.#database.write([
        statement(`DELETE FROM results WHERE number IN (${OLD_OF_STEP})`, step),
        statement(`DELETE FROM payloads WHERE number IN (${OLD_OF_STEP})`, step),
        statement(`DELETE FROM tasks WHERE number IN (${OLD_OF_STEP}) RETURNING id`, step),
      ]);
      removed.push(...idsOf(results.at(-1)));
    }
    return removed;
  }
}

function chosen(ids: readonly string[] | "all", nowMs: number) {
  const all = ids === "all";
  return { now: nowMs, all: all ? 1 : 0, ids: JSON.stringify(all ? [] : ids) };
}

function idsOf(rows: Rows | undefined): readonly string[] {
  return (rows?.rows ?? []).map(({ id }) => String(id));
}
