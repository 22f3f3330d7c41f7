/**
 * When a bank began to decide otherwise, and on whom. Pure.
 *
 * Decisions come in the order in which they were made, each with the probability that was given for it. A risk-adjusted CUSUM
 * (E. S. Page, Biometrika 41, 1954; S. H. Steiner and others, Biostatistics 1, 2000) adds up, for the bank and for each segment of
 * its clients, the log-likelihood ratio of "the odds of an approval are k times what was given" over "they are as given", begins
 * anew at 0, and alarms where it passes a threshold. As the ratio has mean 1 while nothing changes, the mean number of decisions
 * between false alarms of one sum is at least e^threshold (G. Lorden, Annals of Mathematical Statistics 42, 1971). That holds where
 * the estimates are right; for those that are not the thresholds were set by simulation, `bench/change_points`.
 *
 * Estimates may be off by a constant, of the bank and of each segment: it is learned on the first decisions, which are the
 * reference, and further on all that are older than a change is given time to be found in. After a change all begins anew with the
 * decisions since.
 *
 * Known limits: while the reference is learned nothing is found; a change so slow that the constant follows it is not seen.
 */

/** A bank's decision on an application. */
export interface Judged {
  /** As it was given, in [0, 1]. */
  readonly probability: number;
  readonly approved: boolean;
  readonly decidedAtMs: number;
  /** The application's bin in each split; a bin stands for one segment. */
  readonly bins: ArrayLike<number>;
}

/** Positions: of a split, and of a bin in it. */
export interface Segment {
  readonly split: number;
  readonly bin: number;
}

export interface Change {
  /** On whom; absent where it is on all. */
  readonly segment?: Segment;
  readonly direction: "tightened" | "loosened";
  /** Positions of the first decision since the change, by the greatest likelihood, and of the one at which it was found. */
  readonly since: number;
  readonly found: number;
  /** Of the decisions on them from `since` to `found`: how many, the mean of what was to be expected, and the share approved. */
  readonly decisions: number;
  readonly expected: number;
  readonly approved: number;
}

/** How many decisions are the reference. */
export const REFERENCE = 500;

/** How old, in decisions, what is learned from is at least: a change should be found before it is learned. */
const LAG = 300;

/** A segment of which fewer decisions were learned from is not watched yet. */
export const LEAST_IN_SEGMENT = 50;

/** What a sum must pass, in nats. */
export interface Thresholds {
  readonly all: number;
  readonly segment: number;
}

/** At most one false alarm in 10,000 applications of a bank, over all its sums together. */
export const THRESHOLDS: Thresholds = { all: 10.5, segment: 14 };

/**
 * The changes that are looked for, in log-odds: the odds halved, quartered, divided by 16, and the contrary. The least is left out
 * for segments, whose own constant is known less well.
 */
const SEGMENT_SIZES = [-2, -4, 2, 4].map((halvings) => halvings * Math.LN2);
const SIZES = { all: [-Math.LN2, Math.LN2, ...SEGMENT_SIZES], segment: SEGMENT_SIZES };

/** Certainty that no estimate has: the log-odds stay finite. */
const LEAST_PROBABILITY = 0.005;

/** How far a constant may plausibly be off, in log-odds: of a bank, and of a segment beside its bank's. */
const SPREAD = { all: 1, segment: 0.3 } as const;

/** All changes, in the order in which they were found; `decisions` oldest first, all with bins of the same splits. */
export function findChanges(
  decisions: readonly Judged[],
  thresholds: Thresholds = THRESHOLDS,
): Change[] {
  const read = decisions.map((decision) => ({
    ...decision,
    logOdds: logOddsOf(decision.probability),
  }));
  const changes: Change[] = [];
  for (let from = 0; from + REFERENCE < read.length;) {
    const change = firstChange(read.slice(from), thresholds);
    if (change === undefined) break;
    const { since, found } = change;
    changes.push({ ...change, since: from + since, found: from + found });
    from += since;
  }
  return changes;
}

interface Read extends Judged {
  readonly logOdds: number;
}

/** The first change after the reference. */
function firstChange(decisions: readonly Read[], thresholds: Thresholds): Change | undefined {
  const sums = new Sums(decisions.slice(0, REFERENCE), thresholds);
  for (let at = REFERENCE; at < decisions.length; at++) {
    const [old, decision] = [decisions[at - LAG], decisions[at]];
    if (old !== undefined && at - LAG >= REFERENCE) {
      for (const sum of sums.of(old)) sum.learn(old);
    }
    let alarmed: Sum | undefined;
    for (const sum of decision ? sums.of(decision) : []) {
      if (decision && sum.add(decision, at) && sum.excess > (alarmed?.excess ?? 0)) alarmed = sum;
    }
    if (alarmed !== undefined) return changeOf(alarmed, { decisions, found: at });
  }
  return undefined;
}

