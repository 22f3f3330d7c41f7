/**
 * Sweeps: one client's approval probability at every bank, over every amount and term, as exact
 * pieces. Within a piece, amounts from one grid point to another, the probability is the same number.
 */

import { ModelError } from "./instance.ts";

/** A column computed from two others, in floats as the features are. */
export interface DerivedColumn {
  /** The first by the second where that is above 0, otherwise missing; or the first minus the second. */
  readonly operation: "ratio" | "difference";
  readonly of: readonly [number, number];
  readonly column: number;
}

export interface SweepRequest {
  /** The client's features; the amount, the term and what derives from them are not read. */
  readonly row: Float32Array;
  readonly amountColumn: number;
  readonly termColumn: number;
  /** The grid of amounts: `min + index * step` up to `max`, each rounded to a float. */
  readonly amounts: { readonly min: number; readonly max: number; readonly step: number };
  readonly terms: readonly number[];
  /** In the order of their computation. Each must rise or fall with the amount at a fixed term. */
  readonly derived: readonly DerivedColumn[];
}

/** A range of amounts, both ends in it, with one probability. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly probability: number;
}

export interface Cell {
  /** Index of the forest in its set. */
  readonly forest: number;
  readonly amount: number;
  readonly term: number;
  readonly probability: number;
}

const OPERATIONS = ["ratio", "difference"] as const;

/** The doubles that the engine takes for a sweep. */
export function encodeRequest(request: SweepRequest): Float64Array<ArrayBuffer> {
  const { row, amountColumn, termColumn, amounts, terms, derived } = request;
  return Float64Array.from([
    ...[amountColumn, termColumn, amounts.min, amounts.step, amountCount(request)],
    ...[terms.length, ...terms],
    derived.length,
    ...derived.flatMap(({ operation, of, column }) => [
      OPERATIONS.indexOf(operation),
      ...of,
      column,
    ]),
    ...row,
  ]);
}

/** Number of grid points of the amount. Throws `ModelError` where there is none. */
export function amountCount(
  { amounts: { min, max, step } }: Pick<SweepRequest, "amounts">,
): number {
  const count = Math.floor((max - min) / step + 1e-9) + 1;
  if (count >= 1 && step > 0) return count;
  throw new ModelError(
    `Cannot sweep amounts from ${min} to ${max} in steps of ${step}: none is there`,
  );
}

/** What a sweep found. */
export class Sweep {
  readonly forests: number;
  readonly terms: readonly number[];
  /** Number of grid points of the amount. */
  readonly amounts: number;
  readonly #grid: { readonly min: number; readonly step: number };
  readonly #ends: Float64Array;
  readonly #starts: Float64Array;
  readonly #probabilities: Float64Array;

  constructor(request: SweepRequest, forests: number, found: Float64Array) {
    this.forests = forests;
    this.terms = request.terms;
    this.amounts = amountCount(request);
    this.#grid = request.amounts;
    const lists = forests * request.terms.length;
    const pieces = (found.length - lists) / 2;
    this.#ends = found.subarray(0, lists);
    this.#starts = found.subarray(lists, lists + pieces);
    this.#probabilities = found.subarray(lists + pieces);
  }

