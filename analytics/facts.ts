/**
 * The facts in the database, and their sums. A step of the projector is one transaction that does nothing unless everything is as it
 * was when the step was read, so that neither a second projector, nor one that was killed, nor a commit whose answer was lost counts twice.
 */
import { type Database, statement } from "../database/database.ts";
import type { DayRow, Estimate, Fact, LossRow, Sums, Told, ToldEvent } from "./fact.ts";

/** How far the projector has come. */
export interface Progress {
  readonly number: number;
  readonly serial: number;
}

export interface TaskRow {
  readonly number: number;
  readonly id: string;
  readonly tenant: string;
  readonly ended: boolean;
  readonly createdAtMs: number;
}

/** A fact of which more has been told. */
export interface ChangedFact extends Fact {
  readonly number: number;
  /** Of the telling that was read. */
  readonly version: number;
  readonly events: readonly ToldEvent[];
}

export interface FactStep {
  readonly progress: Progress;
  /** The last task whose fact is there afterwards. */
  readonly to: number;
  readonly added: readonly (Fact & { readonly number: number })[];
  readonly changed: readonly {
    readonly number: number;
    readonly version: number;
    readonly told: Told;
  }[];
  /** What the step changes in the sums. */
  readonly sums: Sums;
}

const PROGRESS = "SELECT number, serial FROM fact_progress";

/** Chunks of batches too, so that the next look begins behind them. */
const NEXT = `
  SELECT number, id, tenant, state IN ('done', 'dead') AS ended, created_at_ms FROM tasks
  WHERE number > :after ORDER BY number LIMIT :limit`;

const CHANGED = `
  SELECT changes.number, version, facts.tenant, day, estimate, told, tasks.id
  FROM fact_changes AS changes JOIN facts USING (number) JOIN tasks USING (number)
  ORDER BY changes.number LIMIT :limit`;

const EVENTS = `
  SELECT application_id, bank, event, decided_at_ms FROM outcome_events
  WHERE application_id IN (SELECT value FROM json_each(:ids))`;

const UNCHANGED = "(SELECT serial FROM fact_progress) = :serial";

const ADD_FACTS = `
  INSERT INTO facts (number, tenant, day, estimate, told)
  SELECT value ->> 'number', value ->> 'tenant', value ->> 'day', value -> 'estimate', value -> 'told'
  FROM json_each(:rows) WHERE ${UNCHANGED}`;

const CHANGE_FACTS = `
  UPDATE facts SET told = changed.value -> 'told' FROM json_each(:rows) AS changed
  WHERE number = changed.value ->> 'number' AND ${UNCHANGED}`;

/** What was told since it was read stays to be looked at. */
const SETTLE = `
  DELETE FROM fact_changes WHERE ${UNCHANGED} AND (number, version) IN (
    SELECT value ->> 'number', value ->> 'version' FROM json_each(:rows))`;

const ADD_DAYS = `
  INSERT INTO fact_days (tenant, day, bank, applied, scored, recommended, sent, decided, approved, funded, expected_permille)
  SELECT value ->> 'tenant', value ->> 'day', value ->> 'bank', value ->> 'applied', value ->> 'scored', value ->> 'recommended',
    value ->> 'sent', value ->> 'decided', value ->> 'approved', value ->> 'funded', value ->> 'expectedPermille'
  FROM json_each(:rows) WHERE ${UNCHANGED}
  ON CONFLICT DO UPDATE SET applied = applied + excluded.applied, scored = scored + excluded.scored,
    recommended = recommended + excluded.recommended, sent = sent + excluded.sent, decided = decided + excluded.decided,
    approved = approved + excluded.approved, funded = funded + excluded.funded,
    expected_permille = expected_permille + excluded.expected_permille`;

