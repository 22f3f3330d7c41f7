/**
 * The engine beside its peers: one command, one run, one thread each.
 *
 *     deno task bench-engine [--python PYTHON] [--rounds 7] [--quick]
 *
 * PYTHON has onnxruntime, xgboost, lightgbm, onnxmltools, scikit-learn and, where wanted, treelite and
 * tl2cgen. In each round every peer runs once, in turn, so that what slows the machine slows all; the
 * medians are compared. Raw times go to bench/results/engine.json, the chart to engine.svg.
 *
 * Known limit: times are those of this machine at this hour; the ratios are the result.
 */

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { Engine, readModule, Tract } from "../../wasm/mod.ts";
import type { ForestSet } from "../../wasm/mod.ts";
import { chart } from "./chart.ts";
import { cells, FEATURES, sweepRequest } from "./loan.ts";
import { Python } from "./python.ts";
import { type Run, VERSION, WEB_PEERS, webRunner } from "./web.ts";

const PROJECT = new URL("../../", import.meta.url);
const RESULTS = new URL("bench/results/", PROJECT);
const OURS = "prescore";

const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "7" },
    quick: { type: "boolean", default: false },
  },
});

interface Case {
  readonly name: string;
  readonly kind: "xgboost" | "lightgbm";
  readonly trees: number;
  /** Of XGBoost's trees; the number of leaves for LightGBM. */
  readonly depth: number;
  readonly seed: number;
  /** Also compiled to machine code, which takes its time. */
  readonly native?: boolean;
}

const HEADLINE = "300 trees, depth 5";
const BANKS: Case[] = [1, 2, 3, 4, 5].map((seed) => ({
  name: seed === 1 ? HEADLINE : `${HEADLINE}, bank ${seed}`,
  kind: "xgboost",
  trees: 300,
  depth: 5,
  seed,
  native: seed === 1,
}));
const OTHERS: Case[] = [
  { name: "100 trees, depth 3", kind: "xgboost", trees: 100, depth: 3, seed: 11 },
  { name: "1000 trees, depth 5", kind: "xgboost", trees: 1000, depth: 5, seed: 12 },
  { name: "300 trees, depth 8", kind: "xgboost", trees: 300, depth: 8, seed: 13 },
  { name: "300 trees, depth 10", kind: "xgboost", trees: 300, depth: 10, seed: 14 },
  { name: "300 LightGBM trees, 31 leaves", kind: "lightgbm", trees: 300, depth: 31, seed: 15 },
];

/** Per model and task the times of each peer, a number per round; microseconds per row. */
type Times = Record<string, Record<string, number[]>>;
const times: Times = {};

