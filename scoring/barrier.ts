/**
 * Why a bank cannot be asked for the loan as it is asked for: none of its products gives it, or rules forbid it at every product
 * that does. A bank whose products are not configured, and any bank where no loan is stated, is asked about the client alone.
 *
 * Known limit: an amount between two steps of a product counts as one of its loans.
 */
import type { Bank, Product } from "../configs/mod.ts";
import { askedOf, type Setting } from "./case.ts";
import { type AskedLoan, askedLoan } from "./offers.ts";
import { type CompiledRule, concerns, firesOn } from "./policy.ts";

/** The rules that forbid the loan; none where no product gives it. */
export type Barrier = readonly CompiledRule[];

/** What keeps an application with these features from a bank; `undefined` where nothing does. */
export function barrierAt(
  bank: Bank,
  { row, setting }: {
    row: Float32Array;
    setting: Pick<Setting, "rules" | "features" | "columns">;
  },
): Barrier | undefined {
  const forbidding = setting.rules.filter((rule) =>
    rule.rule.effect === "forbid" && concerns(rule, bank.id)
  );
  const asked = askedOf(row, setting);
  if (asked === undefined || bank.products.length === 0) {
    const met = forbidding.filter((rule) => firesOn(rule, row));
    return met.length > 0 ? met : undefined;
  }
  const met = bank.products.filter((product) => gives(product, asked)).map((product) => {
    const loan = askedLoan(asked, { ...setting, product, row });
    return forbidding.filter(({ test }) => test(loan));
  });
  return met.some((rules) => rules.length === 0) ? undefined : [...new Set(met.flat())];
}

/** Whether a loan lies within a product, with nothing paid at once. */
function gives(
  { amount: { min, max }, termsMonths, downPaymentPercent }: Product,
  { amount, term }: AskedLoan,
): boolean {
  return amount >= min && amount <= max && termsMonths.includes(term) &&
    (downPaymentPercent?.min ?? 0) === 0;
}
