/**
 * Simulated banks whose policy changes, or does not: clients drawn by the questionnaire's categories, a bank with odds of its own for
 * each of them, and estimates of it that are off by a constant, by a constant for each segment, and by noise for each client.
 */
import type { Judged } from "../../analytics/change_points.ts";

/** Shares of the answers in the shipped models' training, by field: those that make most segments. */
export type Shares = readonly (readonly number[])[];

/** Standard deviations, in log-odds. */
export interface Errors {
  readonly bank: number;
  readonly segment: number;
  readonly client: number;
}

export interface Shift {
  /** On whom; absent: all. */
  readonly segment?: { readonly split: number; readonly bin: number };
  /** By how much the mean probability of an approval moves, in (-1, 1). */
  readonly points: number;
}

export interface Bank {
  /** The next decision, by the old policy or the changed one. */
  decide(changed: boolean): Judged;
}

/** Uniform in [0, 1): mulberry32, the same everywhere for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How far apart clients are for a bank: by each of their answers, and by all else. */
const SPREAD = { answer: 0.4, client: 1.2 } as const;
/** From this to this is the bank's middle, in log-odds. */
const MIDDLE = [-1, 1.4] as const;
const DRAWN = 4000;

export function makeBank(
  { random, shares, errors, shift }: {
    readonly random: () => number;
    readonly shares: Shares;
    readonly errors: Errors;
    readonly shift?: Shift;
  },
): Bank {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const middle = MIDDLE[0] + (MIDDLE[1] - MIDDLE[0]) * random();
  const worth = shares.map((split) => split.map(() => SPREAD.answer * normal()));
  const wrong = shares.map((split) => split.map(() => errors.segment * normal()));
  const constant = errors.bank * normal();
  const client = () => {
    const bins = shares.map((split) => drawn(split, random()));
    const of = (table: readonly (readonly number[])[]) =>
      bins.reduce((sum, bin, split) => sum + (table[split]?.[bin] ?? 0), 0);
    const truth = middle + of(worth) + SPREAD.client * normal();
    const given = truth + constant + of(wrong) + errors.client * normal();
    return { bins: Uint8Array.from(bins), truth, given };
  };
  const hit = ({ bins }: { readonly bins: ArrayLike<number> }) =>
    shift?.segment === undefined || bins[shift.segment.split] === shift.segment.bin;
  const moved = shift === undefined
    ? 0
    : logOddsOf(Array.from({ length: DRAWN }, client).filter(hit), shift.points);
  return {
    decide(changed) {
      const one = client();
      const probability = logistic(one.truth + (changed && hit(one) ? moved : 0));
      return {
        probability: Math.round(1000 * logistic(one.given)) / 1000,
        approved: random() < probability,
        decidedAtMs: 0,
        bins: one.bins,
      };
    },
  };
}

/** The shift of the log-odds that moves the clients' mean probability by `points`, or as far as it can be moved. */
function logOddsOf(clients: readonly { readonly truth: number }[], points: number): number {
  const mean = (shift: number) =>
    clients.reduce((sum, { truth }) => sum + logistic(truth + shift), 0) / clients.length;
  const wanted = mean(0) + points;
  let [low, high] = [-6, 6];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (mean(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function drawn(shares: readonly number[], at: number): number {
  let left = at * shares.reduce((sum, share) => sum + share, 0);
  for (const [bin, share] of shares.entries()) {
    left -= share;
    if (left < 0) return bin;
  }
  return shares.length - 1;
}

function logistic(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