function record(key: string, peer: string, value: number): void {
  ((times[key] ??= {})[peer] ??= []).push(value);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

interface Loaded {
  readonly name: string;
  readonly set: ForestSet;
  readonly matrix: Float32Array;
  readonly rows: number;
  readonly python: readonly string[];
  readonly web: readonly [string, Run][];
  readonly explained: boolean;
}

const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
const python = new Python(options.python, folder);
const [engineModule, tractModule] = [await readModule("engine"), await readModule("tract")];
const engine = new Engine(engineModule);
const tract = new Tract(tractModule);

async function webRunners(onnx: Uint8Array): Promise<[string, Run][]> {
  return await Promise.all(
    WEB_PEERS.map(async (peer): Promise<[string, Run]> => [peer, await webRunner(peer, onnx)]),
  );
}

const forests: Uint8Array[] = [];

async function make(item: Case): Promise<Loaded> {
  const peers = await python.ask<string[]>({ make: item });
  const onnx = await Deno.readFile(`${folder}/${item.name}.onnx`);
  const numbers = new Float32Array((await Deno.readFile(`${folder}/${item.name}.bin`)).buffer);
  const rows = numbers.length / (FEATURES + 1);
  const matrix = numbers.subarray(0, rows * FEATURES);
  const forest = tract.compile(onnx) ?? assert.fail("it must be a forest");
  forests.push(forest);
  const set = engine.loadSet([forest]);
  let worst = 0;
  for (const [row, score] of set.score(matrix, rows).entries()) {
    worst = Math.max(worst, Math.abs(score - (numbers[rows * FEATURES + row] ?? NaN)));
  }
  assert(worst <= 2e-6, `${item.name}: off by ${worst}`);
  console.log(`${item.name}: ready, largest difference to ONNX Runtime ${worst.toExponential(1)}`);
  return {
    name: item.name,
    set,
    matrix,
    rows,
    python: peers,
    web: await webRunners(onnx),
    explained: true,
  };
}

async function shipped(): Promise<Loaded[]> {
  const at = new URL("models/1/", PROJECT);
  const manifest = JSON.parse(await Deno.readTextFile(new URL("manifest.json", at)));
  const golden = JSON.parse(await Deno.readTextFile(new URL(manifest.golden.file, at)));
  const cells: (number | null)[][] = golden.rows;
  const matrix = Float32Array.from(
    Array.from({ length: 2048 }, (_, row) => cells[row % cells.length] ?? []).flat(),
    (value) => value ?? NaN,
  );
  await Deno.writeFile(`${folder}/shipped.bin`, new Uint8Array(matrix.buffer));
  const loaded: Loaded[] = [];
  for (const [bank, entry] of Object.entries<{ onnx: { file: string } }>(manifest.models)) {
    const path = new URL(entry.onnx.file, at);
    const onnx = await Deno.readFile(path);
    const name = `shipped ${bank}`;
    const forest = tract.compile(onnx);
    if (forest === null) continue;
    loaded.push({
      name,
      set: engine.loadSet([forest]),
      matrix,
      rows: 2048,
      python: await python.ask({
        load: { name, path: path.pathname, rows: `${folder}/shipped.bin` },
      }),
      web: await webRunners(onnx),
      explained: false,
    });
  }
  return loaded;
}

const SINGLES = 200;

async function round(model: Loaded): Promise<void> {
  const { name, set, matrix, rows } = model;
  const one = (row: number) => matrix.slice(row * FEATURES, (row + 1) * FEATURES);
  const singles = Array.from({ length: SINGLES }, (_, row) => one(row % rows));
  const into = new Float64Array(1);
  // Ten times the rows: a clock tick must not matter.
  let start = performance.now();
  for (let again = 0; again < 10; again++) for (const row of singles) set.score(row, 1, { into });
  record(`${name} | single`, OURS, (performance.now() - start) / SINGLES / 10 * 1e3);
  start = performance.now();
  for (let again = 0; again < 4; again++) set.score(matrix, rows);
  record(`${name} | batch`, OURS, (performance.now() - start) / rows / 4 * 1e3);
  for (const [peer, run] of model.web) {
    start = performance.now();
    for (const row of singles) await run(row, 1);
    record(`${name} | single`, peer, (performance.now() - start) / SINGLES * 1e3);
    start = performance.now();
    await run(matrix, rows);
    record(`${name} | batch`, peer, (performance.now() - start) / rows * 1e3);
  }
  for (const peer of model.python) {
    for (const [task, count] of [["single", SINGLES], ["batch", rows]] as const) {
      const value = await python.ask<number>({ peer, name, task, rows: count });
      record(`${name} | ${task}`, peer, value);
    }
  }
  if (!model.explained) return;
  const explained = 256;
  start = performance.now();
  set.contributions(matrix.subarray(0, explained * FEATURES), explained, 0);
  record(`${name} | contributions`, OURS, (performance.now() - start) / explained * 1e3);
  for (const peer of model.python.filter((peer) => ["xgboost", "lightgbm"].includes(peer))) {
    const value = await python.ask<number>({ peer, name, task: "contributions", rows: explained });
    record(`${name} | contributions`, peer, value);
  }
}

const OFFERS = "offers: 5 banks x 6,000 cells";

/** The pieces and, of each bank, the best cell and the largest amount of each term. */
async function offers(banks: ForestSet, matrix: Float32Array, client: number): Promise<void> {
  const request = sweepRequest(matrix.slice(client * FEATURES, (client + 1) * FEATURES));
  const start = performance.now();
  const sweep = banks.sweep(request);
  for (let forest = 0; forest < sweep.forests; forest++) {
    sweep.best(({ amount, probability }) => amount * probability, { monotone: true, forest });
    for (const term of request.terms) sweep.largestAmount(forest, { term, probability: 0.5 });
  }
  record(OFFERS, OURS, (performance.now() - start) * 1e3);
  const path = `${folder}/cells.bin`;
  await Deno.writeFile(path, new Uint8Array(cells(request).buffer));
  record(OFFERS, "xgboost", await python.ask<number>({ offers: path }) * 1e3);
}

/** A cold start: compile the module, load five forests, score one row. */
async function cold(matrix: Float32Array): Promise<void> {
  const bytes = await Deno.readFile(new URL("wasm/engine.wasm", PROJECT));
  const start = performance.now();
  const set = new Engine(new WebAssembly.Module(bytes)).loadSet(forests.slice(0, 5));
  set.score(matrix.slice(0, FEATURES), 1);
  record("cold start", OURS, (performance.now() - start) * 1e3);
}

async function compile(): Promise<void> {
  const onnx = await Deno.readFile(`${folder}/${HEADLINE}.onnx`);
  const start = performance.now();
  tract.compile(onnx);
  record("ONNX of 300 trees to forest", OURS, (performance.now() - start) * 1e3);
}

const models: Loaded[] = [];
for (const item of BANKS) models.push(await make(item));
if (!options.quick) {
  for (const item of OTHERS) models.push(await make(item));
  models.push(...await shipped());
}
const headline = models[0] ?? assert.fail("there is a headline model");
const timed = models.filter(({ name }) => !name.includes(", bank"));
const banks = engine.loadSet(forests.slice(0, 5));
// The engines compile what is hot as they go: what is timed must be compiled.
for (const { set, matrix, explained } of timed) {
  if (explained) set.contributions(matrix.subarray(0, 256 * FEATURES), 256, 0);
}
const into = new Float64Array(1);
for (let warm = 0; warm < 300; warm++) {
  for (const { set, matrix } of timed) {
    set.score(matrix.subarray(0, 512 * FEATURES), 512);
    for (let row = 0; row < 20; row++) {
      set.score(matrix.subarray(row * FEATURES, (row + 1) * FEATURES), 1, { into });
    }
  }
  if (warm < 50) banks.sweep(sweepRequest(headline.matrix.slice(0, FEATURES)));
}
for (let index = 0; index < Number(options.rounds); index++) {
  for (const model of timed) await round(model);
  for (let client = 0; client < 3; client++) await offers(banks, headline.matrix, client);
  await cold(headline.matrix);
  await compile();
}

const versions = await python.ask<Record<string, string>>({ versions: true });
await python.close();
await Deno.remove(folder, { recursive: true });

console.log(`\nmedians of ${options.rounds} rounds; us per row, and how many times ours`);
for (const [key, peers] of Object.entries(times)) {
  const ours = median(peers[OURS] ?? []);
  console.log(`\n${key}: ${ours.toFixed(2)} us`);
  for (const [peer, values] of Object.entries(peers)) {
    if (peer === OURS) continue;
    console.log(
      `  ${peer.padEnd(18)} ${median(values).toFixed(2).padStart(10)} us  ` +
        `${(median(values) / ours).toFixed(1)}x`,
    );
  }
}

const cpu = /model name\s*: (.*)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
const report = {
  cpu,
  cores: navigator.hardwareConcurrency,
  loadAverage: Deno.loadavg(),
  versions: { deno: Deno.version.deno, v8: Deno.version.v8, onnxruntimeJs: VERSION, ...versions },
  unit: "microseconds per row; offers, cold start and compilation: microseconds",
  times,
};
await Deno.writeTextFile(new URL("engine.json", RESULTS), JSON.stringify(report, null, 1) + "\n");

const DRAWN: [string, string][] = [
  [`${HEADLINE} | single`, "One row, 300 trees of depth 5"],
  [`${HEADLINE} | batch`, "Batch of 4,096 rows"],
  [`${HEADLINE} | contributions`, "Exact TreeSHAP of a row"],
  [OFFERS, "Offers of one client: 5 banks, 6,000 cells"],
];
const groups = DRAWN.map(([key, title]) => {
  const ours = median(times[key]?.[OURS] ?? []);
  const others = Object.entries(times[key] ?? {}).filter(([peer]) => peer !== OURS);
  const bars = others.map(([label, values]) => ({ label, ratio: median(values) / ours }));
  return { title: `${title}: ${ours.toFixed(ours < 10 ? 2 : 0)} us here; others take`, bars };
});
await Deno.writeTextFile(new URL("engine.svg", RESULTS), chart(groups));
