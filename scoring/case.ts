/**
 * An application on its way to a decision: its features, and everything that the models are asked about it at once: the
 * answers that could change, the loans that could be offered, the curves over all amounts.
 */
import type { LoanGrid, Policy, Questionnaire } from "../configs/mod.ts";
import type { Features } from "./features.ts";
import { upTo } from "./loan_grid.ts";
import type { Inspection, SweepPlan } from "./models.ts";
import type { AskedLoan } from "./offers.ts";
import type { CompiledRule } from "./policy.ts";
import { type Lever, leversOf } from "./recourse.ts";
import type { Application } from "./score.ts";

/** What all applications share: the configuration, made ready. */
export interface Setting {
  readonly questionnaire: Questionnaire;
  readonly policy: Policy;
  readonly features: Features;
  /** The typical value of each feature, NaN where none is known. */
  readonly typical: Float32Array;
  readonly rules: readonly CompiledRule[];
  /** Of the loan's own fields, -1 where the questionnaire has none. */
  readonly columns: { readonly amount: number; readonly term: number };
  /** All loans of all products; absent where there is none. */
  readonly grid: LoanGrid | undefined;
  readonly currency: string | undefined;
}

/** A grid, and which sweep of the inspection has it. */
export interface Swept {
  readonly grid: LoanGrid;
  readonly sweep: number;
}

export interface Case {
  readonly application: Application;
  readonly row: Float32Array<ArrayBuffer>;
  /** The loan asked for, where it is stated whole. */
  readonly asked: AskedLoan | undefined;
  readonly levers: readonly Lever[];
  /** By lever: its first row, or its sweep, in the inspection. */
  readonly places: readonly number[];
  readonly inspection: Inspection;
  /** The loans that may be offered. */
  readonly lendable: Swept | undefined;
  /** All amounts at the term asked for. */
  readonly curves: Swept | undefined;
}

export function openCase(
  application: Application,
  { setting, curves }: { setting: Setting; curves: boolean },
): Case {
  const { features, grid } = setting;
  const row = features.matrix([application]);
  const asked = askedOf(row, setting);
  const sweeps: SweepPlan[] = [];
  const rows: Float32Array[] = [row];
  const levers = leversOf(row, { ...setting, policy: setting.policy.recourse });
  const places = levers.map(({ ask, column }) => {
    if (ask.kind === "sweep") return sweeps.push(ask.plan) - 1;
    const first = rows.length;
    rows.push(...ask.values.map((value) => features.withValues(row, [[column, value]])));
    return first;
  });
  const swept = (grid: LoanGrid | undefined): Swept | undefined =>
    grid && { grid, sweep: sweeps.push(sweepOf(grid, setting)) - 1 };
  const lendable = swept(asked && grid && upTo(grid, asked.amount));
  const whole = curves && asked && grid ? { ...grid, terms: [asked.term] } : undefined;
  const allAmounts = swept(whole);
  return {
    application,
    row,
    asked,
    levers,
    places,
    inspection: { ...stacked(rows), explain: true, sweeps },
    lendable,
    curves: allAmounts,
  };
}

/** The loan that a row asks for, where it is stated whole. */
export function askedOf(
  row: Float32Array,
  { columns }: Pick<Setting, "columns">,
): AskedLoan | undefined {
  const [amount = NaN, term = NaN] = [row[columns.amount], row[columns.term]];
  return amount > 0 && term > 0 ? { amount, term } : undefined;
}

function sweepOf(
  { min, max, step, terms }: LoanGrid,
  { columns: { amount, term }, features }: Setting,
): SweepPlan {
  return {
    amountColumn: amount,
    termColumn: term,
    amounts: { min, max, step },
    terms,
    derived: features.derivedFrom([amount, term]),
  };
}

/** Rows of one width as one matrix. */
export function stacked(rows: readonly Float32Array[]): Pick<Inspection, "matrix" | "rows"> {
  const width = rows[0]?.length ?? 0;
  const matrix = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) matrix.set(row, index * width);
  return { matrix, rows: rows.length };
}
