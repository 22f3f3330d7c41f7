/** How sure a probability is, and what it is called: its interval, its band, or why there is too little to say. */
import type { Policy } from "../configs/mod.ts";
import type { Insufficient, Interval, Odds } from "./decision.ts";
import type { ProbabilityBand } from "./models.ts";
import { INSUFFICIENT_TEXTS } from "./texts.ts";

/** The interval around a probability, by the bin that the probability lies in; a bin begins at its lower edge. */
export function intervalOf(probability: number, band: ProbabilityBand): Interval {
  const { level, edges, below, above } = band;
  let bin = 0;
  while (bin < edges.length && probability >= (edges[bin] ?? Infinity)) bin++;
  return {
    low: Math.max(0, probability - (below[bin] ?? 1)),
    high: Math.min(1, probability + (above[bin] ?? 1)),
    level,
  };
}

export interface Sureness {
  readonly interval: Interval | undefined;
  readonly withoutEvidence: boolean;
  /** Share of the questionnaire's fields that were answered. */
  readonly answeredShare: number;
}

export function oddsOf(probability: number, sureness: Sureness, policy: Policy): Odds {
  const insufficient = whyInsufficient(sureness, policy);
  if (insufficient !== undefined) {
    return { band: "insufficient_data", title: INSUFFICIENT_TEXTS[insufficient], insufficient };
  }
  const band = policy.odds.findLast(({ from }) => probability >= from);
  if (band === undefined) throw new Error(`no band holds the probability ${probability}`);
  return { band: band.id, title: band.title };
}

function whyInsufficient(
  { interval, withoutEvidence, answeredShare }: Sureness,
  { widestInterval, leastAnsweredShare }: Policy,
): Insufficient | undefined {
  if (withoutEvidence) return "no_evidence";
  if (interval === undefined) return "no_interval";
  if (interval.high - interval.low > widestInterval) return "wide_interval";
  return answeredShare < leastAnsweredShare ? "too_few_answers" : undefined;
}
