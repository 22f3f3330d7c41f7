/**
 * What banks decided, as it is told afterwards: any number of times, in any order, and changed by the bank later. Of one application
 * and bank the latest decision counts, whenever it came.
 */
import { type Database, statement } from "../database/database.ts";
import type { Judged } from "./change_points.ts";
import { type OutcomeEvent, STEPS } from "./events.ts";
import type { Counts } from "./ledger.ts";
import { decodeBins, encodeBins } from "./segments.ts";

export interface Outcome {
  /** As the queue stores it. */
  readonly applicationId: string;
  readonly tenant: string;
  readonly bank: string;
  readonly event: OutcomeEvent;
  readonly decidedAtMs: number;
  /** The probability that was given, in [0, 1]. */
  readonly probability: number;
  /** The application's bins, by `analytics/segments.ts`. */
  readonly bins: Uint8Array;
  /** What the bank really gave, in the currency of its products; of an approval or a loan alone. */
  readonly amount?: number;
  /** Months. */
  readonly term?: number;
}

/** The loan that a bank gave, as far as it was told. */
export interface GivenLoan {
  readonly amount: number | undefined;
  /** Months. */
  readonly term: number | undefined;
}

/** One that was erased since it was looked up takes nothing more. */
const IS_THERE = "EXISTS (SELECT 1 FROM tasks WHERE id = value ->> 'applicationId')";

const ADD_EVENTS = `
  INSERT INTO outcome_events (application_id, bank, decided_at_ms, event, recorded_at_ms, amount, term_months)
  SELECT value ->> 'applicationId', value ->> 'bank', value ->> 'decidedAtMs', value ->> 'event', :now,
    value ->> 'amount', value ->> 'term'
  FROM json_each(:outcomes) WHERE ${IS_THERE}
  ON CONFLICT DO UPDATE SET amount = coalesce(amount, excluded.amount), term_months = coalesce(term_months, excluded.term_months)
  WHERE (amount IS NULL AND excluded.amount IS NOT NULL) OR (term_months IS NULL AND excluded.term_months IS NOT NULL)`;

const DECIDE = `
  INSERT INTO outcomes (application_id, bank, tenant, permille, approved, decided_at_ms, step, segments)
  SELECT value ->> 'applicationId', value ->> 'bank', value ->> 'tenant', value ->> 'permille',
    (value ->> 'step') > 0, value ->> 'decidedAtMs', value ->> 'step', value ->> 'segments'
  FROM json_each(:outcomes) WHERE value ->> 'step' IS NOT NULL AND ${IS_THERE}
  ON CONFLICT DO UPDATE SET approved = excluded.approved, decided_at_ms = excluded.decided_at_ms, step = excluded.step
  WHERE (excluded.decided_at_ms, excluded.step) > (outcomes.decided_at_ms, outcomes.step)`;

/** What was told last of the loan, up to the decision that counts. */
const GIVEN = (column: "amount" | "term_months") => `
  ${column} = CASE WHEN approved THEN (
    SELECT ${column} FROM outcome_events AS told
    WHERE told.application_id = outcomes.application_id AND told.bank = outcomes.bank
      AND told.decided_at_ms <= outcomes.decided_at_ms AND told.${column} IS NOT NULL
    ORDER BY told.decided_at_ms DESC, told.event = 'funded' DESC LIMIT 1) END`;

const GIVE = `
  UPDATE outcomes SET ${GIVEN("amount")}, ${GIVEN("term_months")}
  WHERE (application_id, bank) IN (
    SELECT value ->> 'applicationId', value ->> 'bank' FROM json_each(:outcomes))`;

const LOANS = `
  SELECT application_id, bank, amount, term_months FROM outcomes
  WHERE application_id IN (SELECT value FROM json_each(:ids)) AND coalesce(amount, term_months) IS NOT NULL`;

const COUNTS = `
  SELECT bank, permille, approved, refused FROM outcome_counts
  WHERE tenant = :tenant AND approved + refused > 0 ORDER BY bank, permille`;

const LATEST = `
  SELECT permille, approved, decided_at_ms, segments FROM outcomes
  WHERE tenant = :tenant AND bank = :bank ORDER BY decided_at_ms DESC LIMIT :limit`;

const KNOWN = `
  SELECT application_id, bank, approved FROM outcomes
  WHERE application_id IN (SELECT value FROM json_each(:ids))`;

export class OutcomeStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Stores all of them or none; resolves, when they are on disk, with how many were not known before. */
  async record(outcomes: readonly Outcome[], nowMs: number): Promise<number> {
    const rows = outcomes.map(({ probability, event, bins, ...outcome }) => ({
      ...{ ...outcome, event, permille: Math.round(probability * 1000) },
      step: STEPS[event] ?? null,
      segments: encodeBins(bins),
    }));
    const text = JSON.stringify(rows);
    const [added] = await this.#database.write([
      statement(ADD_EVENTS, { outcomes: text, now: nowMs }),
      statement(DECIDE, { outcomes: text }),
      statement(GIVE, { outcomes: text }),
    ]);
    return added?.rowsAffected ?? 0;
  }

  /** How often each probability of each bank came true, in the order of the probabilities. */
  async counts(tenant: string): Promise<ReadonlyMap<string, readonly Counts[]>> {
    const { rows } = await this.#database.read(statement(COUNTS, { tenant }));
    const counted = rows.map(({ bank, permille, approved, refused }) => ({
      bank: String(bank),
      probability: Number(permille) / 1000,
      approved: Number(approved),
      refused: Number(refused),
    }));
    return Map.groupBy(counted, ({ bank }) => bank);
  }

  /** A bank's latest decisions, the oldest first, each with so many splits. */
  async latest(
    { tenant, bank, splits, limit }: {
      readonly tenant: string;
      readonly bank: string;
      readonly splits: number;
      readonly limit: number;
    },
  ): Promise<Judged[]> {
    const { rows } = await this.#database.read(statement(LATEST, { tenant, bank, limit }));
    return rows.map(({ permille, approved, decided_at_ms, segments }) => ({
      probability: Number(permille) / 1000,
      approved: Number(approved) === 1,
      decidedAtMs: Number(decided_at_ms),
      bins: decodeBins(String(segments), splits),
    })).reverse();
  }

  /** What each bank gave, of those of these applications of which it was told; by the stored ids, and the bank. */
  async loansOf(
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<Record<string, GivenLoan>>>> {
    const { rows } = await this.#database.read(statement(LOANS, { ids: JSON.stringify(ids) }));
    const known = new Map<string, Record<string, GivenLoan>>();
    for (const { application_id, bank, amount, term_months } of rows) {
      const id = String(application_id);
      const loan = {
        amount: amount === null ? undefined : Number(amount),
        term: term_months === null ? undefined : Number(term_months),
      };
      known.set(id, { ...known.get(id), [String(bank)]: loan });
    }
    return known;
  }

  /** Whether each bank approved, of those of these applications that are known; by the stored ids. */
  async decisionsOf(
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<Record<string, boolean>>>> {
    const { rows } = await this.#database.read(statement(KNOWN, { ids: JSON.stringify(ids) }));
    const known = new Map<string, Record<string, boolean>>();
    for (const { application_id, bank, approved } of rows) {
      const id = String(application_id);
      known.set(id, { ...known.get(id), [String(bank)]: Number(approved) === 1 });
    }
    return known;
  }
}
