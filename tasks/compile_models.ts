/**
 * `deno task compile-models [FOLDER]`: compiles each ONNX of a model version into a forest file, checks that it gives what
 * the golden rows say, and records it in manifest.json. A graph that is no tree ensemble stays ONNX.
 * Without FOLDER it is the version that the configuration names.
 */
import { pathToFileURL } from "node:url";
import { folderUrl } from "../configs/mod.ts";
import {
  goldenErrors,
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
    : goldenErrors(models, { files: compiled, bytes: await readChecked(manifest.golden, folder) });
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
