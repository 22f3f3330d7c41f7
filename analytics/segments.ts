/**
 * The segments by which decisions of banks are looked at: the answers to each question that has a short list of them. Pure.
 *
 * Known limit: stored bins are positions in the questionnaire of their time; another questionnaire gives them other titles.
 */
import type { Questionnaire } from "../configs/mod.ts";
import type { Answers } from "../scoring/answers.ts";
import { Features } from "../scoring/features.ts";
import type { Localized } from "../scoring/words.ts";

/** A question, with a bin for each answer; bin 0 has no answer, and the last an answer that is not listed. */
export interface Split {
  readonly id: string;
  readonly title: Localized;
  readonly bins: readonly { readonly id: string; readonly title: Localized }[];
}

/** One answer to a question: the clients who gave it. */
export interface Cohort {
  /** Id of a split, and of a bin in it. */
  readonly split: string;
  readonly bin: string;
}

/** Tells by an application's bins whether it belongs to the cohort; `undefined` where there is no such one. */
export function cohortTest(
  splits: readonly Split[],
  cohort: Cohort,
): ((bins: ArrayLike<number>) => boolean) | undefined {
  const split = splits.findIndex(({ id }) => id === cohort.split);
  const bin = splits[split]?.bins.findIndex(({ id }) => id === cohort.bin) ?? -1;
  return bin < 0 ? undefined : (bins) => bins[split] === bin;
}

/** More answers than these make no segments to be read. */
const MOST_VALUES = 60;

export const NO_ANSWER = { id: "none", title: { ru: "нет ответа", en: "no answer" } } as const;
export const OTHER = { id: "other", title: { ru: "другой ответ", en: "another answer" } } as const;

export function splitsOf({ fields }: Questionnaire): Split[] {
  return fields.flatMap(({ id, label, meaning }) =>
    meaning.kind === "category" && meaning.values.length <= MOST_VALUES
      ? [{
        ...{ id, title: label },
        bins: [
          NO_ANSWER,
          ...meaning.values.map(({ label }, code) => ({ id: String(code), title: label })),
          OTHER,
        ],
      }]
      : []
  );
}

/** Reads the bins of an application, in the order of `splitsOf`. */
export function binsReader(
  questionnaire: Questionnaire,
): (application: { readonly answers: Answers; readonly atMs: number }) => Uint8Array {
  const features = new Features(questionnaire);
  const columns = splitsOf(questionnaire).map(({ id, bins }) => ({
    column: questionnaire.fields.findIndex((field) => field.id === id),
    other: bins.length - 1,
  }));
  return (application) => {
    const row = features.matrix([application]);
    return Uint8Array.from(columns, ({ column, other }) => {
      const code = row[column] ?? NaN;
      return Number.isNaN(code) ? 0 : code < 0 ? other : code + 1;
    });
  };
}

/** The code of the character that stands for bin 0. */
const FIRST = "0".charCodeAt(0);

/** A character for each bin, as they are stored. */
export function encodeBins(bins: Uint8Array): string {
  return String.fromCharCode(...bins.map((bin) => FIRST + bin));
}

/** The other way; what was not stored has no answer. */
export function decodeBins(text: string, splits: number): Uint8Array {
  return Uint8Array.from({ length: splits }, (_, at) => {
    const code = text.charCodeAt(at);
    return Number.isNaN(code) ? 0 : code - FIRST;
  });
}
