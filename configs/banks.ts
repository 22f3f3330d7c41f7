/** `banks.json`: which banks are scored, and with which models. */
import { z } from "zod";
import { identifier, localized, refuseRepeats } from "./text.ts";

export const banksSchema = z.strictObject({
  $schema: z.string().optional(),
  models: z.string().min(1).describe("Folder of the model version, relative to this file"),
  banks: z.array(z.strictObject({
    id: identifier.describe("Key of the bank in every answer"),
    title: localized,
    model: identifier.describe("Name of the bank's model in the version's manifest.json"),
    override: z.strictObject({
      who: z.string().min(1).describe("Who answers for it"),
      why: z.string().min(1),
      when: z.iso.date(),
    }).optional().describe(
      "Serve the model although its training shows no evidence of signal; every answer then says so",
    ),
  })).min(1).max(64),
}).superRefine(({ banks }, ctx) => {
  refuseRepeats(banks, { ctx, path: ["banks"], of: (bank) => bank.id });
  for (const [index, bank] of banks.entries()) {
    if (bank.id === "task_id") {
      ctx.addIssue({
        code: "custom",
        path: ["banks", index, "id"],
        input: bank.id,
        message: "must not be task_id, which stands beside the banks in a result",
      });
    }
  }
});

export type Banks = z.infer<typeof banksSchema>;
export type Bank = Banks["banks"][number];
