/**
 * Shapley values of any model, estimated: for models that are no forest, a neural network for one.
 *
 * The value of a set of features is the mean margin over background rows in which these features are
 * the client's (the interventional value function). Features are put in one by one in a random order;
 * what each changes is one draw of its Shapley value (Castro et al., "Polynomial calculation of the
 * Shapley value based on sampling", 2009). Each order is also taken backwards (antithetic sampling,
 * Mitchell et al., 2022), and the pair counts as one draw, so that the errors hold.
 *
 * Known limits: approximate, with a standard error per feature, and dependent on the background. The
 * values and `base` sum to the row's margin exactly, for every order does.
 */

import { ModelError } from "./instance.ts";

export interface PermutationOptions {
  /** Rows by features, row-major: what stands for a client of whom nothing is known. */
  readonly background: Float32Array;
  readonly features: number;
  /** Pairs of orders; the error falls with the root of it. At least 2. */
  readonly pairs: number;
  /** The same seed gives the same values. */
  readonly seed: number;
}

export interface ApproximateContributions {
  readonly approximate: true;
  /** One per feature, in log-odds. */
  readonly values: Float64Array<ArrayBuffer>;
  /** Standard error of each value, in log-odds, over the drawn orders. */
  readonly standardErrors: Float64Array<ArrayBuffer>;
  /** Mean log-odds of the background. */
  readonly base: number;
}

/** Probabilities are kept this far from 0 and 1, where log-odds are infinite. */
const EDGE = 1e-9;

/** Mixed matrices are scored in parts of at most this many numbers. */
const MAX_CELLS = 1 << 20;

/**
 * Explains one row of a model that gives probabilities.
 *
 * @param score probabilities, one per row, of a row-major matrix
 * @throws {ModelError} when the shapes do not fit, there are fewer than two pairs, or `score` fails
 */
export function permutationShapley(
  score: (matrix: Float32Array, rows: number) => Float64Array,
  row: Float32Array,
  { background, features, pairs, seed }: PermutationOptions,
): ApproximateContributions {
  const rows = background.length / features;
  if (row.length !== features || !Number.isInteger(rows) || rows < 1 || !(pairs >= 2)) {
    throw new ModelError(
      `Cannot explain a row of ${row.length} features over a background of ${background.length} ` +
        `numbers in ${pairs} pairs: there must be ${features} features, whole rows, and 2 pairs`,
    );
  }
  const random = mulberry32(seed);
  const means = new Float64Array(features);
  const squares = new Float64Array(features);
  let base = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const order = shuffled(features, random);
    const draw = new Float64Array(features);
    for (const way of [order, order.toReversed()]) {
      const margins = alongOrder(score, row, { background, rows, order: way });
      base = margins[0] ?? NaN;
      for (const [step, feature] of way.entries()) {
        const change = (margins[step + 1] ?? NaN) - (margins[step] ?? NaN);
        draw[feature] = (draw[feature] ?? NaN) + change / 2;
      }
    }
    // Welford's running mean and sum of squared deviations.
    for (const [feature, value] of draw.entries()) {
      const before = means[feature] ?? NaN;
      const mean = before + (value - before) / (pair + 1);
      means[feature] = mean;
      squares[feature] = (squares[feature] ?? NaN) + (value - before) * (value - mean);
    }
  }
  const standardErrors = squares.map((sum) => Math.sqrt(sum / (pairs - 1) / pairs));
  return { approximate: true, values: means, standardErrors, base };
}

/** The mean margin with none of the features, then with one more at a time, in this order. */
function alongOrder(
  score: (matrix: Float32Array, rows: number) => Float64Array,
  row: Float32Array,
  { background, rows, order }: {
    background: Float32Array;
    rows: number;
    order: readonly number[];
  },
): number[] {
  const mixed = background.slice();
  const margins = [meanMargin(score, mixed, rows)];
  for (const feature of order) {
    const value = row[feature] ?? NaN;
    for (let at = feature; at < mixed.length; at += order.length) mixed[at] = value;
    margins.push(meanMargin(score, mixed, rows));
  }
  return margins;
}

function meanMargin(
  score: (matrix: Float32Array, rows: number) => Float64Array,
  matrix: Float32Array,
  rows: number,
): number {
  const features = matrix.length / rows;
  const part = Math.max(1, Math.floor(MAX_CELLS / features));
  let sum = 0;
  for (let from = 0; from < rows; from += part) {
    const count = Math.min(part, rows - from);
    for (
      const probability of score(matrix.subarray(from * features, (from + count) * features), count)
    ) {
      const inside = Math.min(Math.max(probability, EDGE), 1 - EDGE);
      sum += Math.log(inside / (1 - inside));
    }
  }
  return sum / rows;
}

/** Fisher-Yates. */
export function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}

/** Uniform numbers in [0, 1): Tommy Ettinger's Mulberry32. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