/** Those of a bank: over all its decisions, and over each segment's. */
class Sums {
  readonly #all: Sum;
  readonly #segments: (Sum | undefined)[][];
  readonly #threshold: number;

  constructor(reference: readonly Read[], { all, segment }: Thresholds) {
    this.#all = new Sum({ kind: "all", around: 0, threshold: all });
    this.#threshold = segment;
    this.#segments = Array.from(reference[0]?.bins ?? [], () => []);
    for (const decision of reference) this.#all.learn(decision);
    for (const decision of reference) {
      for (const sum of this.of(decision)) if (sum !== this.#all) sum.learn(decision);
    }
  }

  /** The sums that a decision goes into. */
  of({ bins }: Read): Sum[] {
    return [
      this.#all,
      ...this.#segments.map((own, split) => {
        const bin = bins[split] ?? 0;
        return own[bin] ??= new Sum({
          kind: "segment",
          around: this.#all.offset,
          threshold: this.#threshold,
          segment: { split, bin },
        });
      }),
    ];
  }
}

/** One CUSUM for each size of a change, with the constant by which estimates are off. */
class Sum {
  readonly segment: Segment | undefined;
  readonly #sizes: readonly number[];
  readonly #factors: readonly number[];
  readonly #least: number;
  readonly #threshold: number;
  readonly #sums: Float64Array;
  /** Where each sum left 0 last. */
  readonly #since: Int32Array;
  #highest = 0;
  #offset: number;
  /** Fisher information on the offset, its prior's too. */
  #information: number;
  #learned = 0;

  constructor(
    { kind, around, threshold, segment }: {
      readonly kind: "all" | "segment";
      readonly around: number;
      readonly threshold: number;
      readonly segment?: Segment;
    },
  ) {
    this.segment = segment;
    this.#sizes = SIZES[kind];
    this.#factors = this.#sizes.map(Math.exp);
    this.#sums = new Float64Array(this.#sizes.length);
    this.#since = new Int32Array(this.#sizes.length);
    this.#least = kind === "all" ? 0 : LEAST_IN_SEGMENT;
    this.#threshold = threshold;
    this.#offset = around;
    this.#information = 1 / SPREAD[kind] ** 2;
  }

  /** What is to be added to the log-odds that were given. */
  get offset(): number {
    return this.#offset;
  }

  probability({ logOdds }: Read): number {
    return 1 / (1 + Math.exp(-logOdds - this.#offset));
  }

  /** The intercept of a logistic recalibration (D. R. Cox, Biometrika 45, 1958), one Fisher-scoring step for each decision. */
  learn(decision: Read): void {
    const probability = this.probability(decision);
    this.#information += probability * (1 - probability);
    this.#offset += (Number(decision.approved) - probability) / this.#information;
    this.#learned++;
  }

  /** Whether the decision makes it alarm. */
  add(decision: Read, at: number): boolean {
    if (this.#learned < this.#least) return false;
    const probability = this.probability(decision);
    for (let size = 0; size < this.#sizes.length; size++) {
      const before = this.#sums[size] ?? 0;
      if (before === 0) this.#since[size] = at;
      const ratio = (decision.approved ? this.#sizes[size] ?? 0 : 0) -
        Math.log(1 - probability + probability * (this.#factors[size] ?? 1));
      this.#sums[size] = Math.max(0, before + ratio);
      if ((this.#sums[size] ?? 0) > (this.#sums[this.#highest] ?? 0)) this.#highest = size;
    }
    return this.excess > 0;
  }

  /** How far the highest sum is above the threshold. */
  get excess(): number {
    return (this.#sums[this.#highest] ?? 0) - this.#threshold;
  }

  get since(): number {
    return this.#since[this.#highest] ?? 0;
  }

  get direction(): Change["direction"] {
    return (this.#sizes[this.#highest] ?? 0) < 0 ? "tightened" : "loosened";
  }
}

function changeOf(
  sum: Sum,
  { decisions, found }: { readonly decisions: readonly Read[]; readonly found: number },
): Change {
  const { segment, since, direction } = sum;
  const own = decisions.slice(since, found + 1).filter(({ bins }) =>
    segment === undefined || bins[segment.split] === segment.bin
  );
  const mean = (of: (decision: Read) => number) =>
    own.reduce((all, decision) => all + of(decision), 0) / own.length;
  return {
    ...segment && { segment },
    ...{ direction, since, found, decisions: own.length },
    expected: mean((decision) => sum.probability(decision)),
    approved: mean(({ approved }) => Number(approved)),
  };
}

function logOddsOf(probability: number): number {
  const inside = Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, probability));
  return Math.log(inside / (1 - inside));
}
