/** The loan whose offers are swept: columns as in the shipped questionnaire, and the cells of a client. */

import type { SweepRequest } from "../../wasm/mod.ts";

export const FEATURES = 20;
const INCOME = 6, AMOUNT = 13, TERM = 14, PAYMENT = 16, SHARE = 17;

export const AMOUNTS = 500;

/** 500 amounts by 12 terms. */
export function sweepRequest(row: Float32Array): SweepRequest {
  return {
    row,
    amountColumn: AMOUNT,
    termColumn: TERM,
    amounts: { min: 10_000, max: 1_008_000, step: 2000 },
    terms: Array.from({ length: 12 }, (_, index) => 3 * (index + 1)),
    derived: [
      { operation: "ratio", of: [AMOUNT, TERM], column: PAYMENT },
      { operation: "ratio", of: [PAYMENT, INCOME], column: SHARE },
    ],
  };
}

/** The rows of all cells, by term and amount, row-major. */
export function cells({ row, amounts, terms }: SweepRequest): Float32Array {
  const matrix = new Float32Array(terms.length * AMOUNTS * FEATURES);
  for (const [at, term] of terms.entries()) {
    for (let index = 0; index < AMOUNTS; index++) {
      const from = (at * AMOUNTS + index) * FEATURES;
      const features = matrix.subarray(from, from + FEATURES);
      features.set(row);
      features[AMOUNT] = amounts.min + index * amounts.step;
      features[TERM] = term;
      features[PAYMENT] = (features[AMOUNT] ?? NaN) / term;
      const income = features[INCOME] ?? NaN;
      features[SHARE] = income > 0 ? (features[PAYMENT] ?? NaN) / income : NaN;
    }
  }
  return matrix;
}
