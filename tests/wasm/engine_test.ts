import assert from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../wasm/engine.ts";
import { ModelError } from "../../wasm/instance.ts";
import { engineModule, handMade, newEngine, OFFSET, stubModule } from "./support.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function refusal(forest: Uint8Array): string {
  try {
    newEngine().loadSet([forest]);
  } catch (error) {
    assert(error instanceof ModelError);
    return error.message;
  }
  assert.fail("the forest must be refused");
}

function spoiled(change: (view: DataView) => void): Uint8Array {
  const bytes = handMade();
  change(new DataView(bytes.buffer));
  return bytes;
}

Deno.test("Engine: the module has no imports and is small", () => {
  assert.deepEqual(WebAssembly.Module.imports(engineModule), []);
  assert(Deno.statSync(new URL("../../wasm/engine.wasm", import.meta.url)).size < 200_000);
});

Deno.test("Engine.loadSet tells a forest's shape and origin", () => {
  const set = newEngine().loadSet([handMade()]);
  assert.equal(set.features, 2);
  const [forest] = set.forests;
  assert.equal(forest?.trees, 1);
  const hash = Array.from({ length: 32 }, (_, byte) => byte.toString(16).padStart(2, "0"));
  assert.equal(forest?.onnxSha256, hash.join(""));
});

Deno.test("ForestSet.score: thresholds, missing values and infinities", () => {
  const forest = newEngine().loadSet([handMade()]);
  const cases: [number, number, number][] = [
    [0.4, -2, -1],
    [0.4, -1, 1], // not below its threshold
    [0.5, -2, 3],
    [NaN, -2, 3], // missing goes right here
    [0.4, NaN, -1], // and left here
    [-Infinity, Infinity, 1],
    [Infinity, -Infinity, 3],
    [-0, -Infinity, -1],
  ];
  const matrix = Float32Array.from(cases.flatMap(([a, b]) => [a, b]));
  const expected = cases.map(([, , raw]) => sigmoid(raw));
  const scores = forest.score(matrix, cases.length);
  for (const [row, score] of scores.entries()) {
    assert(Math.abs(score - (expected[row] ?? NaN)) < 1e-15, `row ${row}: ${score}`);
  }
});

Deno.test("ForestSet.score gives each row the same score alone, in a block and across blocks", () => {
  const forest = newEngine().loadSet([handMade()]);
  const rows = 1000;
  const matrix = Float32Array.from({ length: rows * 2 }, (_, cell) => Math.sin(cell) * 2);
  const all = forest.score(matrix, rows);
  for (const row of [0, 63, 64, 999]) {
    assert.equal(forest.score(matrix.subarray(row * 2, row * 2 + 2), 1)[0], all[row]);
  }
  assert.equal(forest.score(new Float32Array(0), 0).length, 0);
});

Deno.test("ForestSet.score survives growth of the memory", () => {
  const engine = newEngine();
  const forest = engine.loadSet([handMade()]);
  const one = Float32Array.of(0.4, -2);
  const before = forest.score(one, 1);
  const rows = 1_000_000;
  assert.equal(forest.score(new Float32Array(rows * 2), rows).length, rows);
  engine.loadSet([handMade()]);
  assert.deepEqual(forest.score(one, 1), before);
});

Deno.test("ForestSet.score refuses a matrix of another shape", () => {
  const forest = newEngine().loadSet([handMade()]);
  assert.throws(() => forest.score(new Float32Array(3), 1), {
    name: "ModelError",
    message: "Cannot score a matrix of 3 numbers as 1 rows: its length must be rows times the " +
      "model's 2 features",
  });
  assert.throws(() => forest.score(new Float32Array(2), 0.5), ModelError);
  assert.throws(() => forest.score(new Float32Array(2), -1), ModelError);
});

Deno.test("ForestSet.score puts its results into the caller's array, of their number", () => {
  const set = newEngine().loadSet([handMade(), handMade()]);
  for (const rows of [1, 3, 80]) {
    const matrix = Float32Array.from({ length: 2 * rows }, (_, cell) => (cell % 7) / 7);
    const into = new Float64Array(2 * rows);
    assert.equal(set.score(matrix, rows, { into }), into);
    assert.deepEqual(into, set.score(matrix, rows));
  }
  assert.throws(() => set.score(new Float32Array(2), 1, { into: new Float64Array(1) }), {
    name: "ModelError",
    message: "Cannot put 2 results into an array of 1: it must have that length",
  });
});

Deno.test("ForestSet.unload: a later use is refused, and other sets stay", () => {
  const engine = newEngine();
  const [gone, stays] = [engine.loadSet([handMade()]), engine.loadSet([handMade()])];
  gone.unload();
  assert.throws(() => gone.score(new Float32Array(2), 1), /no model has handle 1/);
  assert.equal(stays.score(new Float32Array(2), 1).length, 1);
});

