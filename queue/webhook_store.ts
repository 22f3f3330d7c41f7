/**
 * What is still to be told to the configured addresses. A delivery is written by the transaction that ends its task (migration 3),
 * and stays until it was taken or given up. Claiming one moves its time past the sender's lease: a sender that dies leaves it to
 * the next, so it may be delivered twice, and never not at all.
 */
import { type Database, statement } from "../database/database.ts";

export type WebhookEventType = "application.decided" | "application.failed" | "batch.finished";

export interface Delivery {
  /** The same for every address and every attempt. */
  readonly eventId: string;
  readonly endpointId: string;
  readonly type: WebhookEventType;
  /** The application's or the batch's id. */
  readonly subject: string;
  readonly occurredAtMs: number;
  /** 1 for the first. */
  readonly attempt: number;
}

export interface FailedDelivery extends Pick<Delivery, "eventId" | "endpointId" | "attempt"> {
  readonly error: string;
  /** When to try again, or `null` to give up. */
  readonly retryAtMs: number | null;
}

const FORGET_ENDPOINTS = `
  DELETE FROM webhook_endpoints WHERE id NOT IN (SELECT value FROM json_each(:ids))`;

const FORGET_DELIVERIES = `
  DELETE FROM webhook_deliveries WHERE endpoint_id NOT IN (SELECT value FROM json_each(:ids))`;

const ADD_ENDPOINTS = `
  INSERT INTO webhook_endpoints (id, tenant)
  SELECT value ->> 'id', value ->> 'tenant' FROM json_each(:endpoints) WHERE true
  ON CONFLICT DO UPDATE SET tenant = excluded.tenant`;

const CLAIM = `
  UPDATE webhook_deliveries SET attempt = attempt + 1, run_at_ms = :until
  WHERE (event_id, endpoint_id) IN (
    SELECT event_id, endpoint_id FROM webhook_deliveries
    WHERE run_at_ms <= :now ORDER BY run_at_ms LIMIT :limit
  )
  RETURNING event_id, endpoint_id, type, subject, occurred_at_ms, attempt`;

const DELIVERED = `
  DELETE FROM webhook_deliveries WHERE (event_id, endpoint_id) IN (
    SELECT value ->> 'eventId', value ->> 'endpointId' FROM json_each(:deliveries)
  )`;

/** Of an attempt that nobody has taken over. */
const FAILED = `
  UPDATE webhook_deliveries
  SET run_at_ms = failed.value ->> 'retryAtMs', error = failed.value ->> 'error'
  FROM json_each(:deliveries) AS failed
  WHERE event_id = failed.value ->> 'eventId' AND endpoint_id = failed.value ->> 'endpointId'
    AND attempt = failed.value ->> 'attempt'`;

const NEXT_DUE = "SELECT min(run_at_ms) AS due FROM webhook_deliveries WHERE run_at_ms IS NOT NULL";

/** An address, and the tenant whose events it is told. */
export interface ConfiguredEndpoint {
  readonly id: string;
  readonly tenant: string;
}

export interface ClaimDeliveries {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly limit: number;
}

export class WebhookStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Says which addresses there are from now on; what others were still to be told is dropped. */
  async configure(endpoints: readonly ConfiguredEndpoint[]): Promise<void> {
    const { rows } = await this.#database.read(
      "SELECT id, tenant FROM webhook_endpoints ORDER BY id",
    );
    const wanted = endpoints.map(({ id, tenant }) => ({ id, tenant }))
      .toSorted((one, other) => one.id < other.id ? -1 : 1);
    const there = rows.map(({ id, tenant }) => ({ id, tenant }));
    // Most starts change nothing, and then pay for no commit.
    if (JSON.stringify(there) === JSON.stringify(wanted)) return;
    const ids = JSON.stringify(wanted.map(({ id }) => id));
    await this.#database.write([
      ...[FORGET_ENDPOINTS, FORGET_DELIVERIES].map((sql) => statement(sql, { ids })),
      statement(ADD_ENDPOINTS, { endpoints: JSON.stringify(wanted) }),
    ]);
  }

  async claim({ nowMs, leaseMs, limit }: ClaimDeliveries): Promise<readonly Delivery[]> {
    const [claimed] = await this.#database.write([
      statement(CLAIM, { now: nowMs, until: nowMs + leaseMs, limit }),
    ]);
    return (claimed?.rows ?? []).map((row) => ({
      eventId: String(row.event_id),
      endpointId: String(row.endpoint_id),
      type: row.type as WebhookEventType,
      subject: String(row.subject),
      occurredAtMs: Number(row.occurred_at_ms),
      attempt: Number(row.attempt),
    }));
  }

  async settle(
    delivered: readonly Pick<Delivery, "eventId" | "endpointId">[],
    failed: readonly FailedDelivery[],
  ): Promise<void> {
    await this.#database.write([
      statement(DELIVERED, { deliveries: JSON.stringify(delivered) }),
      statement(FAILED, { deliveries: JSON.stringify(failed) }),
    ]);
  }

  /** When the next delivery is due, or `undefined` where none waits. */
  async nextDueMs(): Promise<number | undefined> {
    const { rows: [row] } = await this.#database.read(NEXT_DUE);
    return typeof row?.due === "number" ? row.due : undefined;
  }
}
