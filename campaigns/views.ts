/** What is shown of a list of clients, as a schema; only those load it who document it. */
import { z } from "zod";
import { localized } from "../configs/mod.ts";
import { intervalSchema } from "../scoring/decision.ts";

const probability = z.number().min(0).max(1);

export const campaignSchema = z.object({
  clients: z.array(z.object({
    application: z.string(),
    appliedOn: z.iso.date(),
    why: z.enum(["refused", "lapsed"]).describe(
      "refused: by every bank that decided; lapsed: no decision is known after so long",
    ),
    bank: z.string().describe("Whose offer it is: not one that has refused"),
    title: localized,
    product: z.string(),
    amount: z.int().describe("In units of the currency"),
    term: z.int().describe("In months"),
    downPayment: z.number().describe("What the client pays at once, in units of the currency"),
    probability: probability.describe("As it was estimated before any refusal was known"),
    interval: intervalSchema,
  })).describe("The latest application first"),
  expectedApprovals: z.number().describe("Sum of the probabilities of this part"),
  looked: z.int().describe("Applications that this part was chosen from"),
  next: z.int().optional().describe("`before` of the next part; absent on the last one"),
});

export type Campaign = z.infer<typeof campaignSchema>;
export type CampaignClient = Campaign["clients"][number];
