/** What is shown of the models' life: the read models of the console and of the v1 API, as schemas. */
import { z } from "zod";

const probability = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

/** A statistic of a sample with the ends of its 95 % interval. */
export const estimateSchema = z.object({ value: z.number(), low: z.number(), high: z.number() });
export type Estimate = z.infer<typeof estimateSchema>;

const evidenceSchema = z.object({
  signal: z.boolean().describe("Whether training found that decisions can be predicted"),
  auc: probability,
  low: probability.describe("Lower end of the 95 % interval of the AUC"),
  high: probability,
  threshold: probability.describe("What `low` must exceed"),
});

const versionBankSchema = z.object({
  bank: z.string(),
  model: z.string().describe("Its name in the version's manifest"),
  family: z.string().optional(),
  onnxSha256: sha256,
  evidence: evidenceSchema.optional().describe("Absent where nobody judged the model"),
  override: z.object({ who: z.string(), why: z.string(), when: z.iso.date() }).optional()
    .describe("Who wants the bank served without evidence, from banks.json"),
});

export const VERSION_STATES = [
  "active",
  "challenger",
  "previous",
  "registered",
  "unregistered",
] as const;

export const versionSchema = z.object({
  version: z.string(),
  state: z.enum(VERSION_STATES).describe(
    "previous: what a rollback activates; unregistered: found in the folder of models alone",
  ),
  registeredAt: time.optional(),
  sha256: sha256.optional().describe("Over all its files, as they are now"),
  files: z.record(z.string(), sha256).describe("Each file's hash, as it is now"),
  problem: z.string().optional().describe(
    "Why it cannot be activated, as far as that shows without loading it",
  ),
  card: z.string().optional().describe("The heading and the first paragraph of MODEL_CARD.md"),
  banks: z.array(versionBankSchema).describe("In the order of banks.json"),
});
export type VersionView = z.infer<typeof versionSchema>;

export const servingSchema = z.object({
  active: z.string().describe("The version that answers"),
  previous: z.string().optional().describe("The version that a rollback activates"),
  challenger: z.object({
    version: z.string(),
    share: probability.describe(
      "Share of applications that it answers; 0 where it only scores beside the active version",
    ),
  }).optional(),
});
export type ServingView = z.infer<typeof servingSchema>;

export const modelsSchema = z.object({
  serving: servingSchema,
  versions: z.array(versionSchema),
});
export type ModelsView = z.infer<typeof modelsSchema>;

export const auditEntrySchema = z.object({
  sequence: z.int().min(1),
  at: time,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
  hash: sha256,
});
export type AuditEntryView = z.infer<typeof auditEntrySchema>;

export const auditPageSchema = z.object({
  entries: z.array(auditEntrySchema).describe("The latest first"),
  next: z.int().optional().describe("`before` of the next page; absent on the last one"),
});
export type AuditPage = z.infer<typeof auditPageSchema>;

const distributionSchema = z.object({
  mean: probability,
  median: probability,
  counts: z.array(z.int()).describe("Applications by twentieth of the probability, from 0 to 1"),
});

const qualitySchema = z.object({
  auc: estimateSchema.optional().describe("Absent where all outcomes are alike"),
  brier: estimateSchema,
});

const outcomesSchema = z.object({
  applications: z.int().describe("With a known outcome at this bank"),
  approved: z.int(),
  champion: qualitySchema,
  challenger: qualitySchema,
  difference: qualitySchema.describe("Challenger less champion, on the same applications"),
});

const comparedBankSchema = z.object({
  bank: z.string(),
  applications: z.int().describe("Scored by both"),
  champion: distributionSchema,
  challenger: distributionSchema,
  psi: z.number().min(0).describe(
    "Population stability index of the challenger's scores over tenths of the champion's",
  ),
  target: probability.describe("From where a chance counts as good, from policy.json"),
  agreement: probability.describe("Share of applications on the same side of the target"),
  raised: z.int().describe("Good by the challenger alone"),
  lowered: z.int().describe("Good by the champion alone"),
  outcomes: outcomesSchema.optional().describe("Absent where no outcome is known"),
});
export type ComparedBank = z.infer<typeof comparedBankSchema>;

const armSchema = z.object({
  applications: z.int().describe("Answered by this version"),
  outcomes: z.int().describe("Known decisions of banks on them"),
  approved: z.int(),
  rate: estimateSchema.optional().describe("Approved of outcomes; absent where there are none"),
});

export const comparisonSchema = z.object({
  champion: z.string(),
  challenger: z.string(),
  since: time,
  applications: z.int().describe("The latest ones that were scored by both, on which this stands"),
  scored: z.int().describe("Scored beside the champion, all in all"),
  dropped: z.int().describe("Not scored beside it, for too many waited"),
  failed: z.int().describe("Not scored beside it, for the challenger or the database failed"),
  banks: z.array(comparedBankSchema),
  arms: z.object({ champion: armSchema, challenger: armSchema }).describe("By who answered"),
});
export type Comparison = z.infer<typeof comparisonSchema>;