Deno.test("Engine.loadSet refuses a broken forest and says where", () => {
  const { version, features, trees, nodes, step, node } = OFFSET;
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /magic: 8 bytes must follow at offset 0, the file has 0 more/],
    [new TextEncoder().encode("something else"), /must begin with PSFOREST/],
    [handMade().slice(0, -1), /must take 192 bytes, there are 191/],
    [Uint8Array.of(...handMade(), 0), /must take 192 bytes, there are 193/],
    [spoiled((v) => v.setUint32(version, 2, true)), /format version: it must be 1, it is 2/],
    [spoiled((v) => v.setUint32(features, 0, true)), /features: the count must be 1 to 4096/],
    [spoiled((v) => v.setUint32(features, 1, true)), /node 1: the feature must be below 1/],
    [spoiled((v) => v.setUint32(trees, 0xffffffff, true)), /trees: the count must be 1 to 100000/],
    [spoiled((v) => v.setUint32(nodes, 0xffffffff, true)), /nodes: the count must be 1 to 4000000/],
    [spoiled((v) => v.setUint32(step, 9, true)), /link step at offset 68: the kind must be/],
    [spoiled((v) => v.setUint32(step, 1, true)), /last step must be a sigmoid or a clamp/],
    [spoiled((v) => v.setFloat32(node + 4, NaN, true)), /node 0: the threshold must be a number/],
    [spoiled((v) => v.setUint32(node + 8, 0, true)), /node 0: a child must be 1 to 4, it is 0/],
    [spoiled((v) => v.setUint32(node + 8, 4, true)), /child 4 must have one parent, it has two/],
    [spoiled((v) => v.setUint16(node + 42, 8, true)), /the flags must be 0, 1 \(leaf\) or 2/],
    [spoiled((v) => v.setFloat32(node + 44, Infinity, true)), /node 2: the leaf value must be/],
  ];
  for (const [bytes, expected] of cases) assert.match(refusal(bytes), expected);
});

Deno.test("Engine.loadSet: any change of bytes is refused or gives probabilities", () => {
  const engine = newEngine();
  const original = handMade();
  const change = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
    const bytes = original.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    try {
      const forest = engine.loadSet([bytes]);
      const [score] = forest.score(new Float32Array(forest.features).fill(NaN), 1);
      assert(score !== undefined && score >= 0 && score <= 1);
      forest.unload();
    } catch (error) {
      assert(error instanceof ModelError && error.message.startsWith("Cannot load forest 0: "));
    }
  }));
});

const stub = {
  alloc: { takes: 1, gives: 8 },
  dealloc: { takes: 1, gives: 0 },
  error_ptr: { takes: 0, gives: 0 },
  error_len: { takes: 0, gives: 0 },
  load: { takes: 2, gives: 1 },
  unload: { takes: 1, gives: 0 },
  features: { takes: 1, gives: 1 },
  trees: { takes: 2, gives: 1 },
  onnx_sha256: { takes: 2, gives: 0 },
  score: { takes: 4, gives: null },
  explain: { takes: 5, gives: 0 },
  sweep: { takes: 3, gives: 0 },
  result_ptr: { takes: 0, gives: 0 },
  result_len: { takes: 0, gives: 0 },
};

Deno.test("Engine: a trap is a ModelError and ends the instance", () => {
  const engine = new Engine(stubModule(stub));
  const forest = engine.loadSet([new Uint8Array(1)]);
  const one = new Float32Array(1);
  assert.throws(() => forest.score(one, 1), {
    name: "ModelError",
    message: /^engine\.wasm trapped in score: unreachable/,
  });
  const afterwards = /must not be used after its trap \(unreachable.*create a new one/;
  assert.throws(() => forest.score(one, 1), afterwards);
  assert.throws(() => forest.unload(), afterwards);
  assert.throws(() => engine.loadSet([new Uint8Array(1)]), afterwards);
});

Deno.test("Engine: a trap while loading is told once, not hidden by cleaning up", () => {
  const engine = new Engine(stubModule({ ...stub, load: { takes: 2, gives: null } }));
  assert.throws(() => engine.loadSet([new Uint8Array(1)]), /engine\.wasm trapped in load/);
});

Deno.test("Engine: a module that is no engine is refused", () => {
  const { score: _, ...without } = stub;
  assert.throws(() => new Engine(stubModule(without)), /must export the function score/);
  const importing = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
    ...[0x02, 0x07, 0x01, 0x01, 0x61, 0x01, 0x62, 0x00, 0x00], // "a" "b"
  ]);
  assert.throws(
    () => new Engine(new WebAssembly.Module(importing)),
    /must have no imports, it has a\.b/,
  );
});

Deno.test("Engine: an exhausted memory is a ModelError", () => {
  const engine = new Engine(stubModule({ ...stub, alloc: { takes: 1, gives: 0 } }));
  assert.throws(() => engine.loadSet([new Uint8Array(1)]), /Cannot get a buffer of 9 bytes/);
});