const ADD_LOSSES = `
  INSERT INTO fact_losses (tenant, day, kind, code, clients, permille)
  SELECT value ->> 'tenant', value ->> 'day', value ->> 'kind', value ->> 'code', value ->> 'clients', value ->> 'permille'
  FROM json_each(:rows) WHERE ${UNCHANGED}
  ON CONFLICT DO UPDATE SET clients = clients + excluded.clients, permille = permille + excluded.permille`;

const PROCEED = `
  UPDATE fact_progress SET number = :to, serial = serial + 1 WHERE serial = :serial`;

const DAYS = `
  SELECT tenant, day, bank, applied, scored, recommended, sent, decided, approved, funded,
    expected_permille AS expectedPermille
  FROM fact_days WHERE tenant = :tenant AND day BETWEEN :from AND :to ORDER BY day, bank`;

const LOSSES = `
  SELECT tenant, day, kind, code, clients, permille FROM fact_losses
  WHERE tenant = :tenant AND day BETWEEN :from AND :to ORDER BY day, kind, code`;

/** The statements that pages use. */
export const READ_STATEMENTS = [DAYS, LOSSES] as const;

/** Days since the epoch, both inclusive. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

export class FactStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async progress(): Promise<Progress> {
    const { rows: [row] } = await this.#database.read(PROGRESS);
    return { number: Number(row?.number), serial: Number(row?.serial) };
  }

  /** The tasks after a number, in their order. */
  async next(after: number, limit: number): Promise<readonly TaskRow[]> {
    const { rows } = await this.#database.read(statement(NEXT, { after, limit }));
    return rows.map((row) => ({
      number: Number(row.number),
      id: String(row.id),
      tenant: String(row.tenant),
      ended: Number(row.ended) === 1,
      createdAtMs: Number(row.created_at_ms),
    }));
  }

  async changed(limit: number): Promise<readonly ChangedFact[]> {
    const { rows } = await this.#database.read(statement(CHANGED, { limit }));
    if (rows.length === 0) return [];
    const ids = JSON.stringify(rows.map(({ id }) => id));
    const told = await this.#database.read(statement(EVENTS, { ids }));
    const events = Map.groupBy(told.rows, ({ application_id }) => String(application_id));
    return rows.map((row) => ({
      number: Number(row.number),
      version: Number(row.version),
      tenant: String(row.tenant),
      day: Number(row.day),
      estimate: JSON.parse(String(row.estimate)) as Estimate,
      told: JSON.parse(String(row.told)) as Told,
      events: (events.get(String(row.id)) ?? []).map(({ bank, event, decided_at_ms }) => ({
        bank: String(bank),
        event: event as ToldEvent["event"],
        decidedAtMs: Number(decided_at_ms),
      })),
    }));
  }

  /** Whether the step was taken; where not, something has moved since it was read. A power cut may take it back, whole. */
  async take({ progress: { serial }, to, added, changed, sums }: FactStep): Promise<boolean> {
    const rows = (values: readonly unknown[]) => ({ rows: JSON.stringify(values), serial });
    const results = await this.#database.write([
      statement(ADD_FACTS, rows(added)),
      statement(CHANGE_FACTS, rows(changed)),
      statement(SETTLE, rows(changed)),
      statement(ADD_DAYS, rows(sums.days)),
      statement(ADD_LOSSES, rows(sums.losses)),
      statement(PROCEED, { to, serial }),
    ], { durable: false });
    return results.at(-1)?.rowsAffected === 1;
  }

  async days(tenant: string, { from, to }: DayRange): Promise<readonly DayRow[]> {
    const { rows } = await this.#database.read(statement(DAYS, { tenant, from, to }));
    return rows.map((row) => ({ ...row }) as unknown as DayRow);
  }

  async losses(tenant: string, { from, to }: DayRange): Promise<readonly LossRow[]> {
    const { rows } = await this.#database.read(statement(LOSSES, { tenant, from, to }));
    return rows.map((row) => ({ ...row }) as unknown as LossRow);
  }
}
