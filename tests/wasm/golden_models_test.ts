import assert from "node:assert/strict";
import { ModelSet, readBundle, readManifest, readModule } from "../../wasm/mod.ts";
import { PROJECT } from "../support/service.ts";

for (
  const [version, tolerance] of [["models/1", 1e-6], ["tests/fixtures/small/models", 1e-5]] as const
) {
  Deno.test(`the models of ${version} give what ONNX Runtime gave, within ${tolerance}`, async () => {
    const folder = new URL(`${version}/`, PROJECT);
    const manifest = await readManifest(folder);
    assert.ok(manifest.golden);
    const golden = JSON.parse(await Deno.readTextFile(new URL(manifest.golden.file, folder)));
    const rows: (number | null)[][] = golden.rows;
    const names = Object.keys(manifest.models);
    const bundle = await readBundle(folder, { features: manifest.features, models: names });
    const modules = { engine: await readModule("engine"), tract: await readModule("tract") };
    const matrix = Float32Array.from(rows.flat(), (value) => value ?? NaN);
    assert.ok(matrix.some(Number.isNaN), "golden rows must have missing values");
    const scores = new ModelSet(modules, bundle).score(matrix, rows.length);
    let worst = 0;
    for (const [index, score] of scores.entries()) {
      const name = names[index % names.length] ?? "";
      const expected: number = golden.probabilities[name][Math.floor(index / names.length)];
      worst = Math.max(worst, Math.abs(score - expected));
    }
    assert.ok(worst <= tolerance, `largest difference ${worst}`);
  });
}

Deno.test("ModelSet gives a row the same scores alone and in a batch", async () => {
  const folder = new URL("models/1/", PROJECT);
  const manifest = await readManifest(folder);
  const width = manifest.features.names.length;
  const bundle = await readBundle(folder, {
    features: manifest.features,
    models: Object.keys(manifest.models),
  });
  const models = new ModelSet({ engine: await readModule("engine") }, bundle);
  const matrix = Float32Array.from(
    { length: 50 * width },
    (_, index) => index % 7 === 0 ? NaN : (index * 37) % 101,
  );
  const together = models.score(matrix, 50);
  const alone = Array.from({ length: 50 }, (_, row) => [
    ...models.score(matrix.slice(row * width, (row + 1) * width), 1),
  ]);
  assert.deepEqual([...together], alone.flat());
});

Deno.test("readBundle() gives each model the loading that the manifest carries, and none without", async () => {
  const loadings = async (version: string) => {
    const folder = new URL(version, PROJECT);
    const { features, models, dependence } = await readManifest(folder);
    const bundle = await readBundle(folder, { features, models: Object.keys(models) });
    return { given: bundle.models.map(({ name, loading }) => [name, loading]), dependence };
  };
  const shipped = await loadings("models/1/");
  assert.deepEqual(
    shipped.given,
    Object.entries(shipped.dependence?.loadings ?? {}).map((
      [name, { loading }],
    ) => [name, loading]),
  );
  assert.equal(shipped.given.length, 5);
  const small = await loadings("tests/fixtures/small/models/");
  assert.ok(small.given.every(([, loading]) => loading === undefined));
});
