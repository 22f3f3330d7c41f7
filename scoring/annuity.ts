/**
 * What a loan costs, to the minor unit of its currency (a hundredth: a kopeck), in whole numbers.
 *
 * Equal monthly payments by the annuity formula A = P i / (1 - (1 + i)^-n), with i a twelfth of the nominal annual rate
 * (https://en.wikipedia.org/wiki/Amortization_calculator), rounded to the nearest minor unit, halves up. Each month the
 * interest on what is still owed is rounded likewise, and the last payment is what is then left with its interest. So the
 * payments pay back the loan exactly. A payment never exceeds what is owed, so a loan of a few minor units may end early.
 *
 * Known limits: no fees, no calendar (every month is a twelfth of a year), loans up to 10^9 units of the currency.
 */

/** Minor units in a unit of the currency. */
export const MINOR = 100;
const MONTHS_PER_YEAR = 12;
/** A basis point is a hundredth of a percent. */
const BASIS = 10_000;

export interface LoanTerms {
  /** Whole, above 0. */
  readonly principalMinor: number;
  /** Nominal annual rate in basis points, whole, 0 or more. */
  readonly rateBasisPoints: number;
  /** Whole, 1 or more. */
  readonly months: number;
}

export interface LoanCost {
  readonly monthlyPaymentMinor: number;
  readonly lastPaymentMinor: number;
  /** All payments together. */
  readonly totalMinor: number;
  /** Total less principal: all interest. */
  readonly overpaymentMinor: number;
}

/** A percentage with two decimals at most as basis points. */
export function basisPoints(percent: number): number {
  return Math.round(percent * 100);
}

/** The equal monthly payment, in minor units. */
export function monthlyPaymentMinor(
  { principalMinor, rateBasisPoints, months }: LoanTerms,
): number {
  const rate = rateBasisPoints / BASIS / MONTHS_PER_YEAR;
  const payment = rate === 0
    ? principalMinor / months
    : principalMinor * rate / -Math.expm1(-months * Math.log1p(rate));
  return Math.round(payment);
}

export function loanCost(terms: LoanTerms): LoanCost {
  const { principalMinor, rateBasisPoints, months } = terms;
  const payment = monthlyPaymentMinor(terms);
  let owed = principalMinor;
  let total = 0;
  let last = 0;
  for (let month = 1; month <= months; month++) {
    const interest = dividedRounded(owed * rateBasisPoints, BASIS * MONTHS_PER_YEAR);
    last = month === months ? owed + interest : Math.min(payment, owed + interest);
    owed += interest - last;
    total += last;
  }
  return {
    monthlyPaymentMinor: payment,
    lastPaymentMinor: last,
    totalMinor: total,
    overpaymentMinor: total - principalMinor,
  };
}

/** Nearest whole number to a quotient of whole numbers, halves up, exact below 2^53. */
function dividedRounded(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - rest) / divisor + (2 * rest >= divisor ? 1 : 0);
}
