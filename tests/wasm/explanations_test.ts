import assert from "node:assert/strict";
import { permutationShapley } from "../../wasm/permutation_shapley.ts";
import { fixture, handMade, newEngine, newTract } from "./support.ts";

interface Golden {
  readonly rows: (number | string)[][];
  readonly contributions: number[][];
}

/** The peers compute in floats, or print them: what they may differ by, in log-odds. */
const TOLERANCE = 1e-5;

for (const name of ["xgboost", "xgboost_deep", "lightgbm", "gradient_boosting"]) {
  Deno.test(`ForestSet.contributions: explained_${name} as the library explains it`, () => {
    const onnx = fixture(`explained_${name}.onnx`);
    const golden = JSON.parse(
      new TextDecoder().decode(fixture(`explained_${name}.json`)),
    ) as Golden;
    const forest = newTract().compile(onnx) ?? assert.fail("it must be a forest");
    const set = newEngine().loadSet([forest]);
    const matrix = Float32Array.from(golden.rows.flat(), Number);
    const { values, base } = set.contributions(matrix, golden.rows.length, 0);
    const scores = set.score(matrix, golden.rows.length);
    for (const [row, expected] of golden.contributions.entries()) {
      const found = [...values.subarray(row * set.features, (row + 1) * set.features), base];
      for (const [feature, value] of expected.entries()) {
        const error = Math.abs((found[feature] ?? NaN) - value);
        assert(error <= TOLERANCE, `row ${row}, feature ${feature}: off by ${error}`);
      }
      const probability = scores[row] ?? NaN;
      const margin = Math.log(probability / (1 - probability));
      const sum = found.reduce((sum, value) => sum + value);
      assert(Math.abs(sum - margin) < 1e-6, `row ${row}: ${sum} must be ${margin}`);
    }
  });
}

Deno.test("ForestSet.contributions refuses a forest whose covers are not known", () => {
  const forest = newTract().compile(fixture("xgboost.onnx")) ?? assert.fail("it must be a forest");
  const set = newEngine().loadSet([forest]);
  assert.throws(
    () => set.contributions(new Float32Array(set.features), 1, 0),
    /Cannot explain: the covers of tree 0 must be known, they are all [01]; write them into/,
  );
  assert.equal(set.score(new Float32Array(set.features), 1).length, 1);
});

Deno.test("ForestSet.contributions: a tree worked by hand", () => {
  // x0 missing goes right, to 2. Knowing x0 alone: 2. Knowing x1 = -2 alone: half of -2, half of 2.
  const { values, base } = newEngine().loadSet([handMade()])
    .contributions(Float32Array.of(NaN, -2), 1, 0);
  const expected = [
    (2 - 0.5 + (2 - 0)) / 2, // 0.5 is expected of nobody known, 0 when x1 is
    (0 - 0.5 + (2 - 2)) / 2,
  ];
  expected.forEach((value, feature) => assert(Math.abs((values[feature] ?? NaN) - value) < 1e-9));
  assert.equal(base, 1.5);
});

Deno.test("ForestSet.contributions refuses a forest that is not in the set", () => {
  const set = newEngine().loadSet([handMade()]);
  assert.throws(() => set.contributions(new Float32Array(2), 1, 1), /Cannot explain forest 1/);
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

Deno.test("permutationShapley: an additive model exactly, one with an interaction within its errors", () => {
  const features = 4;
  const background = Float32Array.from({ length: 20 * features }, (_, at) => Math.sin(at * 7.3));
  const row = Float32Array.of(1, -0.5, 0.25, 2);
  const options = { background, features, pairs: 60, seed: 7 };
  const margins = (margin: (row: Float32Array) => number) => (matrix: Float32Array, rows: number) =>
    Float64Array.from(
      { length: rows },
      (_, index) => sigmoid(margin(matrix.subarray(index * features, (index + 1) * features))),
    );
  const mean = (column: number) => {
    let sum = 0;
    for (let at = column; at < background.length; at += features) sum += background[at] ?? NaN;
    return sum / 20;
  };
  const linear = permutationShapley(
    margins(([a = NaN, b = NaN]) => 2 * a - b),
    row,
    options,
  );
  const expected = [2 * (1 - mean(0)), -(-0.5 - mean(1)), 0, 0];
  expected.forEach((value, feature) => {
    assert(Math.abs((linear.values[feature] ?? NaN) - value) < 1e-6);
    assert((linear.standardErrors[feature] ?? NaN) < 1e-6);
  });
  const product = margins(([a = NaN, , c = NaN, d = NaN]) => a * c * d);
  const few = permutationShapley(product, row, options);
  const many = permutationShapley(product, row, { ...options, pairs: 4000, seed: 8 });
  for (let feature = 0; feature < features; feature++) {
    const error = Math.abs((few.values[feature] ?? NaN) - (many.values[feature] ?? NaN));
    assert(
      error <= 5 * (few.standardErrors[feature] ?? NaN) + 1e-9,
      `feature ${feature}: ${error}`,
    );
  }
  const sum = few.values.reduce((sum, value) => sum + value, few.base);
  assert(Math.abs(sum - 1 * 0.25 * 2) < 1e-6);
  assert.deepEqual(permutationShapley(product, row, options), few);
});

Deno.test("permutationShapley: a neural network, against its exact Shapley values", () => {
  const features = 6;
  const graph = newTract().load(fixture("mlp.onnx"), { features });
  const score = (matrix: Float32Array, rows: number) => graph.score(matrix, rows);
  const background = Float32Array.from({ length: 8 * features }, (_, at) => Math.cos(at * 3.7));
  const row = Float32Array.of(1, -1, 0.5, 2, 0, 3);
  const found = permutationShapley(score, row, { background, features, pairs: 60, seed: 1 });
  const margin = (known: number) => {
    const mixed = background.map((value, at) =>
      known >> (at % features) & 1 ? row[at % features] ?? NaN : value
    );
    return score(mixed, 8).reduce((sum, p) => sum + Math.log(p / (1 - p)), 0) / 8;
  };
  const all = Array.from({ length: 1 << features }, (_, known) => margin(known));
  const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1);
  for (let feature = 0; feature < features; feature++) {
    let exact = 0;
    for (const [known, value] of all.entries()) {
      if (known >> feature & 1) continue;
      const size = known.toString(2).replaceAll("0", "").length;
      const weight = factorial(size) * factorial(features - 1 - size) / factorial(features);
      exact += weight * ((all[known | 1 << feature] ?? NaN) - value);
    }
    const [value, error] = [found.values[feature] ?? NaN, found.standardErrors[feature] ?? NaN];
    assert(Math.abs(value - exact) <= 5 * error + 1e-6, `${value} ± ${error} must be ${exact}`);
  }
});

Deno.test("permutationShapley refuses shapes that do not fit", () => {
  const score = (_: Float32Array, rows: number) => new Float64Array(rows);
  const options = { background: new Float32Array(6), features: 2, pairs: 4, seed: 1 };
  assert.throws(
    () => permutationShapley(score, new Float32Array(3), options),
    /Cannot explain a row of 3 features/,
  );
});
