/**
 * `deno task compile-models [FOLDER]`: compiles each ONNX of a model version into a forest file, checks that it gives what
 * the golden rows say, and records it in manifest.json. A graph that is no tree ensemble stays ONNX.
 * Without FOLDER it is the version that the configuration names.
 */
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { folderUrl } from "../configs/mod.ts";
import {
  type Manifest,
  ModelError,
  type ModelFile,
  ModelSet,
  readChecked,
  readDrift,
  readManifest,
  readModule,
  sha256Of,
  Tract,
} from "../wasm/mod.ts";
import { configFromEnvironment } from "./config.ts";
import { main, readOptions } from "./main.ts";

/** Largest difference of a probability from the golden one. */
const TOLERANCE = { forest: 1e-6, onnx: 1e-5 } as const;

const goldenSchema = z.object({
  rows: z.array(z.array(z.number().nullable())),
  probabilities: z.record(z.string(), z.array(z.number())),
});

if (import.meta.main) {
  await main(async () => {
    const { positionals: [argument] } = readOptions({ allowPositionals: true });
    const folder = argument === undefined
      ? configFromEnvironment().modelsFolder
      : folderUrl(argument, pathToFileURL(`${Deno.cwd()}/`));
    for (const line of await compileModels(folder)) console.log(line);
  });
}

/** Compiles the version in `folder`; returns a line on each model. Writes nothing where a check fails. Throws `ModelError`. */
export async function compileModels(folder: URL): Promise<string[]> {
  const manifest = await readManifest(folder);
  await readDrift(manifest, folder);
  const modules = { engine: await readModule("engine"), tract: await readModule("tract") };
  const tract = new Tract(modules.tract);
  const compiled = await Promise.all(
    Object.entries(manifest.models).map(async ([name, { onnx }]): Promise<ModelFile> => {
      const source = await readChecked(onnx, folder);
      const forest = compile(tract, { name, onnx: source });
      return { name, onnxSha256: onnx.sha256, ...forest ?? { kind: "onnx", bytes: source } };
    }),
  );
  const models = new ModelSet(modules, {
    features: manifest.features.names.length,
    models: compiled,
  });
  const errors = manifest.golden === undefined
    ? undefined
    : goldenErrors(models, { compiled, golden: await readChecked(manifest.golden, folder) });
  const entries = await Promise.all(
    compiled.map((model) => writeForest(model, { manifest, folder })),
  );
  const updated: Manifest = { ...manifest, models: Object.fromEntries(entries) };
  await Deno.writeTextFile(
    new URL("manifest.json", folder),
    `${JSON.stringify(updated, null, 2)}\n`,
  );
  return compiled.map(({ name, kind, bytes }, index) => {
    const error = errors?.[index];
    const checked = error === undefined ? "not checked, no golden rows" : `golden error ${error}`;
    return `${name}: ${
      kind === "forest" ? `forest of ${bytes.length} bytes` : "stays ONNX"
    }, ${checked}`;
  });
}

function compile(tract: Tract, { name, onnx }: { name: string; onnx: Uint8Array }) {
  try {
    const bytes = tract.compile(onnx);
    return bytes === null ? undefined : { kind: "forest" as const, bytes };
  } catch (error) {
    throw new ModelError(
      `Cannot compile ${name}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The largest error of each model over the golden rows. Throws `ModelError` where one is above its tolerance. */
function goldenErrors(
  models: ModelSet,
  { compiled, golden }: { compiled: readonly ModelFile[]; golden: Uint8Array },
): number[] {
  const { rows, probabilities } = goldenSchema.parse(JSON.parse(new TextDecoder().decode(golden)));
  const matrix = Float32Array.from(rows.flat(), (value) => value ?? NaN);
  const scores = models.score(matrix, rows.length);
  return compiled.map(({ name, kind }, column) => {
    const expected = probabilities[name];
    if (expected?.length !== rows.length) {
      throw new ModelError(
        `Cannot check ${name}: the golden file has ${
          expected?.length ?? "no"
        } probabilities for it, ` +
          `must have ${rows.length}, one for each row`,
      );
    }
    const errors = rows.map((_, row) =>
      Math.abs((scores[row * compiled.length + column] ?? NaN) - (expected[row] ?? NaN))
    );
    // Not a comparison with the worst: NaN is in no order with any number.
    const wrong = errors.findIndex((error) => !(error <= TOLERANCE[kind]));
    if (wrong < 0) return Math.max(0, ...errors);
    throw new ModelError(
      `Cannot accept ${name}: row ${wrong} of the golden rows differs by ${errors[wrong]}, ` +
        `must be at most ${TOLERANCE[kind]}`,
    );
  });
}

async function writeForest(
  { name, kind, bytes }: ModelFile,
  { manifest, folder }: { manifest: Manifest; folder: URL },
): Promise<[string, Manifest["models"][string]]> {
  const recorded = manifest.models[name];
  if (recorded === undefined) throw new ModelError(`manifest.json must name ${name}`);
  const { forest: _, onnx, ...rest } = recorded;
  if (kind === "onnx") return [name, { onnx, ...rest }];
  const forest = new Uint8Array(bytes);
  const file = `${name}.forest`;
  await Deno.writeFile(new URL(file, folder), forest);
  return [name, { onnx, forest: { file, sha256: await sha256Of(forest) }, ...rest }];
}
