/** An application as the v1 API takes it: strict JSON, so that a misspelt field is an error and not a missing answer. */
import { z } from "@hono/zod-openapi";
import type { Field, Questionnaire } from "../../configs/mod.ts";
import type { Answers } from "../../scoring/answers.ts";
import { termsShape } from "./terms.ts";

/** An answer as it is sent; one that is absent is missing, as null is. */
type SentAnswer = string | number | null | undefined;
interface SentApplication {
  readonly answers: Readonly<Record<string, SentAnswer>>;
}

const TYPES = {
  string: () => z.string({ error: must("a text") }),
  integer: () =>
    z.int({ error: must("a whole number") }).openapi({
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
  number: () => z.number({ error: must("a number") }),
} as const;

export function answersSchema({ fields }: Questionnaire) {
  return z.strictObject(Object.fromEntries(fields.map((field) => [field.id, answerSchema(field)])))
    .openapi("Answers", { example: exampleAnswers({ fields }) });
}

/** Answers alone: of what is not stored nothing else is asked. */
export function applicationSchema(questionnaire: Questionnaire) {
  return z.strictObject({ answers: answersSchema(questionnaire) }).openapi("Questions");
}

/** What is to be stored. */
export function newApplicationSchema(questionnaire: Questionnaire) {
  return z.strictObject({ answers: answersSchema(questionnaire), ...termsShape })
    .openapi("NewApplication", { example: { answers: exampleAnswers(questionnaire) } });
}

/** The answers that were given, in the order of the questionnaire, whatever the order they came in. */
export function givenAnswers({ answers }: SentApplication): Answers {
  const given: Record<string, string | number> = {};
  for (const [id, answer] of Object.entries(answers)) {
    if (answer !== null && answer !== undefined) given[id] = answer;
  }
  return given;
}

export function exampleAnswers(
  { fields }: Pick<Questionnaire, "fields">,
): Record<string, string | number> {
  return Object.fromEntries(fields.map(({ id, example }) => [id, example]));
}

function answerSchema({ type, label }: Field): z.ZodType<SentAnswer> {
  return TYPES[type]().nullish().openapi({ description: `${label.ru} (${label.en})` });
}

function must(be: string) {
  return ({ input }: { readonly input?: unknown }) =>
    `current value is ${shown(input)}: must be ${be}, or null`;
}

/** What is nested, however deep, by its kind alone. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  // JSON has no way to write an infinite number.
  return (typeof value === "number" ? String(value) : String(JSON.stringify(value))).slice(0, 80);
}
