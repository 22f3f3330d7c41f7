/** The honesty ledger: what was estimated beside what banks then decided, by bank and band. Pure; each statistic with its source. */
import { z } from "zod";
import { localized, type Policy } from "../configs/mod.ts";

const probability = z.number().min(0).max(1);

const estimateSchema = z.object({
  value: z.number(),
  low: z.number().describe("Lower end of the 95 % interval"),
  high: z.number(),
});

const bandSchema = z.object({
  band: z.string().describe("Id of a band of policy.json"),
  title: localized,
  from: probability,
  to: probability,
  outcomes: z.int(),
  approved: z.int(),
  expected: probability.describe("Mean of the probabilities that were given"),
  rate: estimateSchema.describe("Share that was approved, with Wilson's interval"),
  state: z.enum(["too_few", "holds", "overstated", "understated"]).describe(
    "overstated: what came true lies below the band, beyond chance; understated: above it",
  ),
  standing: z.string().describe(
    "The band to read instead: that of the share which came true where the band is overstated, else the band itself",
  ),
  standingTitle: localized,
});

export const bankLedgerSchema = z.object({
  bank: z.string(),
  title: localized,
  outcomes: z.int(),
  approved: z.int(),
  expected: probability.optional().describe("Absent where no decision of the bank is known"),
  rate: estimateSchema.optional(),
  auc: estimateSchema.optional().describe("Absent where all decisions are alike"),
  brier: z.number().min(0).max(1).optional().describe("Mean squared error of the probabilities"),
  bands: z.array(bandSchema).describe("Those with decisions, from the lowest on"),
});

export type BankLedger = z.infer<typeof bankLedgerSchema>;
export type BandLedger = BankLedger["bands"][number];
type Estimate = z.infer<typeof estimateSchema>;
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

/** `counts` rising in probability. */
export function bankLedger(
  { id, title }: { readonly id: string; readonly title: BankLedger["title"] },
  { counts, bands }: { readonly counts: readonly Counts[]; readonly bands: readonly Band[] },
): BankLedger {
  const all = summed(counts);
  const auc = areaUnderCurve(counts);
  return {
    bank: id,
    title,
    outcomes: all.outcomes,
    approved: all.approved,
    ...all.outcomes > 0 && {
      expected: all.expected,
      rate: wilson(all.approved, all.outcomes),
      brier: brierOf(counts),
    },
    ...auc && { auc },
    bands: bands.flatMap((band, at) => {
      const to = bands[at + 1]?.from ?? 1;
      const within = counts.filter(({ probability }) =>
        probability >= band.from && (probability < to || at === bands.length - 1)
      );
      return within.length === 0 ? [] : [bandLedger(band, { to, counts: within, bands })];
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
): BandLedger {
  const { outcomes, approved, expected } = summed(counts);
  const rate = wilson(approved, outcomes);
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
  return {
    ...{ band: id, title, from, to, outcomes, approved, expected, rate, state },
    standing: lower?.id ?? id,
    standingTitle: lower?.title ?? title,
  };
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

/** E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). `of` above 0. */
export function wilson(successes: number, of: number): Estimate {
  const value = successes / of;
  const z2 = Z_95 * Z_95;
  const centre = (value + z2 / (2 * of)) / (1 + z2 / of);
  const half = Z_95 / (1 + z2 / of) * Math.sqrt(value * (1 - value) / of + z2 / (4 * of * of));
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
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
