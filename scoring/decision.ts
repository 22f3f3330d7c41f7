/**
 * What is said of one application: the result type of the decision layer. `Decider` makes it, the queue stores it as JSON, and
 * routes derive their documentation from this schema.
 *
 * A probability is a model's estimate. No decision promises an approval, and no text in it says so.
 */
import { z } from "zod";
import { localized } from "../configs/mod.ts";

const probability = z.number().min(0).max(1);
const logOdds = z.number().describe("In log-odds");
const minor = z.int().describe("In minor units of the currency (kopecks)");
const isoDate = z.iso.date();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const intervalSchema = z.object({
  low: probability,
  high: probability,
  level: probability.describe("Share of applications whose true probability it should hold"),
});

/** Why a bank's chance gets no band. */
const INSUFFICIENT = [
  "wide_interval",
  "no_interval",
  "no_evidence",
  "too_few_answers",
] as const;

const oddsSchema = z.object({
  band: z.string().describe(
    "Id of a band of policy.json, from poor to excellent, or insufficient_data",
  ),
  title: localized,
  insufficient: z.enum(INSUFFICIENT).optional().describe("Why there is no band"),
});

const reasonSchema = z.object({
  code: z.string().describe("Stable: the field's id and .for, .against or .missing"),
  field: z.string().describe("The questionnaire's field that it speaks of"),
  contribution: logOdds,
  text: localized,
});

const explanationSchema = z.object({
  approximate: z.boolean().describe("Estimated by sampling; exact where false"),
  base: z.number().describe("Log-odds where nothing is known of the client"),
  for: z.array(reasonSchema).describe("The strongest first"),
  against: z.array(reasonSchema).describe("The strongest first"),
  leftOut: z.object({
    answers: z.int().describe("How many answers are not shown"),
    contribution: logOdds.describe("Of these together, in log-odds"),
  }),
  logOdds: z.number().describe(
    "Of the probability: base, all contributions shown and what is left out",
  ),
});

/** What an offer changes in the loan that was asked for. */
export const CHANGES = ["amount", "down_payment", "term"] as const;

const offerSchema = z.object({
  product: z.string(),
  title: localized,
  amount: z.int().describe("Of the loan, in units of the currency"),
  term: z.int().describe("In months"),
  downPayment: z.number().describe("What the client pays at once, in units of the currency"),
  changed: z.array(z.enum(CHANGES)).describe("Empty where the loan is offered as asked"),
  change: z.number().describe(
    "How far from the loan asked for: |ln(amount / asked)| + |ln(term / asked)|; ln 2 is a halving",
  ),
  probability,
  interval: intervalSchema,
  monthlyPaymentMinor: minor,
  lastPaymentMinor: minor,
  totalMinor: minor.describe("All payments together, in minor units"),
  overpaymentMinor: minor.describe("Total less amount, in minor units"),
  clientCostMinor: minor.describe(
    "Expected, in minor units: if approved the overpayment and what own money costs in place of what is " +
      "not lent, if refused what own money costs in place of all",
  ),
  expectedMarginMinor: minor.describe("Probability times the product's margin, in minor units"),
  rules: z.array(z.string()).describe("Ids of policy rules that warn of it or advise against it"),
  text: localized,
});

/** Why a bank has no offer. */
const NO_OFFER = [
  "no_products",
  "loan_not_stated",
  "insufficient_data",
  "forbidden_by_policy",
  "outside_products",
  "gain_too_small",
  "target_out_of_reach",
] as const;

const offersSchema = z.object({
  found: z.array(offerSchema).describe("The least change first"),
  none: z.object({
    code: z.enum(NO_OFFER),
    rules: z.array(z.string()).describe("Ids of the policy rules that forbid"),
    text: localized,
  }).optional().describe("Why none was found"),
});

const recourseSchema = z.object({
  code: z.string().describe("Stable: the field's id and .change or .wait"),
  field: z.string(),
  to: z.union([z.string(), z.number()]).describe("The answer that it takes"),
  from: isoDate.optional().describe("When time alone will have brought it"),
  reachesTarget: z.boolean(),
  probability: probability.describe("With this answer, all others as they are"),
  interval: intervalSchema,
  text: localized,
});

const decidedBankSchema = z.object({
  status: z.literal("decided"),
  bank: z.string(),
  title: localized,
  probability,
  interval: intervalSchema.optional(),
  odds: oddsSchema,
  withoutEvidence: z.boolean().describe("Served although training found no signal"),
  explanation: explanationSchema.optional().describe("Absent where the model cannot be explained"),
  offers: offersSchema,
  recourse: z.array(recourseSchema).describe("What helps most first; the loan as asked"),
});

const failedBankSchema = z.object({
  status: z.literal("failed"),
  bank: z.string(),
  title: localized,
  cause: z.string(),
});

