/**
 * All that a decision needs of the models in one call: the probabilities of some rows, what moves the first row's, and the
 * first row's probability over grids. Each model answers for itself: one that fails says why and takes no other with it.
 *
 * Forests are explained and swept exactly by the engine. What the engine refuses (a column that is not monotone, covers that
 * are not known), and graphs that are no forest, are swept by scoring every cell, which is as exact, and explained by sampling.
 *
 * Known limit: a sweep by scoring takes at most `MAX_SCORED_CELLS` cells.
 */
import type { ForestSet } from "./engine.ts";
import { ModelError } from "./instance.ts";
import { type ApproximateContributions, permutationShapley } from "./permutation_shapley.ts";
import { amountCount, type SweepRequest } from "./sweep.ts";
import type { Graph } from "./tract.ts";

const MAX_SCORED_CELLS = 200_000;
/** Of the sampled explanation: over 32 background rows and 20 features that is 16,128 rows to score. */
const PAIRS = 12;
const SEED = 1;

export interface InspectRequest {
  /** Row-major, `rows` x features, NaN where missing. The first row is the client's. */
  readonly matrix: Float32Array<ArrayBuffer>;
  readonly rows: number;
  /** Whether to explain the first row. */
  readonly explain: boolean;
  /** Grids over the first row. */
  readonly sweeps: readonly Omit<SweepRequest, "row">[];
}

/** The pieces of one model, a list for each term. */
export interface PieceLists {
  /** By term: where in the other two its list ends. */
  readonly ends: Float64Array;
  /** Index of the amount from which a piece's probability holds, up to the next one of the list. */
  readonly starts: Float64Array;
  readonly probabilities: Float64Array;
}

/** The log-odds of the first row, split over the features. */
export interface Explained {
  readonly approximate: boolean;
  /** One per feature; with `base` they sum to the log-odds. */
  readonly values: Float64Array;
  readonly base: number;
}

export interface ModelView {
  /** One per row, in [0, 1]. */
  readonly probabilities: Float64Array;
  /** Absent where it was not asked for, or cannot be had. */
  readonly explained?: Explained;
  /** In the order of the request's. */
  readonly sweeps: readonly PieceLists[];
}

export type Inspected = { readonly view: ModelView } | { readonly failure: string };

interface Context {
  readonly request: InspectRequest;
  readonly features: number;
  /** Rows that stand for clients of whom nothing is known; without them nothing is explained by sampling. */
  readonly background: Float32Array | undefined;
}

/** Probabilities of a matrix, row-major rows x outputs. */
type Score = (matrix: Float32Array, rows: number) => Float64Array;

/** Inspects forests together. Throws `ModelError` where one of them fails. */
export function viewForests(set: ForestSet, context: Context): ModelView[] {
  const { request: { matrix, rows, sweeps } } = context;
  const outputs = set.forests.length;
  const scores = set.score(matrix, rows);
  const swept = sweeps.map((plan) => sweepForests(set, plan, context));
  return set.forests.map((_, forest) => ({
    probabilities: columnOf(scores, forest, outputs),
    ...explainForest(set, forest, context),
    sweeps: swept.map((lists) => lists[forest] ?? missingLists()),
  }));
}

/** Inspects a graph. Throws `ModelError` where it fails. */
export function viewGraph({ score }: Graph, context: Context): ModelView {
  const { request: { matrix, rows, sweeps } } = context;
  const probabilities = score(matrix, rows);
  const swept = sweeps.map((plan) => sweepByScoring(score, plan, { ...context, outputs: 1 }));
  return {
    probabilities,
    ...explainBySampling(score, context),
    sweeps: swept.map(([lists]) => lists ?? missingLists()),
  };
}

export function inspecting(view: () => ModelView): Inspected {
  try {
    return { view: view() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function firstRow({ request, features }: Context): Float32Array {
  return request.matrix.subarray(0, features);
}

function explainForest(
  set: ForestSet,
  forest: number,
  context: Context,
): { explained?: Explained } {
  if (!context.request.explain) return {};
  try {
    const { values, base } = set.contributions(firstRow(context), 1, forest);
    return { explained: { approximate: false, values, base } };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const score: Score = (matrix, rows) =>
      columnOf(set.score(matrix, rows), forest, set.forests.length);
    return explainBySampling(score, context);
  }
}

function explainBySampling(score: Score, context: Context): { explained?: Explained } {
  const { request, features, background } = context;
  if (!request.explain || background === undefined) return {};
  const { approximate, values, base }: ApproximateContributions = permutationShapley(
    (matrix, rows) => Float64Array.from(score(matrix, rows)),
    firstRow(context),
    { background, features, pairs: PAIRS, seed: SEED },
  );
  return { explained: { approximate, values, base } };
}

function sweepForests(
  set: ForestSet,
  plan: Omit<SweepRequest, "row">,
  context: Context,
): PieceLists[] {
  try {
    const sweep = set.sweep({ ...plan, row: firstRow(context) });
    return set.forests.map((_, forest) => sweep.lists(forest));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return sweepByScoring(set.score, plan, { ...context, outputs: set.forests.length });
  }
}

/** The same pieces, by scoring every cell, term by term. */
export function sweepByScoring(
  score: Score,
  plan: Omit<SweepRequest, "row">,
  context: Context & { outputs: number },
): PieceLists[] {
  const { outputs } = context;
  const amounts = amountCount(plan);
  if (amounts * plan.terms.length > MAX_SCORED_CELLS) {
    throw new ModelError(
      `Cannot sweep ${amounts} amounts by ${plan.terms.length} terms without the engine: ` +
        `there must be at most ${MAX_SCORED_CELLS} cells`,
    );
  }
  const lists = Array.from({ length: outputs }, () => ({
    ends: [] as number[],
    starts: [] as number[],
    probabilities: [] as number[],
  }));
  for (const term of plan.terms) {
    const scores = score(cellsOf(plan, { term, amounts, row: firstRow(context) }), amounts);
    for (const [output, { ends, starts, probabilities }] of lists.entries()) {
      let before = NaN;
      for (let index = 0; index < amounts; index++) {
        const probability = scores[index * outputs + output] ?? NaN;
        if (probability !== before) (starts.push(index), probabilities.push(probability));
        before = probability;
      }
      ends.push(starts.length);
    }
  }
  return lists.map(({ ends, starts, probabilities }) => ({
    ends: Float64Array.from(ends),
    starts: Float64Array.from(starts),
    probabilities: Float64Array.from(probabilities),
  }));
}

function cellsOf(
  { amountColumn, termColumn, amounts: grid, derived }: Omit<SweepRequest, "row">,
  { term, amounts, row }: { term: number; amounts: number; row: Float32Array },
): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(amounts * row.length);
  for (let index = 0; index < amounts; index++) {
    const cell = matrix.subarray(index * row.length, (index + 1) * row.length);
    cell.set(row);
    cell[termColumn] = term;
    cell[amountColumn] = grid.min + index * grid.step;
    for (const { operation, of: [first, second], column } of derived) {
      const [a, b] = [cell[first] ?? NaN, cell[second] ?? NaN];
      cell[column] = operation === "difference" ? a - b : b > 0 ? a / b : NaN;
    }
  }
  return matrix;
}

function columnOf(scores: Float64Array, column: number, width: number): Float64Array {
  return Float64Array.from(
    { length: scores.length / width },
    (_, row) => scores[row * width + column] ?? NaN,
  );
}

function missingLists(): never {
  throw new ModelError("a sweep gave no pieces for a model");
}
