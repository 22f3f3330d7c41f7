import assert from "node:assert/strict";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { ModelError } from "../../wasm/instance.ts";
import type { Tract } from "../../wasm/tract.ts";
import { fixture, golden, newEngine, newTract, tractModule } from "./support.ts";

const FORESTS = [
  "xgboost",
  "lightgbm",
  "lightgbm_zipmap",
  "random_forest",
  "decision_tree",
  "gradient_boosting",
  "modes",
  "modes_equal",
];
const GRAPHS = ["mlp", "mlp_zipmap"];
const FEATURES = 6;

function assertClose(actual: Float64Array, expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [row, value] of actual.entries()) {
    const error = Math.abs(value - (expected[row] ?? NaN));
    assert(error <= tolerance, `row ${row}: ${value} must be ${expected[row]} within ${tolerance}`);
  }
}

function compiled(tract: Tract, onnx: Uint8Array): Uint8Array {
  const forest = tract.compile(onnx);
  assert(forest !== null, "it must be a forest");
  return forest;
}

/** A copy of the bytes with one text replaced by another of the same length. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(from);
  assert(at >= 0 && from.length === to.length);
  const copy = bytes.slice();
  copy.set(new TextEncoder().encode(to), at);
  return copy;
}

Deno.test("Tract: the module has no imports", () => {
  assert.deepEqual(WebAssembly.Module.imports(tractModule), []);
});

for (const name of FORESTS) {
  Deno.test(`Tract.compile: ${name} scores as in ONNX Runtime`, () => {
    const onnx = fixture(`${name}.onnx`);
    const { rows, matrix, probabilities } = golden(name);
    const forest = newEngine().loadSet([compiled(newTract(), onnx)]);
    assert.equal(forest.features, FEATURES);
    assert.equal(forest.forests[0]?.onnxSha256, createHash("sha256").update(onnx).digest("hex"));
    assertClose(forest.score(matrix, rows), probabilities, 1e-6);
  });
}

for (const name of GRAPHS) {
  Deno.test(`Tract.load: ${name} scores as in ONNX Runtime`, () => {
    const tract = newTract();
    const onnx = fixture(`${name}.onnx`);
    const { rows, matrix, probabilities } = golden(name);
    assert.equal(tract.compile(onnx), null);
    const graph = tract.load(onnx, { features: FEATURES });
    assertClose(graph.score(matrix, rows), probabilities, 1e-5);
    assertClose(graph.score(matrix.subarray(0, FEATURES), 1), probabilities.slice(0, 1), 1e-5);
  });
}

Deno.test("Tract.compile gives the same bytes each time", () => {
  const tract = newTract();
  const onnx = fixture("xgboost.onnx");
  assert.deepEqual(tract.compile(onnx), newTract().compile(onnx));
  assert.deepEqual(tract.compile(onnx), tract.compile(onnx));
});

Deno.test("Tract refuses bytes that are no ONNX", () => {
  const tract = newTract();
  const text = new TextEncoder().encode("not a protobuf");
  const refusals: [() => unknown, RegExp][] = [
    [() => tract.compile(text), /Cannot compile ONNX: the bytes must be an ONNX protobuf/],
    [() => tract.compile(new Uint8Array(0)), /Cannot compile ONNX: the model must hold a graph/],
    [() => tract.load(text, { features: 6 }), /Cannot load ONNX: the bytes must be an ONNX/],
  ];
  for (const [attempt, message] of refusals) {
    assert.throws(attempt, { name: "ModelError", message });
  }
});

Deno.test("Tract.compile refuses an unknown split rule and names its node", () => {
  const onnx = replaced(fixture("random_forest.onnx"), "BRANCH_LEQ", "BRANCH_XXX");
  assert.throws(() => newTract().compile(onnx), /tree 0, node \d+: its mode must be .*BRANCH_XXX/);
});

Deno.test("Tract.compile: truncated or changed ONNX is refused or compiled, and never traps", () => {
  const tract = newTract();
  const engine = newEngine();
  const original = fixture("gradient_boosting.onnx");
  const at = fc.nat(original.length - 1);
  const change = fc.record({ at, byte: fc.nat(255), cut: fc.option(at) });
  fc.assert(fc.property(change, ({ at, byte, cut }) => {
    const bytes = original.slice(0, cut ?? original.length);
    if (at < bytes.length) bytes[at] = byte;
    try {
      const forest = tract.compile(bytes);
      if (forest !== null) engine.loadSet([forest]).unload();
    } catch (error) {
      assert(error instanceof ModelError && error.message.startsWith("Cannot compile ONNX: "));
    }
  }));
});

Deno.test("Tract.load refuses another width and a tree ensemble", () => {
  const tract = newTract();
  assert.throws(
    () => tract.load(fixture("mlp.onnx"), { features: 7 }),
    /its width must be that of the matrix, 7, it is 6/,
  );
  assert.throws(
    () => tract.load(fixture("xgboost.onnx"), { features: FEATURES }),
    /a tree ensemble must be compiled, it is not run here/,
  );
});

Deno.test("Graph.score refuses an output that is no probability, and goes on", () => {
  const graph = newTract().load(fixture("mlp.onnx"), { features: FEATURES });
  const missing = new Float32Array(2 * FEATURES);
  missing[FEATURES] = NaN;
  assert.throws(
    () => graph.score(missing, 2),
    /the output of row 1 must be a probability, within 0\.\.1, it is NaN/,
  );
  assert.equal(graph.score(new Float32Array(FEATURES), 1).length, 1);
  graph.unload();
  assert.throws(() => graph.score(new Float32Array(FEATURES), 1), /no model has handle/);
});
