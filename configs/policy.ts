/**
 * `policy.json`: how probabilities become advice: bands, the target of an offer, the planner's costs, and the rules of the shop
 * or broker. The file may be absent, and so may each of its parts; the defaults stand here.
 */
import { z } from "zod";
import { identifier, localized, ratePercent, refuseRepeats } from "./text.ts";

const share = z.number().min(0).max(1);

const DEFAULT_ODDS = [
  { id: "poor", from: 0, title: { ru: "Низкие шансы", en: "Poor" } },
  { id: "fair", from: 0.2, title: { ru: "Шансы ниже среднего", en: "Fair" } },
  { id: "good", from: 0.4, title: { ru: "Средние шансы", en: "Good" } },
  { id: "very_good", from: 0.6, title: { ru: "Хорошие шансы", en: "Very good" } },
  { id: "excellent", from: 0.8, title: { ru: "Отличные шансы", en: "Excellent" } },
];

const oddsSchema = z.array(z.strictObject({
  id: identifier,
  from: share.describe("The band holds probabilities from here up to the next band"),
  title: localized,
})).min(1).max(20).superRefine((bands, ctx) => {
  refuseRepeats(bands, { ctx, path: [], of: ({ id }) => id });
  for (const [index, { from }] of bands.entries()) {
    const before = bands[index - 1]?.from;
    if (before === undefined ? from === 0 : from > before) continue;
    ctx.addIssue({
      code: "custom",
      path: [index, "from"],
      input: from,
      message: before === undefined ? "must be 0 in the first band" : `must be above ${before}`,
    });
  }
});

/** A condition over one client's answers and loan; exactly one of all, any, not and value. */
const conditionSchema = z.strictObject({
  get all() {
    return z.array(conditionSchema).min(1).max(20).optional();
  },
  get any() {
    return z.array(conditionSchema).min(1).max(20).optional();
  },
  get not() {
    return conditionSchema.optional();
  },
  value: identifier.optional().describe(
    "A field or feature of the questionnaire, or payment: what a product's loan costs a month",
  ),
  per: identifier.optional().describe("The value is divided by this one, where that is above 0"),
  above: z.number().optional(),
  atLeast: z.number().optional(),
  below: z.number().optional(),
  atMost: z.number().optional(),
  is: z.array(z.union([z.string().min(1), z.int()])).min(1).optional().describe(
    "Answers of a category, one of which is given",
  ),
  missing: z.literal(true).optional().describe("No answer, or none that can be read"),
});

const ruleSchema = z.strictObject({
  id: identifier.describe("Stable: stands in every result that the rule touches"),
  effect: z.enum(["forbid", "warn", "do_not_recommend"]).describe(
    "forbid: no such loan is offered or planned; warn: said beside the result; do_not_recommend: advice against applying",
  ),
  banks: z.array(identifier).min(1).optional().describe("The banks it is about; absent for all"),
  when: conditionSchema,
  reason: localized,
});

export const policySchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.string().min(1).default("0").describe("Stands in the receipt of every decision"),
  odds: oddsSchema.default(DEFAULT_ODDS),
  widestInterval: share.default(0.3).describe(
    "Where a probability's interval is wider the answer is insufficient_data",
  ),
  leastAnsweredShare: share.default(0).describe(
    "Where a smaller share of the fields is answered the answer is insufficient_data",
  ),
  target: share.default(0.6).describe("What the lower end of an offer's interval must reach"),
  offers: z.strictObject({
    objective: z.enum(["client_cost", "approval", "expected_margin"]).default("client_cost")
      .describe("What the banks' offers are ranked by"),
    leastGain: share.default(0.1).describe(
      "In probability: a changed loan that gains less is not worth the change",
    ),
    ownMoneyRatePercent: ratePercent.default(40).describe(
      "Annual price of the client's own money, which stands in for what is not lent",
    ),
    most: z.int().min(1).max(10).default(3).describe("Offers of one bank"),
  }).prefault({}),
  reasons: z.strictObject({
    most: z.int().min(1).max(20).default(4).describe("For, and against"),
    least: z.number().min(0).default(0.05).describe(
      "In log-odds: what contributes less is left out",
    ),
  }).prefault({}),
  recourse: z.strictObject({
    furthest: z.number().gt(1).max(100).default(1.5).describe(
      "An amount may at most grow by this factor, or shrink by it",
    ),
    furthestMonths: z.int().min(1).max(120).default(24).describe("How long a client may wait"),
    leastGain: share.default(0.02).describe("In probability: what helps less is left out"),
  }).prefault({}),
  recommendation: z.strictObject({
    leastProbability: share.default(0.2).describe(
      "A client is recommended where a bank's interval reaches this",
    ),
    recheckDays: z.int().min(1).max(3650).default(30),
  }).prefault({}),
  planner: z.strictObject({
    mostBanks: z.int().min(1).max(64).default(3),
    inquiryCost: z.number().min(0).default(300).describe(
      "What one application costs, in units of the currency",
    ),
    approvalValue: z.number().min(0).default(5000).describe(
      "What an approval is worth, in units of the currency",
    ),
  }).prefault({}),
  rules: z.array(ruleSchema).max(1000).default([]),
}).superRefine(({ rules }, ctx) => {
  refuseRepeats(rules, { ctx, path: ["rules"], of: ({ id }) => id });
  for (const [index, { when }] of rules.entries()) {
    checkCondition(when, { ctx, path: ["rules", index, "when"] });
  }
});

export type Policy = z.infer<typeof policySchema>;
export type Rule = z.infer<typeof ruleSchema>;
export type Condition = z.infer<typeof conditionSchema>;

/** The value that only a product's loan has. */
export const PAYMENT = "payment";

/** A comparison by order, as a condition names it. */
export const BOUNDS = ["above", "atLeast", "below", "atMost"] as const;

/** One form at a time, so that a reader never has to know which of two wins. */
function checkCondition(
  condition: Condition,
  { ctx, path }: { ctx: z.RefinementCtx; path: PropertyKey[] },
): void {
  const refuse = (message: string) =>
    ctx.addIssue({ code: "custom", path, input: condition, message });
  const { all, any, not, value, per, is, missing } = condition;
  const bounds = BOUNDS.filter((bound) => condition[bound] !== undefined).length;
  if ([all, any, not, value].filter((form) => form !== undefined).length !== 1) {
    refuse("must have exactly one of all, any, not and value");
  } else if (value !== undefined) {
    const tests = [bounds > 0, is !== undefined, missing !== undefined].filter(Boolean).length;
    if (tests !== 1) refuse("must compare value by bounds, or by is, or by missing");
    if (per !== undefined && bounds === 0) refuse("must compare by bounds where it has per");
  } else if (bounds > 0 || per !== undefined || is !== undefined || missing !== undefined) {
    refuse("must name a value to compare");
  }
  for (const [key, parts] of Object.entries({ all, any, not: not && [not] })) {
    for (const [index, part] of (parts ?? []).entries()) {
      checkCondition(part, { ctx, path: key === "not" ? [...path, key] : [...path, key, index] });
    }
  }
}
