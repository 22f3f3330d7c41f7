/**
 * The long comparisons, too long for the tests: 10^6 rows with missing values against ONNX Runtime,
 * 10^4 rows' contributions against those of XGBoost and LightGBM, and 10^7 cells of offers against scoring
 * each cell. What was found goes to bench/results/exactness.json; more than is allowed is an error.
 *
 *     deno run -A --no-lock bench/engine/exactness.ts [PYTHON]
 */

import assert from "node:assert/strict";
import { Engine, readModule, Tract } from "../../wasm/mod.ts";
import { AMOUNTS, cells, FEATURES, sweepRequest } from "./loan.ts";
import { Python } from "./python.ts";

const ROWS_A_PART = 100_000, PARTS = 10, EXPLAINED = 10_000, CLIENTS = 334;

const RESULT = new URL("../results/exactness.json", import.meta.url);
const ENGINE = new URL("../../wasm/engine.wasm", import.meta.url);

const folder = await Deno.makeTempDir({ prefix: "prescore-exactness-" });
const python = new Python(Deno.args[0] ?? "python3", folder);
const engine = new Engine(await readModule("engine"));
const tract = new Tract(await readModule("tract"));
const forests: Uint8Array[] = [];
for (const seed of [1, 2, 3, 4, 5]) {
  await python.ask({ make: { name: `bank${seed}`, kind: "xgboost", trees: 300, depth: 5, seed } });
  const onnx = await Deno.readFile(`${folder}/bank${seed}.onnx`);
  forests.push(tract.compile(onnx) ?? assert.fail("it must be a forest"));
}

const one = engine.loadSet(forests.slice(0, 1));
let worst = 0;
for (let part = 0; part < PARTS; part++) {
  const request = { name: "bank1", rows: ROWS_A_PART, seed: 100 + part };
  const path = await python.ask<string>({ expect: request });
  const numbers = new Float32Array((await Deno.readFile(path)).buffer);
  const scores = one.score(numbers.subarray(0, ROWS_A_PART * FEATURES), ROWS_A_PART);
  for (const [row, score] of scores.entries()) {
    const expected = numbers[ROWS_A_PART * FEATURES + row] ?? NaN;
    worst = Math.max(worst, Math.abs(score - expected));
  }
}
console.log(`${ROWS_A_PART * PARTS} rows: largest difference to ONNX Runtime ${worst}`);

interface Explained {
  /** Largest difference of a contribution to the library's. */
  readonly largestDifference: number;
  /** Largest difference of a row's contributions, added up, to its log-odds: ours, and the library's. */
  readonly largestGapOfSum: number;
  readonly largestGapOfSumOfLibrary: number;
}

async function explained(name: string, peer: "xgboost" | "lightgbm"): Promise<Explained> {
  const onnx = await Deno.readFile(`${folder}/${name}.onnx`);
  const set = engine.loadSet([tract.compile(onnx) ?? assert.fail("it must be a forest")]);
  const { path, gap } = await python.ask<{ path: string; gap: number }>({
    explain: { peer, name, rows: EXPLAINED, seed: 200 },
  });
  const { buffer } = await Deno.readFile(path);
  const matrix = new Float32Array(buffer, 0, EXPLAINED * FEATURES);
  const expected = new Float64Array(buffer, matrix.byteLength);
  const { values, base } = set.contributions(matrix, EXPLAINED, 0);
  let [largestDifference, largestGapOfSum] = [0, 0];
  for (const [row, score] of set.score(matrix, EXPLAINED).entries()) {
    const found = [...values.subarray(row * FEATURES, (row + 1) * FEATURES), base];
    for (const [feature, value] of found.entries()) {
      const other = expected[row * (FEATURES + 1) + feature] ?? NaN;
      largestDifference = Math.max(largestDifference, Math.abs(value - other));
    }
    const sum = found.reduce((sum, value) => sum + value);
    largestGapOfSum = Math.max(largestGapOfSum, Math.abs(sum - Math.log(score / (1 - score))));
  }
  return { largestDifference, largestGapOfSum, largestGapOfSumOfLibrary: gap };
}
const leafwise = { name: "leafwise", kind: "lightgbm", trees: 300, depth: 31, seed: 6 };
await python.ask({ make: leafwise });
const contributions = {
  xgboost: await explained("bank1", "xgboost"),
  lightgbm: await explained("leafwise", "lightgbm"),
};
console.log(`${EXPLAINED} rows explained: ${JSON.stringify(contributions)}`);

const banks = engine.loadSet(forests);
const numbers = new Float32Array((await Deno.readFile(`${folder}/bank2.bin`)).buffer);
const objective = ({ amount, probability }: { amount: number; probability: number }) =>
  amount * probability;
let [compared, differences] = [0, 0];
for (let client = 0; client < CLIENTS; client++) {
  const request = sweepRequest(numbers.slice(client * FEATURES, (client + 1) * FEATURES));
  const sweep = banks.sweep(request);
  const grid = sweep.grid();
  const perBank = request.terms.length * AMOUNTS;
  const scores = banks.score(cells(request), perBank);
  let best = { value: -Infinity, forest: -1, amount: NaN, term: NaN };
  for (let forest = 0; forest < sweep.forests; forest++) {
    for (let cell = 0; cell < perBank; cell++) {
      const probability = scores[cell * sweep.forests + forest] ?? NaN;
      compared++;
      if (grid[forest * perBank + cell] !== probability) differences++;
      const amount = sweep.amountAt(cell % AMOUNTS);
      const value = objective({ amount, probability });
      if (value > best.value) {
        best = { value, forest, amount, term: request.terms[Math.floor(cell / AMOUNTS)] ?? NaN };
      }
    }
  }
  const found = sweep.best(objective, { monotone: true });
  const same = found?.forest === best.forest && found.amount === best.amount &&
    found.term === best.term;
  if (!same) differences++;
}
console.log(
  `${compared} cells of ${CLIENTS} clients: ${differences} differences, best cells included`,
);
const versions = await python.ask<Record<string, string>>({ versions: true });
await python.close();
await Deno.remove(folder, { recursive: true });

const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(ENGINE));
const result = {
  engineSha256: new Uint8Array(digest).toHex(),
  versions,
  scores: { rows: ROWS_A_PART * PARTS, largestDifferenceToOnnxRuntime: worst, allowed: 1e-6 },
  contributions: { rows: EXPLAINED, allowed: 1e-5, allowedOfSum: 1e-6, ...contributions },
  offers: { clients: CLIENTS, cells: compared, differences },
};
await Deno.writeTextFile(RESULT, JSON.stringify(result, null, 2) + "\n");
assert(worst <= 1e-6, "scores must be ONNX Runtime's");
for (const [library, found] of Object.entries(contributions)) {
  // Nothing can be nearer to a library than the library is to itself.
  const allowed = Math.max(1e-5, found.largestGapOfSumOfLibrary);
  assert(found.largestDifference <= allowed, `contributions must be those of ${library}`);
  assert(found.largestGapOfSum <= 1e-6, "contributions must sum to the log-odds");
}
assert.equal(differences, 0, "offers must be those of scoring each cell");
