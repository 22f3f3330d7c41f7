/**
 * What clients were like in training, from the version's distributions: the typical value of each feature, and rows that stand
 * for a client of whom nothing is known.
 *
 * Known limit: the distributions are kept feature by feature, so a drawn row's features do not hang together.
 */
import type { Drift } from "./bundle.ts";
import { mulberry32, shuffled } from "./permutation_shapley.ts";

type Bins = Drift["features"][string];

/** The median of each feature; NaN for one that has none, being a category or not recorded. */
export function typicalRow(drift: Drift | undefined, names: readonly string[]): Float32Array {
  return Float32Array.from(names, (name) => {
    const bins = drift?.features[name];
    return bins?.kind === "quantiles" ? valueAt(bins, 0.5 * (1 - bins.missing)) : NaN;
  });
}

/**
 * Row-major rows of the given features, always the same ones: a Latin hypercube (McKay et al., 1979), in which every feature
 * is spread evenly over its distribution.
 */
export function backgroundRows(
  drift: Drift,
  { names, rows }: { names: readonly string[]; rows: number },
): Float32Array<ArrayBuffer> {
  const random = mulberry32(1);
  const matrix = new Float32Array(rows * names.length).fill(NaN);
  for (const [column, name] of names.entries()) {
    const bins = drift.features[name];
    if (bins === undefined) continue;
    for (const [row, stratum] of shuffled(rows, random).entries()) {
      matrix[row * names.length + column] = valueAt(bins, (stratum + 0.5) / rows);
    }
  }
  return matrix;
}

/** The value up to which the distribution has this share; what is missing, or in no bin, comes last. */
function valueAt(bins: Bins, level: number): number {
  let sum = 0;
  for (const [bin, share] of bins.shares.entries()) {
    sum += share;
    if (level >= sum) continue;
    if (bins.kind === "values") return bins.values[bin] ?? NaN;
    const [from, to] = [bins.edges[bin - 1], bins.edges[bin]];
    if (from === undefined || to === undefined) return from ?? to ?? NaN;
    return to - (to - from) * (sum - level) / share;
  }
  return NaN;
}
