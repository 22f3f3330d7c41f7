import assert from "node:assert/strict";
import fc from "fast-check";
import { basisPoints, loanCost, monthlyPaymentMinor } from "../../scoring/annuity.ts";

const loans = fc.record({
  principalMinor: fc.integer({ min: 100_000, max: 100_000_000 }),
  rateBasisPoints: fc.integer({ min: 0, max: 9_999 }),
  months: fc.integer({ min: 1, max: 60 }),
});

/** The annuity formula in whole numbers: P i (1 + i)^n / ((1 + i)^n - 1) with i = rate / 120,000, to the nearest, halves up. */
function exactPayment(principal: number, rate: number, months: number): number {
  if (rate === 0) return Math.round(principal / months);
  const [base, one, n] = [120_000n + BigInt(rate), 120_000n, BigInt(months)];
  const dividend = BigInt(principal) * BigInt(rate) * base ** n;
  const divisor = one * (base ** n - one ** n);
  return Number((2n * dividend + divisor) / (2n * divisor));
}

Deno.test("monthlyPaymentMinor() is the annuity formula to the kopeck", () => {
  fc.assert(fc.property(loans, (loan) => {
    const { principalMinor, rateBasisPoints, months } = loan;
    assert.equal(
      monthlyPaymentMinor(loan),
      exactPayment(principalMinor, rateBasisPoints, months),
    );
  }));
});

Deno.test("loanCost() pays the loan back exactly: interest is what the payments add to it", () => {
  fc.assert(fc.property(loans, (loan) => {
    const { monthlyPaymentMinor: payment, lastPaymentMinor, totalMinor, overpaymentMinor } =
      loanCost(loan);
    assert.equal(totalMinor, loan.principalMinor + overpaymentMinor);
    assert.equal(totalMinor, payment * (loan.months - 1) + lastPaymentMinor);
    assert.ok(overpaymentMinor >= 0);
    // Half a kopeck in the payment and in each interest, with interest on it.
    const rounding = loan.months * (1 + loan.rateBasisPoints / 120_000) ** loan.months;
    assert.ok(Math.abs(lastPaymentMinor - payment) <= rounding + 1);
  }));
});

Deno.test("loanCost() of 100,000 for a year at 12 %", () => {
  const terms = { principalMinor: 10_000_000, rateBasisPoints: basisPoints(12), months: 12 };
  assert.deepEqual(loanCost(terms), {
    monthlyPaymentMinor: 888_488,
    lastPaymentMinor: 888_485,
    totalMinor: 10_661_853,
    overpaymentMinor: 661_853,
  });
});

Deno.test("loanCost() without interest costs nothing, and the last payment takes the rest", () => {
  assert.deepEqual(loanCost({ principalMinor: 10_000, rateBasisPoints: 0, months: 3 }), {
    monthlyPaymentMinor: 3_333,
    lastPaymentMinor: 3_334,
    totalMinor: 10_000,
    overpaymentMinor: 0,
  });
});

Deno.test("loanCost() rises with the amount, the rate and the term", () => {
  fc.assert(fc.property(loans, (loan) => {
    const { overpaymentMinor } = loanCost(loan);
    // A kopeck of rounding a month.
    const slack = loan.months;
    for (
      const more of [
        { ...loan, principalMinor: loan.principalMinor + 100_000 },
        { ...loan, rateBasisPoints: loan.rateBasisPoints + 100 },
        { ...loan, months: loan.months + 1 },
      ]
    ) assert.ok(loanCost(more).overpaymentMinor >= overpaymentMinor - slack);
  }));
});
