/** What is shown of what came true, as schemas; only those load them who document it. */
import { z } from "zod";
import { localized } from "../configs/mod.ts";
import { estimateSchema } from "../lifecycle/views.ts";

const probability = z.number().min(0).max(1);

const bandSchema = z.object({
  band: z.string().describe("Id of a band of policy.json"),
  title: localized,
  from: probability,
  to: probability,
  outcomes: z.int(),
  approved: z.int(),
  expected: probability.describe("Mean of the probabilities that were given"),
  rate: estimateSchema.describe(
    "Share that was approved, with a 95 % interval that holds however often it is read",
  ),
  state: z.enum(["too_few", "holds", "overstated", "understated"]).describe(
    "overstated: what came true lies below the band, beyond chance; understated: above it",
  ),
  standing: z.string().describe(
    "The band to read instead: that of the share which came true where the band is overstated, else the band itself",
  ),
  standingTitle: localized,
});

export const bankLedgerSchema = z.object({
  bank: z.string(),
  title: localized,
  outcomes: z.int(),
  approved: z.int(),
  expected: probability.optional().describe("Absent where no decision of the bank is known"),
  rate: estimateSchema.optional(),
  auc: estimateSchema.optional().describe("Absent where all decisions are alike"),
  brier: z.number().min(0).max(1).optional().describe("Mean squared error of the probabilities"),
  bands: z.array(bandSchema).describe("Those with decisions, from the lowest on"),
});

/** A band of a bank that is to be read as a lower one. */
export const downgradedBandSchema = z.object({
  bank: z.string(),
  band: z.string().describe("The band that comes true less often than it says"),
  standing: z.string().describe("The band to read instead"),
  standingTitle: localized,
  outcomes: z.int().describe("Decisions of the bank on this band that were told"),
  rate: estimateSchema.describe(
    "Share of them that was approved, with a 95 % interval that holds however often it is read",
  ),
});

export type DowngradedBand = z.infer<typeof downgradedBandSchema>;

const changeSchema = z.object({
  cohort: z.object({
    split: z.string().describe("Id of a question"),
    bin: z.string().describe("Of an answer to it"),
    title: localized,
  }).optional().describe("On whom; absent where it is on all"),
  direction: z.enum(["tightened", "loosened"]),
  since: z.iso.datetime().describe(
    "Of the first decision since the change, by the greatest likelihood",
  ),
  foundAt: z.iso.datetime().describe("Of the decision at which it was found"),
  decisions: z.int().describe("On them, from the one to the other"),
  expected: probability.describe("Mean probability of these decisions, as the bank was before"),
  approved: probability.describe("Share of these decisions that approved"),
  text: localized,
});

export const bankChangesSchema = z.object({
  bank: z.string(),
  title: localized,
  decisions: z.int().describe("The latest ones, at most 5,000, that changes are looked for in"),
  watched: z.int().describe("Those of them after the reference: the first 500"),
  changes: z.array(changeSchema).describe("The oldest first"),
});

export type BankChanges = z.infer<typeof bankChangesSchema>;
export type BankLedger = z.infer<typeof bankLedgerSchema>;
export type BandLedger = BankLedger["bands"][number];

const funnel = {
  applied: z.int(),
  scored: z.int(),
  recommended: z.int(),
  sent: z.int().describe("To a bank, as far as it was told"),
  approved: z.int().describe("By a bank, by its latest decision"),
  funded: z.int(),
};

export const overviewSchema = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  days: z.array(z.object({ date: z.iso.date(), ...funnel })).describe(
    "Rising, by the day of the application, UTC; days without one are left out",
  ),
  funnel: z.object(funnel).describe("Of applications, whatever the bank"),
  banks: z.array(z.object({
    ...{ bank: z.string(), title: localized, ...funnel, decided: z.int() },
    expected: probability.optional().describe("Mean estimate of what was decided"),
    rate: estimateSchema.optional().describe(
      "Share of it that was approved, with Wilson's interval",
    ),
  })),
  losses: z.array(z.object({ code: z.string(), text: localized, clients: z.int() })).describe(
    "Clients whom no bank approved, by why: refused, or not recommended; the most first",
  ),
  levers: z.array(z.object({
    ...{ code: z.string(), text: localized, clients: z.int() },
    expectedApprovals: z.number().describe("Sum of the chances that it would give them"),
  })).describe("What would have brought how many of them over the target; the most first"),
});

export type Overview = z.infer<typeof overviewSchema>;

const cohortSchema = z.object({
  conditions: z.array(z.object({ field: z.string(), text: localized })).describe(
    "At most three; all hold for each of its clients",
  ),
  clients: z.int(),
  value: probability.describe("Mean of what it was found by"),
  others: probability.describe("The same of all other clients"),
  expected: probability.describe("Mean of the best chance that was estimated"),
  decided: z.int().optional().describe("Clients on whom a bank decided; absent where fewer than 5"),
  rate: estimateSchema.optional().describe(
    "Share of them whom a bank approved, with Wilson's interval, which does not know that the cohort was chosen",
  ),
  uplift: z.number().describe("Approvals that the best offers would add, as they were estimated"),
});

const splitSchema = z.object({
  field: z.string(),
  title: localized,
  cells: z.array(cohortSchema).describe(
    "By the answer, or by parts of about the same size of what is in an order; answers of fewer than 5 clients are left out",
  ),
});

export const cohortsSchema = z.object({
  measure: z.enum(["decided", "estimated"]),
  clients: z.int().describe("Of the latest 5,000 applications those that it speaks of"),
  mean: probability.optional().describe(
    "Of what cohorts are found by; absent where there is no client",
  ),
  fields: z.array(z.object({ field: z.string(), title: localized })).describe(
    "Questions by which clients can be told apart: what `split` takes",
  ),
  split: splitSchema.optional().describe("Where it was asked for"),
  lower: z.array(cohortSchema).describe("What differs most beyond chance first, at most 10"),
  higher: z.array(cohortSchema),
});

export type FoundCohorts = z.infer<typeof cohortsSchema>;
export type ShownSplit = z.infer<typeof splitSchema>;
export type ShownCohort = z.infer<typeof cohortSchema>;