  /** The amount at a grid point, as the feature matrix holds it. */
  amountAt(index: number): number {
    return Math.fround(this.#grid.min + index * this.#grid.step);
  }

  /** The pieces of a forest as they are stored: where each term's list ends, from which index each probability holds. */
  lists(forest: number) {
    const terms = this.terms.length;
    const [from] = this.#list(forest, 0);
    const [, end] = this.#list(forest, terms - 1);
    return {
      ends: this.#ends.slice(forest * terms, (forest + 1) * terms).map((at) => at - from),
      starts: this.#starts.slice(from, end),
      probabilities: this.#probabilities.slice(from, end),
    };
  }

  /** All amounts at a term, in pieces that rise and leave no gap. */
  pieces(forest: number, term: number): Piece[] {
    const [first, end] = this.#list(forest, this.#termIndex(term));
    return Array.from({ length: end - first }, (_, index) => this.#piece(first + index, end));
  }

  /**
   * The probability at an amount of the grid.
   *
   * @throws {ModelError} when the amount or the term is not among those of the sweep
   */
  probability(forest: number, { amount, term }: { amount: number; term: number }): number {
    const index = Math.round((amount - this.#grid.min) / this.#grid.step);
    if (!(index >= 0 && index < this.amounts) || this.amountAt(index) !== Math.fround(amount)) {
      throw new ModelError(`Cannot look up the amount ${amount}: it must be one of the sweep's`);
    }
    let [first, end] = this.#list(forest, this.#termIndex(term));
    while (end - first > 1) {
      const middle = (first + end) >> 1;
      if ((this.#starts[middle] ?? NaN) <= index) first = middle;
      else end = middle;
    }
    return this.#probabilities[first] ?? NaN;
  }

  /** The largest amount of a term that a forest gives at least this probability; null when none. */
  largestAmount(forest: number, { term, probability }: { term: number; probability: number }) {
    const [first, end] = this.#list(forest, this.#termIndex(term));
    for (let at = end - 1; at >= first; at--) {
      if ((this.#probabilities[at] ?? NaN) >= probability) return this.#piece(at, end).to;
    }
    return null;
  }

  /**
   * The cell with the greatest objective, the first of equals in the order of forests, terms and
   * amounts; null when the objective is NaN or -Infinity everywhere.
   *
   * @param options.monotone the objective rises, or falls, strictly with the amount where the rest
   * stays: then only the ends of the pieces are looked at
   */
  best(
    objective: (cell: Cell) => number,
    { monotone = false, forest: only }: { monotone?: boolean; forest?: number } = {},
  ): Cell | null {
    let best: Cell | null = null;
    let most = -Infinity;
    for (
      let forest = only ?? 0;
      forest < (only === undefined ? this.forests : only + 1);
      forest++
    ) {
      for (const [termIndex, term] of this.terms.entries()) {
        const [first, end] = this.#list(forest, termIndex);
        for (let at = first; at < end; at++) {
          const from = this.#starts[at] ?? NaN;
          const to = this.#lastOf(at, end);
          const probability = this.#probabilities[at] ?? NaN;
          const stride = monotone ? Math.max(to - from, 1) : 1;
          for (let index = from; index <= to; index += stride) {
            const cell = { forest, amount: this.amountAt(index), term, probability };
            const value = objective(cell);
            if (value > most) [best, most] = [cell, value];
          }
        }
      }
    }
    return best;
  }

  /** The probability of every cell: forests by terms by amounts. */
  grid(): Float64Array<ArrayBuffer> {
    const cells = new Float64Array(this.forests * this.terms.length * this.amounts);
    for (let list = 0; list < this.#ends.length; list++) {
      const [first, end] = [list === 0 ? 0 : this.#ends[list - 1] ?? NaN, this.#ends[list] ?? NaN];
      const offset = list * this.amounts;
      for (let at = first; at < end; at++) {
        const from = this.#starts[at] ?? NaN;
        cells.fill(
          this.#probabilities[at] ?? NaN,
          offset + from,
          offset + this.#lastOf(at, end) + 1,
        );
      }
    }
    return cells;
  }

  #termIndex(term: number): number {
    const index = this.terms.indexOf(term);
    if (index >= 0) return index;
    throw new ModelError(
      `Cannot look up the term ${term}: it must be one of the sweep's, ${this.terms.join(", ")}`,
    );
  }

  #list(forest: number, termIndex: number): [number, number] {
    const list = forest * this.terms.length + termIndex;
    const end = forest < this.forests ? this.#ends[list] : undefined;
    if (end === undefined) throw new ModelError(`Cannot look up forest ${forest}: not in the set`);
    return [list === 0 ? 0 : this.#ends[list - 1] ?? NaN, end];
  }

  #lastOf(at: number, end: number): number {
    return (at + 1 < end ? this.#starts[at + 1] ?? NaN : this.amounts) - 1;
  }

  #piece(at: number, end: number): Piece {
    return {
      from: this.amountAt(this.#starts[at] ?? NaN),
      to: this.amountAt(this.#lastOf(at, end)),
      probability: this.#probabilities[at] ?? NaN,
    };
  }
}
