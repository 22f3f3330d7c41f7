/**
 * An interval for a share that holds however often it is looked at: the confidence sequence of Robbins' mixture with a uniform prior
 * (D. A. Darling and H. Robbins, PNAS 58, 1967; S. R. Howard and others, Annals of Statistics 49, 2021). Pure.
 *
 * The likelihood of the decisions averaged over all shares, over their likelihood at the true share, is a martingale with mean 1, so
 * it ever passes 1 / 0.05 with a probability of at most 0.05 (J. Ville, 1939); the shares at which it has not are the interval.
 *
 * Known limits: a decision that its bank takes back is counted as if it had always been so; where the clients of one band differ
 * the share is that of their mean, and the level is not proven.
 */
import type { Estimate } from "../lifecycle/mod.ts";

const LEVEL = 0.95;
const STEPS = 40;

/** `undefined` where there is no observation. */
export function alwaysValid(successes: number, n: number): Estimate | undefined {
  if (n <= 0) return undefined;
  const failures = n - successes;
  const mixture = logFactorial(successes) + logFactorial(failures) - logFactorial(n + 1);
  const limit = -Math.log(1 - LEVEL);
  const outside = (share: number) =>
    mixture - power(share, successes) - power(1 - share, failures) > limit;
  const value = successes / n;
  return {
    value,
    low: outside(0) ? edge({ inside: value, beyond: 0, outside }) : 0,
    high: outside(1) ? edge({ inside: value, beyond: 1, outside }) : 1,
  };
}

/** Where the interval ends, by bisection. */
function edge(
  { inside, beyond, outside }: {
    inside: number;
    beyond: number;
    readonly outside: (share: number) => boolean;
  },
): number {
  for (let step = 0; step < STEPS; step++) {
    const middle = (inside + beyond) / 2;
    if (outside(middle)) beyond = middle;
    else inside = middle;
  }
  return beyond;
}

/** The logarithm of `base` to the power of `times`; of 0 to the power of 0 it is 0. */
function power(base: number, times: number): number {
  return times === 0 ? 0 : times * Math.log(base);
}

/** Stirling's series, whose error is below 1e-9 from 10 on. */
function logFactorial(n: number): number {
  if (n < 10) {
    return Math.log(Array.from({ length: n }, (_, at) => at + 1).reduce((a, b) => a * b, 1));
  }
  return (n + 0.5) * Math.log(n) - n + Math.log(2 * Math.PI) / 2 + 1 / (12 * n) -
    1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
}
