/**
 * The grid that the models are swept over: all amounts and terms of all products, of which a product's loans are some; and the
 * pieces that a sweep of it gives.
 */
import type { LoanGrid, Product } from "../configs/mod.ts";
import type { PieceLists } from "./models.ts";

/** The grid without the amounts above `amount`; `undefined` where nothing is left. */
export function upTo(grid: LoanGrid, amount: number): LoanGrid | undefined {
  if (!(amount >= grid.min)) return undefined;
  const last = grid.min + Math.floor((amount - grid.min) / grid.step) * grid.step;
  return { ...grid, max: Math.min(grid.max, last) };
}

/** The least and greatest amount of a product within bounds; `undefined` where it has none there. */
export function productAmounts(
  { amount: { min, max, step } }: Product,
  { from, to }: { from: number; to: number },
): { readonly least: number; readonly most: number } | undefined {
  const least = min + Math.max(0, Math.ceil((from - min) / step)) * step;
  const most = Math.min(max, min + Math.floor((to - min) / step) * step);
  return least <= most ? { least, most } : undefined;
}

/** Amounts from one to another with one probability. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly probability: number;
}

/** One model's pieces at one of the terms, rising and without a gap. */
export function piecesAt(
  { ends, starts, probabilities }: PieceLists,
  { term, grid: { min, max, step } }: {
    /** Index of the term. */
    term: number;
    grid: Pick<LoanGrid, "min" | "max" | "step">;
  },
): readonly Piece[] {
  const [first, end] = [term === 0 ? 0 : ends[term - 1] ?? 0, ends[term] ?? 0];
  const pieces: Piece[] = [];
  for (let at = first; at < end; at++) {
    pieces.push({
      from: min + (starts[at] ?? NaN) * step,
      to: at + 1 < end ? min + ((starts[at + 1] ?? NaN) - 1) * step : max,
      probability: probabilities[at] ?? NaN,
    });
  }
  return pieces;
}
