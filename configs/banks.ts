/** `banks.json`: which banks are scored, with which models, and which loans they give. */
import { z } from "zod";
import { identifier, localized, ratePercent, refuseRepeats } from "./text.ts";

const percent = z.number().min(0).max(100);
const productSchema = z.strictObject({
  id: identifier,
  title: localized,
  amount: z.strictObject({
    min: z.int().min(1),
    max: z.int().min(1),
    step: z.int().min(1),
  }).refine(({ min, max, step }) => max >= min && (max - min) % step === 0, {
    error: "max must be min plus a whole number of steps",
  }).describe("Amounts that can be lent, in units of the currency"),
  termsMonths: z.array(z.int().min(1).max(600)).min(1).max(600).refine(
    (terms) => terms.every((term, at) => at === 0 || term > (terms[at - 1] ?? 0)),
    { error: "must rise" },
  ),
  annualRatePercent: ratePercent.describe("Nominal, a twelfth of it each month"),
  downPaymentPercent: z.strictObject({ min: percent, max: percent }).refine(
    ({ min, max }) => min <= max,
    { error: "min must be at most max" },
  ).optional().describe(
    "Share of the price that the client pays at once; without it the product lends money, not a purchase",
  ),
  marginPercent: percent.default(0).describe("Of the amount, paid to whoever brings the client"),
});

export const banksSchema = z.strictObject({
  $schema: z.string().optional(),
  models: z.string().min(1).describe("Folder of the model version, relative to this file"),
  banks: z.array(z.strictObject({
    id: identifier.describe("Key of the bank in every answer"),
    title: localized,
    model: identifier.describe("Name of the bank's model in the version's manifest.json"),
    products: z.array(productSchema).max(100).default([]).describe("Loans that the bank gives"),
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
    refuseRepeats(bank.products, { ctx, path: ["banks", index, "products"], of: ({ id }) => id });
  }
});

export type Banks = z.infer<typeof banksSchema>;
export type Bank = Banks["banks"][number];
export type Product = Bank["products"][number];

/** Amounts and terms of loans. */
export interface LoanGrid {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly terms: readonly number[];
}

/** The coarsest grid that holds every loan of every product; `undefined` where there is no product. */
export function loanGrid(banks: readonly Pick<Bank, "products">[]): LoanGrid | undefined {
  const products = banks.flatMap(({ products }) => products);
  if (products.length === 0) return undefined;
  const min = Math.min(...products.map(({ amount }) => amount.min));
  return {
    min,
    max: Math.max(...products.map(({ amount }) => amount.max)),
    step: products.flatMap(({ amount }) => [amount.step, amount.min - min]).reduce(gcd),
    terms: [...new Set(products.flatMap(({ termsMonths }) => termsMonths))].sort((a, b) => a - b),
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
