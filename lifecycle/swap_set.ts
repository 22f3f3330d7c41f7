/**
 * What would change for the clients of the past: at each bank the applications that are advised before and after a change, the swap
 * set (N. Siddiqi, Intelligent Credit Scoring, 2017, chapter 12), with what both expect of them and what is known to have become of
 * them. Counts and sums alone: the memory does not grow with the history.
 *
 * Known limit: banks decided on those who applied. Of clients whom nobody advised to apply few outcomes are known, and those that are
 * may be unlike the others.
 */
import { wilson } from "./statistics.ts";
import type { Estimate } from "./views.ts";

/** Of one application at one bank, under one of the two. */
export interface View {
  /** Approval probability, 0 to 1; NaN where there is none. */
  readonly probability: number;
  /** Whether the client is advised to apply there. */
  readonly advised: boolean;
}

export interface Compared {
  readonly before: View;
  readonly after: View;
  /** What the bank decided, where that is known. */
  readonly approved?: boolean;
}

/** `kept`: advised before and after; `in`: newly; `out`: no longer; `neither`: not before and not after. */
export const CELLS = ["kept", "in", "out", "neither"] as const;
export type CellName = typeof CELLS[number];

export interface CellReport {
  readonly applications: number;
  /** Mean approval probability; absent where no application has one. */
  readonly expected: { readonly before?: number; readonly after?: number };
  /** What is known of the banks' decisions; `rate` with its 95 % interval, absent where nothing is known. */
  readonly outcomes: {
    readonly known: number;
    readonly approved: number;
    readonly rate?: Estimate;
  };
}

export interface SwapSetReport {
  readonly cells: Readonly<Record<CellName, CellReport>>;
  /** Mean squared error over the known decisions that both give a probability for; absent where there is none. */
  readonly brier?: { readonly known: number; readonly before: number; readonly after: number };
}

interface Cell {
  applications: number;
  readonly before: Mean;
  readonly after: Mean;
  known: number;
  approved: number;
}

/** A mean that grows with its values. */
class Mean {
  #sum = 0;
  #count = 0;

  /** What is no number is left out. */
  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.#sum += value;
    this.#count++;
  }

  get value(): number | undefined {
    return this.#count === 0 ? undefined : this.#sum / this.#count;
  }
}

/** The swap set of one bank, an application after the other. */
export class SwapSet {
  readonly #cells: Readonly<Record<CellName, Cell>> = {
    ...{ kept: emptyCell(), in: emptyCell(), out: emptyCell(), neither: emptyCell() },
  };
  readonly #errors = { before: new Mean(), after: new Mean() };
  #judged = 0;

  add({ before, after, approved }: Compared): void {
    const cell = this.#cells[cellOf(before.advised, after.advised)];
    cell.applications++;
    cell.before.add(before.probability);
    cell.after.add(after.probability);
    if (approved === undefined) return;
    cell.known++;
    if (approved) cell.approved++;
    const [was, is] = [before, after].map((view) => (view.probability - Number(approved)) ** 2);
    if (was === undefined || is === undefined || Number.isNaN(was + is)) return;
    this.#judged++;
    this.#errors.before.add(was);
    this.#errors.after.add(is);
  }

  report(): SwapSetReport {
    const { kept, in: newly, out, neither } = this.#cells;
    const [before, after] = [this.#errors.before.value, this.#errors.after.value];
    return {
      cells: {
        kept: cellReport(kept),
        in: cellReport(newly),
        out: cellReport(out),
        neither: cellReport(neither),
      },
      ...before !== undefined && after !== undefined &&
        { brier: { known: this.#judged, before, after } },
    };
  }
}

function cellOf(before: boolean, after: boolean): CellName {
  if (before) return after ? "kept" : "out";
  return after ? "in" : "neither";
}

function emptyCell(): Cell {
  return { applications: 0, before: new Mean(), after: new Mean(), known: 0, approved: 0 };
}

function cellReport({ applications, before, after, known, approved }: Cell): CellReport {
  const rate = wilson(approved, known);
  return {
    applications,
    expected: {
      ...before.value !== undefined && { before: before.value },
      ...after.value !== undefined && { after: after.value },
    },
    outcomes: { known, approved, ...rate && { rate } },
  };
}
