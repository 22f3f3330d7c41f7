/**
 * What a trial has shown, of the latest applications that both versions scored: a bounded number, so that it is read at once however
 * long the trial goes on. The outcomes are those that are known by now.
 */
import { compareQuality, mean, median, stabilityIndex, wilson } from "./statistics.ts";
import type { Trial, TrialScores, TrialStore } from "./trials.ts";
import type { ComparedBank, Comparison } from "./views.ts";

/** Applications that a comparison stands on at most. */
export const COMPARED = 5000;

const TWENTIETHS = 20;

/** What banks decided: application id -> bank id -> whether it approved. */
export type Decisions = ReadonlyMap<string, Readonly<Record<string, boolean>>>;

export interface CompareOptions {
  readonly trials: Pick<TrialStore, "find" | "scores">;
  /** Of these applications, as far as they are known. */
  readonly decisionsOf: (ids: readonly string[]) => Promise<Decisions>;
  /** From where a chance counts as good. */
  readonly target: number;
}

/** Of these versions, or of the latest trial; `undefined` where there was none. */
export async function compareVersions(
  { trials, decisionsOf, target }: CompareOptions,
  pair?: { readonly champion: string; readonly challenger: string },
): Promise<Comparison | undefined> {
  const trial = await trials.find(pair);
  if (trial === undefined) return undefined;
  const rows = await trials.scores(trial, COMPARED);
  return compared(trial, { rows, decisions: await decisionsOf(rows.map(({ id }) => id)), target });
}

interface Known {
  readonly rows: readonly TrialScores[];
  readonly decisions: Decisions;
  readonly target: number;
}

/** Pure. */
export function compared(trial: Trial, known: Known): Comparison {
  const { champion, challenger, startedAtMs, scored, dropped, failed, banks } = trial;
  return {
    ...{ champion, challenger, scored, dropped, failed },
    since: new Date(startedAtMs).toISOString(),
    applications: known.rows.length,
    banks: banks.flatMap((bank, at) => comparedBank(bank, at, known)),
    arms: { champion: arm("champion", known), challenger: arm("challenger", known) },
  };
}

/** Nothing where no application was scored by both. */
function comparedBank(
  bank: string,
  at: number,
  { rows, decisions, target }: Known,
): ComparedBank[] {
  const both = rows.flatMap(({ id, champion, challenger }) => {
    const [was, is] = [champion[at] ?? NaN, challenger[at] ?? NaN];
    return Number.isNaN(was) || Number.isNaN(is) ? [] : [{ id, was, is }];
  });
  if (both.length === 0) return [];
  const [was, is] = [both.map(({ was }) => was), both.map(({ is }) => is)];
  const raised = both.filter(({ was, is }) => was < target && is >= target).length;
  const lowered = both.filter(({ was, is }) => was >= target && is < target).length;
  const outcomes = outcomesOf(bank, both, decisions);
  return [{
    ...{ bank, target, raised, lowered },
    applications: both.length,
    champion: distribution(was),
    challenger: distribution(is),
    psi: stabilityIndex(was, is),
    agreement: 1 - (raised + lowered) / both.length,
    ...outcomes && { outcomes },
  }];
}

function outcomesOf(
  bank: string,
  both: readonly { readonly id: string; readonly was: number; readonly is: number }[],
  decisions: Decisions,
): ComparedBank["outcomes"] {
  const known = both.flatMap((one) => {
    const approved = decisions.get(one.id)?.[bank];
    return approved === undefined ? [] : [{ ...one, approved }];
  });
  if (known.length === 0) return undefined;
  return {
    applications: known.length,
    approved: known.filter(({ approved }) => approved).length,
    ...compareQuality({
      champion: known.map(({ was }) => was),
      challenger: known.map(({ is }) => is),
      labels: known.map(({ approved }) => approved),
    }),
  };
}

function distribution(values: readonly number[]): ComparedBank["champion"] {
  const counts = new Array<number>(TWENTIETHS).fill(0);
  for (const value of values) {
    const bin = Math.min(TWENTIETHS - 1, Math.floor(value * TWENTIETHS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { mean: mean(values), median: median(values), counts };
}

function arm(name: TrialScores["servedBy"], { rows, decisions }: Known) {
  const served = rows.filter(({ servedBy }) => servedBy === name);
  const known = served.flatMap(({ id }) => Object.values(decisions.get(id) ?? {}));
  const approved = known.filter(Boolean).length;
  const rate = wilson(approved, known.length);
  return {
    applications: served.length,
    outcomes: known.length,
    approved,
    ...rate && { rate },
  };
}