const firedRuleSchema = z.object({
  id: z.string(),
  effect: z.enum(["forbid", "warn", "do_not_recommend"]),
  banks: z.array(z.string()).optional().describe("The banks it is about; absent for all"),
  text: localized,
});

/** A way back to a recommendation, the shortest that was found. */
const wayBackSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("loan"), bank: z.string(), offer: offerSchema, text: localized }),
  z.object({
    kind: z.literal("answer"),
    bank: z.string().optional().describe("The bank whose target it reaches, where it is about one"),
    field: z.string(),
    to: z.union([z.string(), z.number()]),
    text: localized,
  }),
  z.object({
    kind: z.literal("wait"),
    field: z.string().optional().describe("The date from which time counts, where it is one"),
    until: isoDate,
    text: localized,
  }),
]);

const recommendationSchema = z.object({
  recommended: z.boolean().describe("Advice, not a decision of any bank"),
  causes: z.array(z.object({
    code: z.string().describe(
      "Id of a policy rule, low_chances, outside_products (no bank gives the loan) or no_estimate",
    ),
    text: localized,
  })),
  wayBack: wayBackSchema.optional(),
  recheckOn: isoDate.optional().describe("There where the client is not recommended"),
  text: localized,
});

const strategySchema = z.object({
  banks: z.array(z.string()).describe("In the order in which to apply"),
  probabilityOfAny: probability.describe("That at least one of them approves"),
  expectedInquiries: z.number().min(0),
  expectedValue: z.number().describe("In units of the currency"),
});

export const planSchema = strategySchema.extend({
  comparisons: z.object({
    bestSingle: strategySchema,
    allAtOnce: strategySchema,
    independent: strategySchema.describe("Planned as if banks refused independently"),
  }),
});

const receiptSchema = z.object({
  inputSha256: sha256.describe("Over the answers in the questionnaire's order and `asOfMs`"),
  asOfMs: z.int(),
  model: z.object({
    version: z.string(),
    onnxSha256: z.record(z.string(), sha256).describe("By bank"),
  }),
  policy: z.object({
    version: z.string(),
    sha256: sha256.describe("Over the policy, the banks' products and the questionnaire"),
  }),
  contributions: z.record(z.string(), z.array(z.number())).describe(
    "By bank: one per feature, in the order of the model matrix, in log-odds",
  ),
});

export const decisionSchema = z.object({
  asOf: z.iso.datetime().describe("Ages, tenures and dates are counted from here"),
  loan: z.object({ amount: z.number(), term: z.number() }).optional().describe(
    "As asked for; absent where its amount or its term is not stated",
  ),
  currency: z.string().optional().describe("ISO 4217"),
  banks: z.array(z.discriminatedUnion("status", [decidedBankSchema, failedBankSchema])),
  ranking: z.object({
    objective: z.enum(["client_cost", "approval", "expected_margin"]),
    target: probability.describe("What the lower end of an offer's interval reaches"),
    banks: z.array(z.string()).describe("Banks with an offer, by their first one, the best first"),
  }),
  rules: z.array(firedRuleSchema).describe("Policy rules that the application itself meets"),
  recommendation: recommendationSchema,
  plan: planSchema.describe("With no bank where none can be asked for the loan, or is worth it"),
  receipt: receiptSchema,
});

/** A bank's chance over all amounts that the banks lend, at the term asked for: exact, in pieces. */
export const curveSchema = z.object({
  bank: z.string(),
  term: z.number().describe("In months"),
  pieces: z.array(z.object({
    from: z.number().describe("In units of the currency"),
    to: z.number(),
    probability,
  })).describe("Rising, from the least amount to the greatest, each with one probability"),
});

export type Curve = z.infer<typeof curveSchema>;
export type Decision = z.infer<typeof decisionSchema>;
export type BankDecision = Decision["banks"][number];
export type DecidedBank = z.infer<typeof decidedBankSchema>;
export type Interval = z.infer<typeof intervalSchema>;
export type Odds = z.infer<typeof oddsSchema>;
export type Insufficient = typeof INSUFFICIENT[number];
export type Explanation = z.infer<typeof explanationSchema>;
export type Reason = z.infer<typeof reasonSchema>;
export type Offer = z.infer<typeof offerSchema>;
export type Offers = z.infer<typeof offersSchema>;
export type NoOffer = typeof NO_OFFER[number];
export type Recourse = z.infer<typeof recourseSchema>;
export type FiredRule = z.infer<typeof firedRuleSchema>;
export type Recommendation = z.infer<typeof recommendationSchema>;
export type WayBack = z.infer<typeof wayBackSchema>;
export type Strategy = z.infer<typeof strategySchema>;
export type Plan = z.infer<typeof planSchema>;
export type Receipt = z.infer<typeof receiptSchema>;
