/** The statistics that compare two models on the same applications, each with its source. All are pure. */
import type { Estimate } from "./views.ts";

/** Standard normal quantile of 97.5 %. */
const Z_95 = 1.959963984540054;

/** What stands for an empty bin's share, so that its logarithm is finite: as in the training package. */
const EMPTY_SHARE = 1e-4;

export interface Labelled {
  /** One score for each label. */
  readonly scores: ArrayLike<number>;
  /** Whether the bank approved. */
  readonly labels: readonly boolean[];
}

/** A value with the components of its variance: one for each approval, and one for each refusal. */
interface Auc {
  readonly value: number;
  readonly approvals: Float64Array;
  readonly refusals: Float64Array;
}

/**
 * The area under the ROC curve with its structural components (E. R. DeLong and others, Biometrics 44, 1988), by midranks (X. Sun
 * and W. Xu, IEEE Signal Processing Letters 21, 2014), in n log n. `undefined` where all labels are alike.
 */
function auc({ scores, labels }: Labelled): Auc | undefined {
  const [up, down] = [true, false].map((wanted) =>
    labels.flatMap((label, at) => label === wanted ? [at] : [])
  );
  if (!up || !down || up.length === 0 || down.length === 0) return undefined;
  const of = (places: readonly number[]) => Float64Array.from(places, (at) => scores[at] ?? NaN);
  const ranks = midranks(of([...up, ...down]));
  const within = { up: midranks(of(up)), down: midranks(of(down)) };
  const approvals = within.up.map((own, at) => ((ranks[at] ?? 0) - own) / down.length);
  const refusals = within.down.map((own, at) =>
    1 - ((ranks[up.length + at] ?? 0) - own) / up.length
  );
  return { value: mean(approvals), approvals, refusals };
}

/** From 1; equal values share the mean of their ranks. */
function midranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (let at = from; at < to; at++) ranks[order[at] ?? 0] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

export interface Quality {
  /** Absent where all labels are alike. */
  readonly auc?: Estimate;
  readonly brier: Estimate;
}

export interface ComparedQuality {
  readonly champion: Quality;
  readonly challenger: Quality;
  /** Challenger less champion: the intervals know that both scored the same applications. */
  readonly difference: Quality;
}

/**
 * AUC and Brier score (G. W. Brier, Monthly Weather Review 78, 1950) of two models and of their difference, with intervals by the
 * normal distribution. There must be a label.
 */
export function compareQuality(
  { champion, challenger, labels }: {
    readonly champion: ArrayLike<number>;
    readonly challenger: ArrayLike<number>;
    readonly labels: readonly boolean[];
  },
): ComparedQuality {
  const [a, b] = [champion, challenger].map((scores) => auc({ scores, labels }));
  const [errorsA, errorsB] = [champion, challenger].map((scores) =>
    Float64Array.from(labels, (label, at) => ((scores[at] ?? NaN) - Number(label)) ** 2)
  );
  const none = new Float64Array(0);
  return {
    champion: quality(a, errorsA ?? none),
    challenger: quality(b, errorsB ?? none),
    difference: quality(
      a && b && {
        value: b.value - a.value,
        approvals: less(b.approvals, a.approvals),
        refusals: less(b.refusals, a.refusals),
      },
      less(errorsB ?? none, errorsA ?? none),
      { bounded: false },
    ),
  };
}

function quality(
  area: Auc | undefined,
  errors: Float64Array,
  { bounded = true }: { readonly bounded?: boolean } = {},
): Quality {
  const brier = around(mean(errors), Math.sqrt(variance(errors) / errors.length), bounded);
  if (area === undefined) return { brier };
  const { value, approvals, refusals } = area;
  const deviation = Math.sqrt(
    variance(approvals) / approvals.length + variance(refusals) / refusals.length,
  );
  return { auc: around(value, deviation, bounded), brier };
}

/** The 95 % interval of a value with a standard error. */
function around(value: number, standardError: number, bounded: boolean): Estimate {
  const [low, high] = [value - Z_95 * standardError, value + Z_95 * standardError];
  return bounded ? { value, low: Math.max(0, low), high: Math.min(1, high) } : { value, low, high };
}

function less(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, at) => value - (b[at] ?? NaN));
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] ?? NaN;
  return sum / values.length;
}

/** Of a sample; 0 where it has one value. */
function variance(values: Float64Array): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/** The score interval of a share (E. B. Wilson, JASA 22, 1927); `undefined` where there is no observation. */
export function wilson(successes: number, n: number): Estimate | undefined {
  if (n <= 0) return undefined;
  const share = successes / n;
  const spread = Z_95 * Math.sqrt(share * (1 - share) / n + Z_95 ** 2 / (4 * n * n));
  const scale = 1 + Z_95 ** 2 / n;
  const middle = share + Z_95 ** 2 / (2 * n);
  return {
    value: share,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
}

/**
 * The population stability index (S. Siddiqi, Credit Risk Scorecards, 2006) of the second sample over bins that hold equal parts of
 * the first; equal values stand in one bin. Neither may be empty.
 */
export function stabilityIndex(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  bins = 10,
): number {
  const sorted = Float64Array.from(first).sort();
  const edges = [
    ...new Set(
      Array.from(
        { length: bins - 1 },
        (_, at) => sorted[Math.floor((at + 1) * sorted.length / bins)] ?? NaN,
      ),
    ),
  ];
  const [was, is] = [first, second].map((values) => shares(values, edges));
  return (was ?? []).reduce((sum, share, bin) => {
    const [a, b] = [Math.max(share, EMPTY_SHARE), Math.max(is?.[bin] ?? 0, EMPTY_SHARE)];
    return sum + (b - a) * Math.log(b / a);
  }, 0);
}

/** Of the values in each bin: edge <= value < next edge. */
function shares(values: ArrayLike<number>, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (let at = 0; at < values.length; at++) {
    const above = edges.findIndex((edge) => (values[at] ?? NaN) < edge);
    const bin = above < 0 ? edges.length : above;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count) => count / values.length);
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
}
