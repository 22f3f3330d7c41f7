/** The models of all banks as the domain sees them. They are injected; what they are made of is not known here. */

/** Grids over one client's row: amounts by terms, or any other column in the place of the amount. */
export interface SweepPlan {
  readonly amountColumn: number;
  readonly termColumn: number;
  /** `min + index * step` up to `max`, each rounded to a float. */
  readonly amounts: { readonly min: number; readonly max: number; readonly step: number };
  readonly terms: readonly number[];
  /** What is computed again at each cell, in this order. */
  readonly derived: readonly DerivedColumn[];
}

/** A column computed from two others: the first by the second where that is above 0, or the first minus the second. */
export interface DerivedColumn {
  readonly operation: "ratio" | "difference";
  readonly of: readonly [number, number];
  readonly column: number;
}

export interface Inspection {
  /** Row-major, `rows` x features, NaN where missing. The first row is the client's. */
  readonly matrix: Float32Array<ArrayBuffer>;
  readonly rows: number;
  /** Whether to explain the first row. */
  readonly explain: boolean;
  /** Over the first row. */
  readonly sweeps: readonly SweepPlan[];
}

/** One model's probabilities over a grid: for each term pieces, amounts in a row with one probability. */
export interface PieceLists {
  /** By term: where in the other two its list ends. */
  readonly ends: Float64Array;
  /** Index of the amount from which a piece's probability holds, up to the next one of the list. */
  readonly starts: Float64Array;
  readonly probabilities: Float64Array;
}

/** The log-odds of the first row, split over the features. */
export interface Contributions {
  /** Estimated by sampling. */
  readonly approximate: boolean;
  /** One per feature; with `base` they sum to the log-odds. */
  readonly values: Float64Array;
  readonly base: number;
}

export interface ModelView {
  /** One per row, in [0, 1]. */
  readonly probabilities: Float64Array;
  /** Absent where it was not asked for, or cannot be had. */
  readonly explained?: Contributions;
  /** In the order of the inspection's. */
  readonly sweeps: readonly PieceLists[];
}

/** What one model answered, or why it did not. */
export type Inspected = { readonly view: ModelView } | { readonly failure: string };

/** How far a probability may be off, by bin of the probability. */
export interface ProbabilityBand {
  /** Share of applications whose true probability it should hold. */
  readonly level: number;
  /** Rising inner bounds of the bins. */
  readonly edges: readonly number[];
  /** By bin: the interval begins at p - below, or 0. */
  readonly below: readonly number[];
  /** By bin: the interval ends at p + above, or 1. */
  readonly above: readonly number[];
}

/** The models of all banks, wherever they run. */
export interface Models {
  readonly version: string;
  /**
   * Approval probabilities in [0, 1], row-major `rows` x banks. `matrix` is row-major `rows` x features, NaN where missing;
   * it may be taken away from the caller. Rejects where the models cannot answer.
   */
  score(matrix: Float32Array<ArrayBuffer>, rows: number): Promise<Float64Array>;
  /** Looks closely at one client, bank by bank: a model that fails says why, and the others answer. The matrix may be taken away. */
  inspect(inspection: Inspection): Promise<readonly Inspected[]>;
}
