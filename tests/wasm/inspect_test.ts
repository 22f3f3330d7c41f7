import assert from "node:assert/strict";
import { backgroundRows, typicalRow } from "../../wasm/background.ts";
import { sweepByScoring } from "../../wasm/inspect.ts";
import { type Drift, ModelSet, readBundle, readManifest, sha256Of } from "../../wasm/mod.ts";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { Random } from "../queue/simulation/random.ts";
import { readModels } from "../support/models.ts";
import { PROJECT, readConfig } from "../support/service.ts";
import { engineModule, fixture, newTract, tractModule } from "./support.ts";

const { set, features } = await readModels(readConfig());
const row = features.matrix([{
  answers: randomApplicant(new Random(1), 0),
  atMs: APPLIED_AT_MS,
}]);
const LOANS = {
  amountColumn: 13,
  termColumn: 14,
  amounts: { min: 5_000, max: 300_000, step: 5_000 },
  terms: [6, 12, 24],
  derived: features.derivedFrom([13, 14]),
};

async function smallModels(background: Float32Array) {
  const folder = new URL("tests/fixtures/small/models/", PROJECT);
  const manifest = await readManifest(folder);
  const bundle = await readBundle(folder, {
    features: manifest.features,
    models: ["trees", "network"],
  });
  return new ModelSet({ engine: engineModule, tract: tractModule }, { ...bundle, background });
}

Deno.test("inspect() gives the scores of every row, and contributions that add up", () => {
  const other = features.withValues(row, [[13, 20_000]]);
  const matrix = Float32Array.from([...row, ...other]);
  const scores = set.score(matrix, 2);
  const inspected = set.inspect({ matrix, rows: 2, explain: true, sweeps: [] });
  for (const [model, answer] of inspected.entries()) {
    assert.ok("view" in answer && answer.view.explained);
    const { probabilities, explained: { values, base, approximate } } = answer.view;
    assert.deepEqual([...probabilities], [scores[model], scores[inspected.length + model]]);
    assert.equal(approximate, false);
    const logOdds = values.reduce((sum, value) => sum + value, base);
    assert.ok(Math.abs(1 / (1 + Math.exp(-logOdds)) - (probabilities[0] ?? NaN)) < 1e-6);
  }
});

Deno.test("inspect() sweeps as the engine does, and sweepByScoring() finds the same pieces", () => {
  const inspected = set.inspect({ matrix: row, rows: 1, explain: false, sweeps: [LOANS] });
  const request = { matrix: row, rows: 1, explain: false, sweeps: [] };
  const context = { request, features: row.length, background: undefined };
  const outputs = inspected.length;
  const scored = sweepByScoring((matrix, rows) => set.score(matrix, rows), LOANS, {
    ...context,
    outputs,
  });
  for (const [model, answer] of inspected.entries()) {
    assert.ok("view" in answer);
    const [lists] = answer.view.sweeps;
    assert.ok(lists);
    // The engine may cut a piece in two where the probability is the same on both sides.
    assert.deepEqual(cellsOf(lists), cellsOf(scored[model] ?? assert.fail("lists")));
  }
});

/** The probability of every cell. */
function cellsOf({ ends, starts, probabilities }: ReturnType<typeof sweepByScoring>[number]) {
  const amounts = 60;
  return [...ends].flatMap((end, term) => {
    const first = term === 0 ? 0 : ends[term - 1] ?? 0;
    return Array.from({ length: amounts }, (_, index) => {
      let at = end - 1;
      while (at > first && (starts[at] ?? 0) > index) at--;
      return probabilities[at];
    });
  });
}

Deno.test("inspect() names a model that cannot score a client, and the others answer", async () => {
  const [trees, network] = [fixture("xgboost.onnx"), fixture("mlp.onnx")];
  const forest = newTract().compile(trees) ?? assert.fail("it must be a forest");
  const models = new ModelSet({ engine: engineModule, tract: tractModule }, {
    features: 6,
    models: [
      { name: "network", kind: "onnx", bytes: network, onnxSha256: await sha256Of(network) },
      { name: "trees", kind: "forest", bytes: forest, onnxSha256: await sha256Of(trees) },
    ],
  });
  const inspected = models.inspect({
    matrix: Float32Array.of(NaN, 1, 2, 3, 4, 5),
    rows: 1,
    explain: true,
    sweeps: [],
  });
  assert.ok(inspected[0] && "failure" in inspected[0]);
  assert.match(inspected[0].failure, /must be a probability, within 0\.\.1, it is NaN/);
  assert.ok(inspected[1] && "view" in inspected[1]);
  const [probability = NaN] = inspected[1].view.probabilities;
  assert.ok(probability > 0 && probability < 1);
});

Deno.test("inspect() after a request that the engine refuses answers the next one", () => {
  const broken = { matrix: row, rows: 2, explain: true, sweeps: [] };
  for (const answer of set.inspect(broken)) assert.ok("failure" in answer);
  const [answer] = set.inspect({ ...broken, rows: 1 });
  assert.ok(answer && "view" in answer);
});

Deno.test("inspect() explains a model that is no forest by sampling, and says so; the values add up", async () => {
  const background = Float32Array.from([
    40,
    2000,
    1000,
    0.5,
    25,
    1000,
    2000,
    2,
    60,
    3000,
    900,
    0.3,
  ]);
  const models = await smallModels(background);
  const matrix = Float32Array.of(36, 2500, 1200, 0.48);
  const sweep = { ...LOANS, amountColumn: 2, termColumn: 0, terms: [36], derived: [] };
  const [, network] = models.inspect({ matrix, rows: 1, explain: true, sweeps: [sweep] });
  assert.ok(network && "view" in network && network.view.explained);
  const { probabilities, explained: { values, base, approximate }, sweeps } = network.view;
  assert.equal(approximate, true);
  const logOdds = values.reduce((sum, value) => sum + value, base);
  const probability = probabilities[0] ?? NaN;
  assert.ok(Math.abs(logOdds - Math.log(probability / (1 - probability))) < 1e-6);
  const at5000 = models.score(Float32Array.of(36, 2500, 5000, 0.48), 1)[1];
  assert.equal(sweeps[0]?.probabilities[0], at5000);
});

const DRIFT: Drift = {
  features: {
    age: { kind: "quantiles", edges: [20, 30, 50], shares: [0.2, 0.2, 0.3, 0.2], missing: 0.1 },
    kind: { kind: "values", values: [1, 4], shares: [0.25, 0.5], other: 0.15, missing: 0.1 },
  },
  scores: {},
};

Deno.test("typicalRow() is the median of what was answered; a category has none", () => {
  const [age, kind, other] = typicalRow(DRIFT, ["age", "kind", "other"]);
  assert.ok(Math.abs((age ?? NaN) - (30 + 20 * (0.05 / 0.3))) < 1e-5);
  assert.deepEqual([kind, other], [NaN, NaN]);
});

Deno.test("backgroundRows() spread each feature over its distribution, the same rows each time", () => {
  const names = ["kind", "age"];
  const rows = backgroundRows(DRIFT, { names, rows: 20 });
  const column = (at: number) => [...rows].filter((_, index) => index % 2 === at);
  assert.equal(column(0).filter((value) => value === 1).length, 5);
  assert.equal(column(0).filter((value) => value === 4).length, 10);
  assert.equal(column(0).filter(Number.isNaN).length, 5);
  assert.equal(column(1).filter(Number.isNaN).length, 2);
  assert.ok(column(1).every((value) => Number.isNaN(value) || value >= 20 && value <= 50));
  assert.deepEqual(backgroundRows(DRIFT, { names, rows: 20 }), rows);
});
