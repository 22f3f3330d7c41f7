/**
 * The one definition of the models' features: an application's answers and the time it was made -> one row of float32.
 * Training gets the same rows from `deno task features`; nothing else computes a feature.
 *
 * What it promises: any answer gives a row, never an error. An answer that is absent, empty, the text NULL, not readable, or
 * outside the field's plausible range is missing (NaN). A category that the questionnaire does not list has a value of its
 * own, `UNKNOWN`, as has a text in which no group is recognised.
 */
import {
  type Derived,
  featureName,
  type Field,
  normalise,
  type Questionnaire,
} from "../configs/mod.ts";
import type { Answer, Answers } from "./answers.ts";
import { parseDateMs } from "./dates.ts";
import type { DerivedColumn } from "./models.ts";

/** The feature of a category or text that was answered, but with nothing that the questionnaire knows. */
export const UNKNOWN = -1;

const MISSING = NaN;
export const DAY_MS = 86_400_000;
/** Mean lengths in the Gregorian calendar, whose cycle of 400 years has 146,097 days. */
export const UNIT_MS = { years: 365.2425 * DAY_MS, months: 365.2425 / 12 * DAY_MS } as const;
/** Stems shorter than this stand for a whole word, and words shorter than this are no abbreviation. */
const MIN_STEM = 3;

export interface FeatureRow {
  readonly answers: Answers;
  /** When the application was made: ages and tenures are counted up to here. Milliseconds since the epoch. */
  readonly atMs: number;
}

/** Reads one answer into one number; NaN is missing. */
type Reader = (answer: Answer, atMs: number) => number;

/** The features of a questionnaire, in the order of the model matrix. */
export class Features {
  readonly names: readonly string[];
  readonly #fields: readonly { id: string; read: Reader }[];
  /** The derived columns, in the order in which they are computed. */
  readonly derived: readonly DerivedColumn[];
  /** What `derivedFrom` found before: a decision asks for the same few columns hundreds of times. */
  readonly #derivedFrom = new Map<string, readonly DerivedColumn[]>();

  constructor({ fields, derived }: Questionnaire) {
    this.names = [...fields.map(featureName), ...derived.map(({ feature }) => feature)];
    this.#fields = fields.map((field) => ({ id: field.id, read: readerOf(field) }));
    this.derived = derived.map(({ operation, of: [first, second] }, index) => ({
      operation,
      of: [this.names.indexOf(first), this.names.indexOf(second)],
      column: fields.length + index,
    }));
  }

  /** The derived columns that any of the given ones can change, in the order of their computation. */
  derivedFrom(columns: readonly number[]): readonly DerivedColumn[] {
    const key = columns.join();
    const known = this.#derivedFrom.get(key);
    if (known !== undefined) return known;
    const changed = new Set(columns);
    const found = this.derived.filter(({ of, column }) => {
      const depends = of.some((input) => changed.has(input));
      if (depends) changed.add(column);
      return depends;
    });
    this.#derivedFrom.set(key, found);
    return found;
  }

  /** A row with other values in some columns, and what derives from these computed again. */
  withValues(
    row: Float32Array,
    values: readonly (readonly [column: number, value: number])[],
  ): Float32Array<ArrayBuffer> {
    const changed = Float32Array.from(row);
    for (const [column, value] of values) changed[column] = value;
    recompute(changed, this.derivedFrom(values.map(([column]) => column)));
    return changed;
  }

  /** The matrix of `rows`: row-major, `rows.length` x `names.length`. */
  matrix(rows: readonly FeatureRow[]): Float32Array<ArrayBuffer> {
    const width = this.names.length;
    const matrix = new Float32Array(rows.length * width);
    for (const [index, row] of rows.entries()) {
      this.#write(row, matrix.subarray(index * width, (index + 1) * width));
    }
    return matrix;
  }

  #write({ answers, atMs }: FeatureRow, into: Float32Array): void {
    let column = 0;
    for (const { id, read } of this.#fields) {
      const answer = Object.hasOwn(answers, id) ? answers[id] ?? null : null;
      into[column++] = isMissing(answer) ? MISSING : read(answer, atMs);
    }
    recompute(into, this.derived);
  }
}

/** What a model must have been trained on: the feature names in order, and a fingerprint of how they are computed. */
export interface FeatureDescription {
  readonly names: readonly string[];
  /** SHA-256, in hex, over everything in the questionnaire that a feature depends on; labels are not in it. */
  readonly sha256: string;
}

export async function describeFeatures(questionnaire: Questionnaire): Promise<FeatureDescription> {
  const { fields, derived } = questionnaire;
  const defining = {
    fields: fields.map(({ id, type, meaning }) => ({ id, type, meaning })),
    derived,
  };
  const text = JSON.stringify(defining, (key, value) => key === "label" ? undefined : value);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return { names: new Features(questionnaire).names, sha256: new Uint8Array(digest).toHex() };
}

/** Absent, blank, or one of the ways in which a table writes "no answer". */
export function isMissing(answer: Answer): boolean {
  if (answer === null) return true;
  if (typeof answer !== "string") return false;
  const text = answer.trim();
  return text === "" || text.toUpperCase() === "NULL";
}

function readerOf({ meaning }: Field): Reader {
  switch (meaning.kind) {
    case "quantity":
    case "code":
      return (answer) => within(Number(answer), meaning.range);
    case "date":
      return (answer, atMs) => {
        const fromMs = parseDateMs(String(answer));
        return fromMs === undefined
          ? MISSING
          : within((atMs - fromMs) / UNIT_MS[meaning.unit], meaning.range);
      };
    case "category": {
      const codes = new Map(
        meaning.values.map(({ value }, code) => [normalise(String(value)), code]),
      );
      return (answer) => codes.get(normalise(String(answer))) ?? UNKNOWN;
    }
    case "text": {
      const groups = meaning.groups.map(({ stems }) => stems.map(normalise));
      return (answer) => {
        const words = normalise(String(answer)).split(/[^\p{L}\p{N}]+/u);
        return groups.findIndex((stems) =>
          words.some((word) => stems.some((stem) => matchesStem(word, stem)))
        );
      };
    }
  }
}

/** A word that begins with the stem, or a cut-off word ("мене") with which the stem begins. */
function matchesStem(word: string, stem: string): boolean {
  if (word.length < MIN_STEM || stem.length < MIN_STEM) return word === stem;
  return word.startsWith(stem) || stem.startsWith(word);
}

function within(value: number, range: { readonly min: number; readonly max: number }): number {
  return value >= range.min && value <= range.max ? value : MISSING;
}

function recompute(row: Float32Array, derived: readonly DerivedColumn[]): void {
  for (const { of: [first, second], operation, column } of derived) {
    row[column] = derive(operation, row[first] ?? MISSING, row[second] ?? MISSING);
  }
}

function derive(operation: Derived["operation"], first: number, second: number): number {
  switch (operation) {
    case "ratio":
      return second > 0 ? first / second : MISSING;
    case "difference":
      return first - second;
  }
}
