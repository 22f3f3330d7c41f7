/**
 * `questionnaire.json`: the fields of an application, what each answer means to the models, and the features derived from
 * them. The order here is the order of the model matrix: one feature per field, then the derived ones.
 */
import { z } from "zod";
import { normalise } from "./normalise.ts";
import { identifier, localized, range, refuseRepeats } from "./text.ts";

const sentence = localized.describe("{value} stands for the client's answer");

/** A pattern that says nothing of its flag is what JSON Schema takes: there every pattern is Unicode's. */
const WORD = /^[\p{L}\p{N}]{2,}$/u;
const stem = z.string().regex(WORD, "must be one word of letters").meta({ pattern: WORD.source });

const answerValue = z.union([z.string().min(1), z.int()]);

const meaningSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("quantity").describe("An amount; the feature is the number itself"),
    unit: z.string().min(1),
    range,
  }),
  z.strictObject({
    kind: z.literal("code").describe("An identifier given as a number, such as a shop code"),
    range,
  }),
  z.strictObject({
    kind: z.literal("date").describe("A date; the feature is the time from it to the application"),
    feature: identifier,
    unit: z.enum(["years", "months"]),
    range,
  }),
  z.strictObject({
    kind: z.literal("category").describe("One of the values; the feature is its position"),
    values: z.array(z.strictObject({ value: answerValue, label: localized })).min(2).max(1000),
  }),
  z.strictObject({
    kind: z.literal("text").describe("Free text; the feature is the first group with a known stem"),
    feature: identifier,
    groups: z.array(z.strictObject({
      id: identifier,
      label: localized,
      stems: z.array(stem).min(1),
    })).min(1).max(1000),
  }),
]);

const fieldSchema = z.strictObject({
  id: identifier.describe("Key in the API and, after lower-casing and underscores, CSV header"),
  type: z.enum(["string", "integer", "number"]).describe("JSON type of the answer"),
  label: localized,
  meaning: meaningSchema,
  example: z.union([z.string(), z.number()]).describe("An answer, shown in the documentation"),
  role: z.enum(["amount", "term"]).optional().describe(
    "The loan's own fields, which offers change: its amount, and its term in months",
  ),
  change: z.enum(["immutable", "only_up", "only_down", "free"]).default("immutable").describe(
    "What a client can do about the answer; up and down are of the feature: an age, the place among a category's values",
  ),
  changeStep: z.number().gt(0).default(1).describe("Steps in which a changed number is looked for"),
  reasons: z.strictObject({ for: sentence, against: sentence, missing: localized.optional() })
    .optional().describe(
      "What is said where the answer counts; the label and the value by default",
    ),
});

const derivedSchema = z.strictObject({
  feature: identifier,
  operation: z.enum(["ratio", "difference"]).describe(
    "ratio: first / second, missing where the second is not positive; difference: first - second",
  ),
  of: z.tuple([identifier, identifier]).describe("Features named earlier"),
});

export const questionnaireSchema = z.strictObject({
  $schema: z.string().optional(),
  fields: z.array(fieldSchema).min(1).max(1000),
  derived: z.array(derivedSchema).max(1000).default([]),
}).superRefine((questionnaire, ctx) => {
  const { fields, derived } = questionnaire;
  refuseRepeats(fields, { ctx, path: ["fields"], of: (field) => field.id });
  for (const [index, field] of fields.entries()) checkField(field, { ctx, index });
  checkFeatureNames(questionnaire, ctx);
  checkRoles(questionnaire, ctx);
  const known = new Set(fields.map(featureName));
  for (const [index, { feature, of }] of derived.entries()) {
    for (const [side, name] of of.entries()) {
      if (known.has(name)) continue;
      ctx.addIssue({
        code: "custom",
        path: ["derived", index, "of", side],
        input: name,
        message: `must name a feature that stands before it: one of ${[...known].join(", ")}`,
      });
    }
    known.add(feature);
  }
});

export type Questionnaire = z.infer<typeof questionnaireSchema>;
export type Field = Questionnaire["fields"][number];
export type Meaning = Field["meaning"];
export type Derived = Questionnaire["derived"][number];

/** Name of the feature that a field gives: the meaning's own name, else the field's id. */
export function featureName(field: Field): string {
  return "feature" in field.meaning ? field.meaning.feature : field.id;
}

/** The example and the meaning must fit the JSON type, and a category must be able to occur. */
function checkField(field: Field, { ctx, index }: { ctx: z.RefinementCtx; index: number }): void {
  const path = ["fields", index, "meaning"];
  const { meaning, example } = field;
  const fits = field.type === "string" ? typeof example === "string" : typeof example === "number";
  if (!fits || (field.type === "integer" && !Number.isInteger(example))) {
    ctx.addIssue({
      code: "custom",
      path: ["fields", index, "example"],
      input: example,
      message: `must be a ${field.type}, as the field is`,
    });
  }
  if (meaning.kind === "category") {
    for (const [at, { value }] of meaning.values.entries()) {
      if ((typeof value === "string") === (field.type === "string")) continue;
      ctx.addIssue({
        code: "custom",
        path: [...path, "values", at, "value"],
        input: value,
        message: `must be a ${field.type}, as the field is`,
      });
    }
    refuseRepeats(meaning.values, {
      ctx,
      path: [...path, "values"],
      of: ({ value }) => normalise(String(value)),
    });
    return;
  }
  const wanted = meaning.kind === "date" || meaning.kind === "text" ? ["string"] : [
    "integer",
    "number",
  ];
  if (!wanted.includes(field.type)) {
    ctx.addIssue({
      code: "custom",
      path: ["fields", index, "type"],
      input: field.type,
      message: `must be ${wanted.join(" or ")} where the meaning is ${meaning.kind}`,
    });
  }
}

function checkFeatureNames({ fields, derived }: Questionnaire, ctx: z.RefinementCtx): void {
  const names = [...fields.map(featureName), ...derived.map((d) => d.feature)];
  refuseRepeats(names, { ctx, path: ["derived"], of: (name) => name });
}

/** The loan is one amount and one term, and it is changed by offers, not by the client. */
function checkRoles({ fields }: Questionnaire, ctx: z.RefinementCtx): void {
  refuseRepeats(fields, { ctx, path: ["fields"], of: ({ role }) => role });
  for (const [index, { role, meaning, change }] of fields.entries()) {
    if (role !== undefined && meaning.kind !== "quantity") {
      ctx.addIssue({
        code: "custom",
        path: ["fields", index, "role"],
        input: role,
        message: "must stand on a field whose meaning is a quantity",
      });
    }
    const possible = role === undefined ? CHANGES[meaning.kind] : [];
    if (change === "immutable" || possible.includes(change)) continue;
    ctx.addIssue({
      code: "custom",
      path: ["fields", index, "change"],
      input: change,
      message: `must be ${["immutable", ...possible].join(" or ")} where the ${
        role === undefined ? `meaning is ${meaning.kind}` : "field is the loan's own"
      }`,
    });
  }
}

type Change = Field["change"];

/** How the answers of a kind can change: time passes one way. */
const CHANGES: Readonly<Record<Meaning["kind"], readonly Change[]>> = {
  quantity: ["only_up", "only_down", "free"],
  category: ["only_up", "only_down", "free"],
  date: ["only_up"],
  code: [],
  text: [],
};
