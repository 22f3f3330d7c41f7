/**
 * `training.json`: how a table of past applications is read to train on, beside the questionnaire and the banks: whose
 * decision stands in which column and in which words, who is one applicant, when an application was made, and which
 * directions a model must keep. The service does not read it; training asks for it through `deno task train -- --describe`.
 */
import { z } from "zod";
import type { Banks } from "./banks.ts";
import { identifier, refuseRepeats } from "./text.ts";

const words = z.array(z.string());
const direction = z.enum(["up", "down"]);

export const trainingSchema = z.strictObject({
  $schema: z.string().optional(),
  decisions: z.strictObject({
    columns: z.record(identifier, z.string().min(1)).describe(
      "Bank id -> header of the column with its decisions (case and spaces do not matter)",
    ),
    weights: z.record(identifier, z.string().min(1)).default({}).describe(
      "Bank id -> header of the column that says for how many applications a decision stands, as `export-training` " +
        "writes it; a table without the column has every decision stand for one",
    ),
    approved: words.min(1).describe("Cells that mean yes; case does not matter"),
    denied: words.min(1).describe("Cells that mean no"),
    noAnswer: words.describe("Cells that mean no decision; an empty cell and NULL always do"),
  }),
  applicant: z.array(z.string().min(1)).describe(
    "Columns that tell an applicant: rows equal in all of them are one person and stay in one fold; " +
      "with none each row is a person of its own",
  ),
  appliedAt: z.strictObject({
    column: z.string().min(1).optional().describe(
      "Column with the date of the application; with it models are tested on the latest ones",
    ),
    otherwise: z.iso.date().describe("Date of every application of a table without that column"),
  }),
  ignored: words.default([]).describe("Other columns of the table, known and of no use"),
  monotone: z.record(z.string(), direction).default({}).describe(
    "Feature -> whether the approval probability may only rise or only fall with it",
  ),
  monotoneByBank: z.record(identifier, z.record(z.string(), z.enum(["up", "down", "free"])))
    .default({}).describe("Bank id -> what differs for it"),
  protected: z.array(z.strictObject({
    feature: z.string(),
    bands: z.array(z.number()).min(1).optional().describe(
      "Inner bounds that cut a quantity into groups; without them each category is a group",
    ),
  })).default([]).describe("Features by which fairness is reported"),
  minGroup: z.int().min(1).default(100).describe("Applications that a reported group must have"),
  leaveOut: z.array(z.string()).default([]).describe("Features that no model may use"),
}).superRefine(({ decisions }, ctx) => {
  const cells = Object.entries(decisions).flatMap(([key, value]) =>
    Array.isArray(value) ? value.map((text) => ({ key, text: text.trim().toLowerCase() })) : []
  );
  refuseRepeats(cells, { ctx, path: ["decisions"], of: ({ text }) => text });
});

export type Training = z.infer<typeof trainingSchema>;

/** What `training` says of banks or features that do not exist, and of banks that it forgets; a line each. */
export function trainingProblems(
  training: Training,
  { banks, features }: { banks: Banks; features: readonly string[] },
): string[] {
  const ids = banks.banks.map(({ id }) => id);
  const { decisions, monotone, monotoneByBank, leaveOut } = training;
  const namedBanks = [
    ...Object.keys(decisions.columns).map((id) => [`decisions.columns.${id}`, id] as const),
    ...Object.keys(decisions.weights).map((id) => [`decisions.weights.${id}`, id] as const),
    ...Object.keys(monotoneByBank).map((id) => [`monotoneByBank.${id}`, id] as const),
  ];
  const namedFeatures = [
    ...Object.keys(monotone).map((name) => [`monotone.${name}`, name] as const),
    ...Object.entries(monotoneByBank).flatMap(([id, directions]) =>
      Object.keys(directions).map((name) => [`monotoneByBank.${id}.${name}`, name] as const)
    ),
    ...training.protected.map(({ feature }, at) => [`protected.${at}.feature`, feature] as const),
    ...leaveOut.map((name, at) => [`leaveOut.${at}`, name] as const),
  ];
  return [
    ...ids.filter((id) => !Object.hasOwn(decisions.columns, id))
      .map((id) => `decisions.columns.${id}: current value is absent: must name a column`),
    ...namedBanks.filter(([, id]) => !ids.includes(id))
      .map(([path, id]) => `${path}: current value is ${id}: must be a bank: ${ids.join(", ")}`),
    ...namedFeatures.filter(([, name]) => !features.includes(name))
      .map(([path, name]) =>
        `${path}: current value is ${name}: must be a feature: ${features.join(", ")}`
      ),
  ];
}
