/**
 * Token buckets that several processes share through the database. A process takes tokens in lots, so most requests write nothing,
 * and gives from its lot until that is used up or old. What a process that goes idle holds is lost: at most one lot each time.
 */
import type { Clock } from "../clock.ts";
import { type Database, statement } from "../database/database.ts";
import type { Allowance, Buckets, Rate } from "./bucket.ts";

/** Lots of a full bucket: the more, the more evenly processes share, and the more is written. */
const LOTS = 10;
/** A lot that is older is thrown away, so that lots do not pile up over the rate. */
const LOT_MS = 2000;
const MOST_LOTS = 10_000;
/** Lots between two sweeps. */
const SWEEP_EVERY = 1000;

/** Times are in microseconds. The row keeps what was given last, for `RETURNING` sees the new row alone. */
const LEASE = `
  INSERT INTO token_buckets (id, full_at_us, granted) VALUES (:id, :now + :wanted * :cost, :wanted)
  ON CONFLICT (id) DO UPDATE SET
    granted = max(0, min(:wanted,
      (:whole - max(0, min(full_at_us, :now + :whole) - :now)) / :cost)),
    full_at_us = max(min(full_at_us, :now + :whole), :now) + :cost * max(0, min(:wanted,
      (:whole - max(0, min(full_at_us, :now + :whole) - :now)) / :cost))
  RETURNING granted, full_at_us`;

const SWEEP = "DELETE FROM token_buckets WHERE full_at_us < :now";

interface Lot {
  /** -1 for a bucket that had none to give. */
  tokens: number;
  readonly fullAtMs: number;
  /** Until when its tokens are good, or, where there were none, until when not to ask again. */
  readonly untilMs: number;
}

export class SharedBuckets implements Buckets {
  readonly #database: Database;
  readonly #clock: Pick<Clock, "now">;
  readonly #lots = new Map<string, Lot>();
  readonly #leasing = new Map<string, Promise<Lot>>();
  #asked = 0;

  constructor(database: Database, clock: Pick<Clock, "now">) {
    this.#database = database;
    this.#clock = clock;
  }

  take(id: string, rate: Rate): Allowance | Promise<Allowance> {
    const lot = this.#lots.get(id);
    const nowMs = this.#clock.now();
    if (lot !== undefined && nowMs < lot.untilMs) {
      if (lot.tokens > 0) {
        lot.tokens--;
        return allowance(lot, { rate, nowMs, waitMs: 0 });
      }
      if (isDenied(lot)) return allowance(lot, { rate, nowMs, waitMs: lot.untilMs - nowMs });
    }
    return this.#lease(id, rate).then((leased) => this.#takeFrom(id, leased, rate));
  }

  #takeFrom(id: string, lot: Lot, rate: Rate): Allowance | Promise<Allowance> {
    const nowMs = this.#clock.now();
    if (lot.tokens > 0) {
      lot.tokens--;
      return allowance(lot, { rate, nowMs, waitMs: 0 });
    }
    if (isDenied(lot)) {
      return allowance(lot, { rate, nowMs, waitMs: Math.max(1, lot.untilMs - nowMs) });
    }
    // Others who waited for the same lot have used it up.
    return this.take(id, rate);
  }

  /** Those who find no token together ask once. */
  #lease(id: string, rate: Rate): Promise<Lot> {
    const others = this.#leasing.get(id);
    if (others !== undefined) return others;
    const leasing = this.#ask(id, rate).then((lot) => {
      if (this.#lots.size >= MOST_LOTS) this.#lots.clear();
      this.#lots.set(id, lot);
      return lot;
    }).finally(() => this.#leasing.delete(id));
    this.#leasing.set(id, leasing);
    return leasing;
  }

  async #ask(id: string, { perSecond, burst }: Rate): Promise<Lot> {
    const nowMs = this.#clock.now();
    const cost = Math.round(1_000_000 / perSecond);
    // What is full again need not be known.
    const sweep = this.#asked++ % SWEEP_EVERY === 0
      ? [statement(SWEEP, { now: nowMs * 1000 })]
      : [];
    const [answer] = await this.#database.write([
      statement(LEASE, {
        ...{ id, cost, now: nowMs * 1000, whole: burst * cost },
        wanted: Math.max(1, Math.ceil(burst / LOTS)),
      }),
      ...sweep,
    ], { durable: false });
    const granted = Number(answer?.rows[0]?.granted);
    const fullAtMs = Number(answer?.rows[0]?.full_at_us) / 1000;
    if (granted > 0) return { tokens: granted, fullAtMs, untilMs: nowMs + LOT_MS };
    const waitMs = Math.max(1, fullAtMs + (cost - burst * cost) / 1000 - nowMs);
    return { tokens: -1, fullAtMs, untilMs: nowMs + waitMs };
  }
}

function isDenied({ tokens }: Lot): boolean {
  return tokens < 0;
}

function allowance(
  { fullAtMs, tokens }: Lot,
  { rate: { perSecond, burst }, nowMs, waitMs }: {
    readonly rate: Rate;
    readonly nowMs: number;
    readonly waitMs: number;
  },
): Allowance {
  const fullInMs = Math.max(0, fullAtMs - nowMs);
  const elsewhere = Math.floor(burst - fullInMs * perSecond / 1000);
  return { remaining: Math.max(0, elsewhere + Math.max(0, tokens)), fullInMs, waitMs };
}
