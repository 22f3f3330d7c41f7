/** Random ensembles in the module as built, against the plain evaluator. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { SweepRequest } from "../../wasm/sweep.ts";
import {
  encode,
  type Ensemble,
  ensembles,
  evaluate,
  FEATURES,
  rows,
  sigmoid,
} from "./ensembles.ts";
import { newEngine } from "./support.ts";

const engine = newEngine();

function checkScores(forests: Ensemble[], matrix: Float32Array): void {
  const set = engine.loadSet(forests.map(encode));
  const count = matrix.length / FEATURES;
  const scores = set.score(matrix, count);
  for (let row = 0; row < count; row++) {
    const features = matrix.subarray(row * FEATURES, (row + 1) * FEATURES);
    const together = scores.subarray(row * forests.length, (row + 1) * forests.length);
    assert.deepEqual(set.score(features, 1), together.slice(), "alone and together");
    for (const [index, forest] of forests.entries()) {
      const expected = sigmoid(evaluate(forest, features));
      const found = together[index] ?? NaN;
      assert(Math.abs(found - expected) < 1e-11, `${found} must be ${expected}`);
    }
  }
  set.unload();
}

const CASES: [string, { trees: number; depth: number }][] = [
  ["shallow trees", { trees: 40, depth: 5 }],
  ["trees of depth 6 and 7, on both sides of the kernels' border", { trees: 6, depth: 7 }],
  ["long ways", { trees: 6, depth: 30 }],
];
for (const [name, size] of CASES) {
  Deno.test(`ForestSet.score equals a plain evaluator: ${name}`, () => {
    fc.assert(
      fc.property(ensembles(size), rows(80), (forest, matrix) => checkScores([forest], matrix)),
      { numRuns: 60 },
    );
  });
}

Deno.test("ForestSet.score equals a plain evaluator: several forests over one row", () => {
  const forests = fc.array(ensembles({ trees: 8, depth: 7 }), { minLength: 2, maxLength: 5 });
  fc.assert(fc.property(forests, rows(40), checkScores), { numRuns: 40 });
});

Deno.test("ForestSet.contributions sum to the margin", () => {
  const size = { trees: 8, depth: 8 };
  fc.assert(
    fc.property(ensembles(size), rows(5), (forest, matrix) => {
      fc.pre(forest.trees.every((tree) => !("leaf" in tree)));
      const set = engine.loadSet([encode(forest)]);
      const count = matrix.length / FEATURES;
      const { values, base } = set.contributions(matrix, count, 0);
      for (let row = 0; row < count; row++) {
        const [from, to] = [row * FEATURES, (row + 1) * FEATURES];
        const sum = values.subarray(from, to).reduce((sum, value) => sum + value, base);
        const margin = evaluate(forest, matrix.subarray(from, to));
        assert(Math.abs(sum - margin) < 1e-6, `${sum} must be ${margin}`);
      }
      set.unload();
    }),
    { numRuns: 100 },
  );
});

const AMOUNT = 0, TERM = 1, PAYMENT = 2, INCOME = 3, SHARE = 4;

const requests = fc.record({
  income: fc.constantFrom(NaN, 0, 0.7, 2),
  terms: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  min: fc.double({ min: 0, max: 3, noNaN: true }),
  step: fc.constantFrom(0.01, 0.1, 1 / 3),
  count: fc.integer({ min: 1, max: 80 }),
}).map(({ income, terms, min, step, count }): SweepRequest => ({
  row: Float32Array.of(NaN, NaN, NaN, income, NaN),
  amountColumn: AMOUNT,
  termColumn: TERM,
  amounts: { min, max: min + step * (count - 1), step },
  terms,
  derived: [
    { operation: "ratio", of: [AMOUNT, TERM], column: PAYMENT },
    { operation: "ratio", of: [PAYMENT, INCOME], column: SHARE },
  ],
}));

/** The features of a cell as the service computes them: every quotient rounded to a float. */
function featuresOf({ row }: SweepRequest, amount: number, term: number): Float32Array {
  const features = row.slice();
  const ratio = (first: number, second: number) => {
    const [above, below] = [features[first] ?? NaN, features[second] ?? NaN];
    return below > 0 ? above / below : NaN;
  };
  features[AMOUNT] = amount;
  features[TERM] = term;
  features[PAYMENT] = ratio(AMOUNT, TERM);
  features[SHARE] = ratio(PAYMENT, INCOME);
  return features;
}

Deno.test("ForestSet.sweep gives what scoring every cell gives, to the bit", () => {
  const threshold = fc.oneof(
    fc.float({ min: 0, max: 9, noNaN: true }),
    fc.integer({ min: 0, max: 9 }),
  );
  const forests = fc.array(ensembles({ trees: 8, depth: 6, threshold }), {
    minLength: 1,
    maxLength: 3,
  });
  const objective = (cell: { amount: number; probability: number }) =>
    cell.amount * cell.probability;
  fc.assert(
    fc.property(forests, requests, (drawn, request) => {
      const set = engine.loadSet(drawn.map(encode));
      const sweep = set.sweep(request);
      const grid = sweep.grid();
      let [at, most, best] = [0, -Infinity, { forest: NaN, amount: NaN, term: NaN }];
      const cells = request.terms.flatMap((term) =>
        Array.from({ length: sweep.amounts }, (_, index) => ({
          term,
          amount: sweep.amountAt(index),
        }))
      );
      const matrix = cells.map(({ amount, term }) => [...featuresOf(request, amount, term)]).flat();
      const scores = set.score(Float32Array.from(matrix), cells.length);
      for (let forest = 0; forest < drawn.length; forest++) {
        for (const [index, { amount, term }] of cells.entries()) {
          const probability = scores[index * drawn.length + forest] ?? NaN;
          assert.equal(grid[at++], probability);
          assert.equal(sweep.probability(forest, { amount, term }), probability);
          if (objective({ amount, probability }) > most) {
            most = objective({ amount, probability });
            best = { forest, amount, term };
          }
        }
        for (const term of request.terms) {
          const amounts = cells.flatMap((cell, index) =>
            cell.term === term && (scores[index * drawn.length + forest] ?? NaN) >= 0.5
              ? [cell.amount]
              : []
          );
          const found = sweep.largestAmount(forest, { term, probability: 0.5 });
          assert.equal(found, amounts.at(-1) ?? null);
        }
      }
      const { probability: _, ...found } = sweep.best(objective) ?? assert.fail("there are cells");
      assert.deepEqual(found, best);
      if (request.amounts.min > 0) {
        const { probability: _, ...sooner } = sweep.best(objective, { monotone: true }) ??
          assert.fail("there are cells");
        assert.deepEqual(sooner, best);
      }
      set.unload();
    }),
    { numRuns: 60 },
  );
});
