/** What clients can be told apart by: each question whose answers are few, or in an order. Pure. */
import type { Field, Questionnaire } from "../configs/mod.ts";
import { type FeatureRow, Features } from "../scoring/features.ts";
import { duration, filled, type Localized, money } from "../scoring/words.ts";
import type { Column, Condition } from "./cohort_search.ts";
import { NO_ANSWER, OTHER } from "./segments.ts";
import { COHORT_TEXTS } from "./texts.ts";

/** More answers than these are no cohorts to be read. */
const MOST_ANSWERS = 60;
/** An ordered column is cut into so many parts of about the same size, at numbers with two digits that count. */
const PARTS = 10;
const DIGITS = 2;

/** A condition as it is read. */
export interface ShownCondition {
  /** Id of the question. */
  readonly field: string;
  readonly text: Localized;
}

export interface CohortColumn extends Column {
  /** Id of the question, and what it is called. */
  readonly field: string;
  readonly title: Localized;
  readonly show: (condition: Condition) => ShownCondition;
}

/** Of clients in their order; questions whose answers are too many, such as a shop's code, are left out. */
export function cohortColumns(
  questionnaire: Questionnaire,
  rows: readonly FeatureRow[],
): CohortColumn[] {
  const features = new Features(questionnaire);
  const width = features.names.length;
  const matrix = features.matrix(rows);
  return questionnaire.fields.flatMap((field, at) => {
    const values = Float32Array.from(rows, (_, row) => matrix[row * width + at] ?? NaN);
    const column = columnOf(field, values);
    return column === undefined ? [] : [column];
  });
}

function columnOf(field: Field, values: Float32Array): CohortColumn | undefined {
  const { meaning } = field;
  switch (meaning.kind) {
    case "category":
      return listed(field, values, meaning.values.map(({ label }) => label));
    case "text":
      return listed(field, values, meaning.groups.map(({ label }) => label));
    case "quantity":
      return ordered(field, values, {
        // A code that is no currency, such as "children", is said by the question itself.
        write: (value) => money(value, meaning.unit),
        texts: COHORT_TEXTS.amount,
      });
    case "date":
      return ordered(field, values, {
        write: (value) => duration(value, meaning.unit),
        texts: COHORT_TEXTS.ago,
      });
    case "code":
      return undefined;
  }
}

/** Bin 0 has no answer, and the last one that is not listed. */
function listed(
  { id, label }: Field,
  values: Float32Array,
  answers: readonly Localized[],
): CohortColumn | undefined {
  if (answers.length > MOST_ANSWERS) return undefined;
  const titles = [NO_ANSWER.title, ...answers, OTHER.title];
  const last = titles.length - 1;
  return {
    ...{ field: id, title: label },
    values: Uint8Array.from(values, (code) => Number.isNaN(code) ? 0 : code < 0 ? last : code + 1),
    bins: titles.length,
    ordered: false,
    show: ({ from }) => ({
      field: id,
      text: filled(COHORT_TEXTS.answer, { field: label, answer: titles[from] ?? OTHER.title }),
    }),
  };
}

interface Written {
  readonly write: (value: number) => Localized;
  readonly texts: Readonly<Record<"atLeast" | "below" | "between", Localized>>;
}

/** Bin 0 has no answer; bin b holds what is at least edge b - 1 and below the next. */
function ordered(
  { id, label }: Field,
  values: Float32Array,
  { write, texts }: Written,
): CohortColumn {
  const edges = edgesOf(values);
  const last = edges.length + 1;
  return {
    ...{ field: id, title: label },
    values: Uint8Array.from(
      values,
      (value) => Number.isNaN(value) ? 0 : 1 + edges.filter((edge) => edge <= value).length,
    ),
    bins: last + 1,
    ordered: true,
    show({ from, to }) {
      const [low, high] = [edges[from - 2], edges[to - 1]].map((edge) =>
        edge === undefined ? undefined : write(edge)
      );
      const whole = from === 0 ? NO_ANSWER.title : low || high ? undefined : COHORT_TEXTS.answered;
      if (whole !== undefined) {
        return { field: id, text: filled(COHORT_TEXTS.answer, { field: label, answer: whole }) };
      }
      const text = low && high ? texts.between : low ? texts.atLeast : texts.below;
      return {
        field: id,
        text: filled(text, { field: label, ...low && { from: low }, ...high && { below: high } }),
      };
    },
  };
}

/** Where to cut: rising, each above the least value. */
export function edgesOf(values: Float32Array): number[] {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const edges = Array.from({ length: PARTS - 1 }, (_, part) => {
    const value = known[Math.floor((part + 1) * known.length / PARTS)] ?? NaN;
    return Number(value.toPrecision(DIGITS));
  });
  const least = known[0] ?? NaN;
  return [...new Set(edges)].filter((edge) => edge > least).sort((a, b) => a - b);
}
