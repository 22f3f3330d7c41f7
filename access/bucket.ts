/**
 * Token buckets by the generic cell rate algorithm (ITU-T I.371): of a bucket only the time at which it would be full again is kept.
 * A token costs 1 / rate of time; a bucket that is full in `burst` tokens' time has none left.
 */
import type { Clock } from "../clock.ts";

export interface Rate {
  /** Tokens that come back in a second; may be a fraction. */
  readonly perSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

export interface Allowance {
  /** Tokens that are left. */
  readonly remaining: number;
  /** Until the bucket is full again. */
  readonly fullInMs: number;
  /** 0 for one that was given a token; else how long until there is one. */
  readonly waitMs: number;
}

/** Gives tokens, or says when to come back. */
export interface Buckets {
  take(id: string, rate: Rate): Allowance | Promise<Allowance>;
}

/** Beyond these, buckets that are full again are dropped, and where none is, the oldest. */
const MOST_BUCKETS = 100_000;

/** The buckets of one process. */
export class LocalBuckets implements Buckets {
  readonly #clock: Pick<Clock, "now">;
  /** When each is full again, in milliseconds since the epoch. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  take(id: string, { perSecond, burst }: Rate): Allowance {
    const nowMs = this.#clock.now();
    const costMs = 1000 / perSecond;
    const wholeMs = burst * costMs;
    // A clock that was set back must not keep a bucket empty for longer than it takes to fill.
    const fullAtMs = Math.min(Math.max(this.#fullAtMs.get(id) ?? 0, nowMs), nowMs + wholeMs);
    const waitMs = fullAtMs + costMs - wholeMs - nowMs;
    // Half a microsecond: sums of fractions of milliseconds are not exact.
    if (waitMs > 0.0005) {
      this.#fullAtMs.set(id, fullAtMs);
      return { remaining: 0, fullInMs: fullAtMs - nowMs, waitMs };
    }
    if (this.#fullAtMs.size >= MOST_BUCKETS && !this.#fullAtMs.has(id)) this.#makeRoom(nowMs);
    this.#fullAtMs.set(id, fullAtMs + costMs);
    const fullInMs = fullAtMs + costMs - nowMs;
    return { remaining: Math.max(0, Math.floor(burst - fullInMs / costMs)), fullInMs, waitMs: 0 };
  }

  #makeRoom(nowMs: number): void {
    for (const [id, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(id);
    for (const id of this.#fullAtMs.keys()) {
      if (this.#fullAtMs.size < MOST_BUCKETS) return;
      this.#fullAtMs.delete(id);
    }
  }
}
