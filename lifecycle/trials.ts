/** Trials in the database: what a challenger and its champion gave the same applications, 4 bytes a probability. */
import type { InStatement } from "@libsql/client";
import { type Database, statement } from "../database/database.ts";

/** Which versions are compared, and over which banks, in the order of the scores. */
export interface Pair {
  readonly champion: string;
  readonly challenger: string;
  readonly banks: readonly string[];
}

export interface TrialScores {
  readonly id: string;
  /** When the application was made. */
  readonly atMs: number;
  readonly servedBy: "champion" | "challenger";
  /** By bank, in the order of the pair's; NaN where there is none. */
  readonly champion: readonly number[];
  readonly challenger: readonly number[];
}

/** What a trial did not score, and why. */
export interface Unscored {
  readonly dropped: number;
  readonly failed: number;
}

export interface Trial extends Pair, Unscored {
  readonly id: number;
  readonly startedAtMs: number;
  readonly scored: number;
}

const BEGIN = `
  INSERT INTO model_trials (champion, challenger, banks, started_at_ms)
  VALUES (:champion, :challenger, :banks, :now)
  ON CONFLICT (champion, challenger, banks) DO NOTHING`;

const WHICH = `(SELECT id FROM model_trials
  WHERE champion = :champion AND challenger = :challenger AND banks = :banks)`;

/** Of tasks that are still there: what is known of a client goes with his application. */
const RECORD = `
  INSERT INTO model_trial_scores (application_id, trial_id, at_ms, served, scores)
  SELECT value ->> 'id', ${WHICH}, value ->> 'atMs', value ->> 'served', unhex(value ->> 'scores')
  FROM json_each(:rows) JOIN tasks ON tasks.id = value ->> 'id' WHERE true
  ON CONFLICT (application_id, trial_id)
  DO UPDATE SET at_ms = excluded.at_ms, served = excluded.served, scores = excluded.scores`;

const COUNT = `
  UPDATE model_trials
  SET scored = scored + :scored, dropped = dropped + :dropped, failed = failed + :failed
  WHERE id = ${WHICH}`;

const LATEST = "SELECT * FROM model_trials ORDER BY started_at_ms DESC, id DESC LIMIT 1";

const OF_PAIR = `
  SELECT * FROM model_trials WHERE champion = :champion AND challenger = :challenger
  ORDER BY id DESC LIMIT 1`;

const SCORES = `
  SELECT application_id, at_ms, served, hex(scores) AS scores FROM model_trial_scores
  WHERE trial_id = :trial ORDER BY at_ms DESC LIMIT :limit`;

export class TrialStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A power cut may take it back: a trial is no promise. The same application's earlier scores give way. */
  async record(
    { champion, challenger, banks }: Pair,
    { rows, dropped, failed, nowMs }: Unscored & {
      readonly rows: readonly TrialScores[];
      readonly nowMs: number;
    },
  ): Promise<void> {
    const pair = { champion, challenger, banks: JSON.stringify(banks) };
    const statements: InStatement[] = [statement(BEGIN, { ...pair, now: nowMs })];
    if (rows.length > 0) {
      statements.push(statement(RECORD, { ...pair, rows: JSON.stringify(rows.map(encoded)) }));
    }
    statements.push(statement(COUNT, { ...pair, scored: rows.length, dropped, failed }));
    await this.#database.write(statements, { durable: false });
  }

  /** The trial of these versions, or without them the one that began last. */
  async find(pair?: Omit<Pair, "banks">): Promise<Trial | undefined> {
    const { rows: [row] } = await this.#database.read(
      pair === undefined
        ? LATEST
        : statement(OF_PAIR, { champion: pair.champion, challenger: pair.challenger }),
    );
    return row && {
      id: Number(row.id),
      champion: String(row.champion),
      challenger: String(row.challenger),
      banks: JSON.parse(String(row.banks)),
      startedAtMs: Number(row.started_at_ms),
      scored: Number(row.scored),
      dropped: Number(row.dropped),
      failed: Number(row.failed),
    };
  }

  /** Of the latest applications. */
  async scores({ id, banks }: Trial, limit: number): Promise<TrialScores[]> {
    const { rows } = await this.#database.read(statement(SCORES, { trial: id, limit }));
    return rows.map((row) => {
      const scores = decode(String(row.scores));
      return {
        id: String(row.application_id),
        atMs: Number(row.at_ms),
        servedBy: Number(row.served) === 0 ? "champion" : "challenger",
        champion: scores.slice(0, banks.length),
        challenger: scores.slice(banks.length),
      };
    });
  }
}

function encoded({ id, atMs, servedBy, champion, challenger }: TrialScores) {
  const bytes = new DataView(new ArrayBuffer(4 * (champion.length + challenger.length)));
  for (const [at, score] of [...champion, ...challenger].entries()) {
    bytes.setFloat32(4 * at, score, true);
  }
  const scores = new Uint8Array(bytes.buffer).toHex();
  return { id, atMs, served: servedBy === "champion" ? 0 : 1, scores };
}

function decode(hex: string): number[] {
  const bytes = Uint8Array.fromHex(hex);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}
