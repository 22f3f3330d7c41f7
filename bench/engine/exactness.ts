/**
 * The long comparisons, too long for the tests: 10^6 rows with missing values against ONNX Runtime, and
 * 10^7 cells of offers against scoring each cell.
 *
 *     deno run -A --no-lock bench/engine/exactness.ts [PYTHON]
 */

import assert from "node:assert/strict";
import { Engine, readModule, Tract } from "../../wasm/mod.ts";
import { AMOUNTS, cells, FEATURES, sweepRequest } from "./loan.ts";
import { Python } from "./python.ts";

const ROWS_A_PART = 100_000, PARTS = 10, CLIENTS = 334;

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
await python.close();
await Deno.remove(folder, { recursive: true });
