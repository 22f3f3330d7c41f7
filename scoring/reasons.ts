/**
 * Why a probability is what it is: the contributions of the model's features, folded into the questionnaire's own answers and
 * put into sentences.
 *
 * A feature of a field counts for that field. A derived feature counts for the answers that it comes from: its contribution
 * goes to those of its two inputs that moved it away from the typical value in the direction in which it lies, in proportion
 * to how far each did. For a difference that is the input's own deviation; for a ratio the deviation of its logarithm. There
 * the operation is a sum, and each term is its Shapley value (Shapley, 1953). Where nothing moved it, or nothing typical is
 * known, the inputs share equally; where it is missing, those that are missing share, or the divisor that is not above 0 has
 * it all. So all groups and the base still sum to the log-odds.
 */
import type { Policy, Questionnaire } from "../configs/mod.ts";
import type { Answers } from "./answers.ts";
import type { Explanation, Reason } from "./decision.ts";
import type { Features } from "./features.ts";
import type { Contributions, DerivedColumn } from "./models.ts";
import { answerText, filled } from "./words.ts";

export interface Client {
  readonly answers: Answers;
  /** Its features, NaN where missing. */
  readonly row: Float32Array;
}

export interface ReasonsOptions {
  readonly questionnaire: Questionnaire;
  readonly features: Features;
  /** The typical value of each feature, NaN where none is known. */
  readonly typical: Float32Array;
  readonly policy: Policy["reasons"];
}

export function explain(
  { approximate, values, base }: Contributions,
  client: Client,
  options: ReasonsOptions,
): Explanation {
  const folded = foldDerived(values, client.row, options);
  const all = options.questionnaire.fields.map((_, column) => folded[column] ?? 0);
  const reasons = all.flatMap((contribution, column) => {
    const reason = Math.abs(contribution) < options.policy.least
      ? undefined
      : reasonOf(column, { contribution, client, questionnaire: options.questionnaire });
    return reason === undefined ? [] : [reason];
  }).sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const shownFor = reasons.filter(({ contribution }) => contribution > 0)
    .slice(0, options.policy.most);
  const against = reasons.filter(({ contribution }) => contribution < 0)
    .slice(0, options.policy.most);
  const total = sum(all);
  const shown = [...shownFor, ...against].map(({ contribution }) => contribution);
  return {
    approximate,
    base,
    for: shownFor,
    against,
    leftOut: { answers: all.length - shown.length, contribution: total - sum(shown) },
    logOdds: base + total,
  };
}

/** The contributions by column, those of derived columns moved into the columns that they come from. */
export function foldDerived(
  contributions: Float64Array,
  row: Float32Array,
  { features, typical }: Pick<ReasonsOptions, "features" | "typical">,
): Float64Array {
  const folded = Float64Array.from(contributions);
  for (const derived of features.derived.toReversed()) {
    const [first, second] = derived.of;
    const contribution = folded[derived.column] ?? 0;
    const share = shareOfFirst(derived, { row, typical });
    folded[derived.column] = 0;
    folded[first] = (folded[first] ?? 0) + share * contribution;
    folded[second] = (folded[second] ?? 0) + (1 - share) * contribution;
  }
  return folded;
}

/** How much of a derived feature's contribution its first input has, 0 to 1. */
function shareOfFirst(
  { operation, of: [first, second] }: DerivedColumn,
  { row, typical }: { row: Float32Array; typical: Float32Array },
): number {
  const [a, b] = [row[first] ?? NaN, row[second] ?? NaN];
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return (Number(Number.isNaN(a)) - Number(Number.isNaN(b)) + 1) / 2;
  }
  if (operation === "ratio" && b <= 0) return 0;
  const [usualA, usualB] = [typical[first] ?? NaN, typical[second] ?? NaN];
  const byFirst = operation === "ratio" ? Math.log(a / usualA) : a - usualA;
  const bySecond = operation === "ratio" ? -Math.log(b / usualB) : usualB - b;
  if (byFirst === -Infinity) return 1;
  const direction = Math.sign(byFirst + bySecond);
  const [pullA, pullB] = [Math.max(0, direction * byFirst), Math.max(0, direction * bySecond)];
  return pullA + pullB > 0 ? pullA / (pullA + pullB) : 0.5;
}

function reasonOf(
  column: number,
  { contribution, client: { answers, row }, questionnaire }: {
    contribution: number;
    client: Client;
    questionnaire: Questionnaire;
  },
): Reason | undefined {
  const field = questionnaire.fields[column];
  if (field === undefined) return undefined;
  const feature = row[column] ?? NaN;
  const missing = Number.isNaN(feature);
  const side = contribution > 0 ? "for" : "against";
  const { label, reasons } = field;
  const shown = { ru: `${label.ru}: {value}`, en: `${label.en}: {value}` };
  const unanswered = { ru: `${label.ru}: нет ответа`, en: `${label.en}: no answer` };
  const sentence = missing ? reasons?.missing ?? unanswered : reasons?.[side] ?? shown;
  const value = missing ? "" : answerText(field, { feature, answer: answers[field.id] ?? null });
  return {
    code: `${field.id}.${missing ? "missing" : side}`,
    field: field.id,
    contribution,
    text: filled(sentence, { value }),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
