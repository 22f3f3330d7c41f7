/** The honesty ledger: what was estimated beside what banks then decided, by bank and band. Pure; each statistic with its source. */
import type { Policy } from "../configs/mod.ts";
import { type Estimate, wilson } from "../lifecycle/mod.ts";
import { alwaysValid } from "./always_valid.ts";
import type { BandLedger, BankLedger } from "./views.ts";

type Band = Policy["odds"][number];

/** How often one probability came true. */
export interface Counts {
  readonly probability: number;
  readonly approved: number;
  readonly refused: number;
}

/** Fewer decisions say nothing about a band. */
export const LEAST_OUTCOMES = 30;

/** Standard normal quantile of 97.5 %. */
const Z_95 = 1.959963984540054;

/** Decisions added up by their probability, rising. */
export function countsOf(
  decisions: readonly { readonly probability: number; readonly approved: boolean }[],
): Counts[] {
  return [...Map.groupBy(decisions, ({ probability }) => probability)]
    .toSorted(([one], [other]) => one - other)
    .map(([probability, same]) => {
      const approved = same.filter(({ approved }) => approved).length;
      return { probability, approved, refused: same.length - approved };
    });
}

/** `counts` rising in probability. */
export function bankLedger(
  { id, title }: { readonly id: string; readonly title: BankLedger["title"] },
  { counts, bands }: { readonly counts: readonly Counts[]; readonly bands: readonly Band[] },
): BankLedger {
  const all = summed(counts);
  const auc = areaUnderCurve(counts);
  const rate = wilson(all.approved, all.outcomes);
  return {
    bank: id,
    title,
    outcomes: all.outcomes,
    approved: all.approved,
    ...rate && { expected: all.expected, rate, brier: brierOf(counts) },
    ...auc && { auc },
    bands: bands.flatMap((band, at) => {
      const to = bands[at + 1]?.from ?? 1;
      const within = counts.filter(({ probability }) =>
        probability >= band.from && (probability < to || at === bands.length - 1)
      );
      return bandLedger(band, { to, counts: within, bands });
    }),
  };
}

function bandLedger(
  { id, title, from }: Band,
  { to, counts, bands }: {
    readonly to: number;
    readonly counts: readonly Counts[];
    readonly bands: readonly Band[];
  },
): BandLedger[] {
  const { outcomes, approved, expected } = summed(counts);
  const rate = alwaysValid(approved, outcomes);
  if (rate === undefined) return [];
  const state = outcomes < LEAST_OUTCOMES
    ? "too_few"
    : rate.high < from
    ? "overstated"
    : rate.low > to
    ? "understated"
    : "holds";
  const lower = state === "overstated"
    ? bands.findLast((band) => band.from <= rate.value)
    : undefined;
  return [{
    ...{ band: id, title, from, to, outcomes, approved, expected, rate, state },
    standing: lower?.id ?? id,
    standingTitle: lower?.title ?? title,
  }];
}

function summed(counts: readonly Counts[]) {
  let [outcomes, approvals, sum] = [0, 0, 0];
  for (const { probability, approved, refused } of counts) {
    outcomes += approved + refused;
    approvals += approved;
    sum += probability * (approved + refused);
  }
  return { outcomes, approved: approvals, expected: outcomes === 0 ? 0 : sum / outcomes };
}

/**
 * The probability that an approved application was given more than a refused one, ties by halves; its standard error by J. A. Hanley
 * and B. J. McNeil, Radiology 143 (1982). `undefined` where all decisions are alike. `counts` rising in probability.
 */
export function areaUnderCurve(counts: readonly Counts[]): Estimate | undefined {
  const approvals = counts.reduce((sum, { approved }) => sum + approved, 0);
  const refusals = counts.reduce((sum, { refused }) => sum + refused, 0);
  if (approvals === 0 || refusals === 0) return undefined;
  let [below, won] = [0, 0];
  for (const { approved, refused } of counts) {
    won += approved * (below + refused / 2);
    below += refused;
  }
  const value = won / (approvals * refusals);
  const q1 = value / (2 - value);
  const q2 = 2 * value * value / (1 + value);
  const variance = (value * (1 - value) + (approvals - 1) * (q1 - value * value) +
    (refusals - 1) * (q2 - value * value)) / (approvals * refusals);
  const half = Z_95 * Math.sqrt(Math.max(0, variance));
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950). */
function brierOf(counts: readonly Counts[]): number {
  let [sum, outcomes] = [0, 0];
  for (const { probability, approved, refused } of counts) {
    sum += approved * (1 - probability) ** 2 + refused * probability ** 2;
    outcomes += approved + refused;
  }
  return sum / outcomes;
}
