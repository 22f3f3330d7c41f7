/** The versions of the models as they lie in the folder of models, each checked against its manifest and the configuration. */
import type { Config } from "./configs/mod.ts";
import { type FoundVersion, LifecycleError, VERSION, type VersionFolder } from "./lifecycle/mod.ts";
import { banksWithoutEvidence } from "./scoring/evidence.ts";
import { describeFeatures } from "./scoring/features.ts";
import { checkFeatures, type Manifest, readManifest, sha256Of } from "./wasm/mod.ts";

const CARD = "MODEL_CARD.md";
const MANIFEST = "manifest.json";

type VersionConfig = Pick<Config, "banks" | "questionnaire" | "modelsFolder">;

/** The folder that holds the configured version, beside the others. */
export function versionFolder(config: VersionConfig): VersionFolder {
  return {
    async names() {
      const names: string[] = [];
      for await (const { name, isDirectory } of Deno.readDir(new URL("../", config.modelsFolder))) {
        if (!isDirectory || !VERSION.test(name)) continue;
        const manifest = new URL(MANIFEST, versionUrl(name, config));
        if (await Deno.stat(manifest).then(() => true, () => false)) names.push(name);
      }
      return names;
    },
    read: (version) => readVersion(version, config),
    card: (version) =>
      Deno.readTextFile(new URL(CARD, versionUrl(version, config))).catch(() => undefined),
  };
}

/** The name of the version that banks.json names. */
export function configuredVersion({ modelsFolder }: Pick<Config, "modelsFolder">): string {
  return decodeURIComponent(modelsFolder.pathname.split("/").at(-2) ?? "");
}

/** Its folder, as a URL that ends in a slash. Throws `LifecycleError` where that is no plain name. */
export function versionUrl(version: string, { modelsFolder }: Pick<Config, "modelsFolder">): URL {
  if (version === configuredVersion({ modelsFolder })) return modelsFolder;
  if (VERSION.test(version)) return new URL(`../${version}/`, modelsFolder);
  throw new LifecycleError(
    `Cannot use the models ${
      JSON.stringify(version.slice(0, 80))
    }: a version must be the plain name of a folder`,
  );
}

async function readVersion(version: string, config: VersionConfig): Promise<FoundVersion> {
  const folder = versionUrl(version, config);
  const manifest = await readManifest(folder);
  const named = [
    ...Object.values(manifest.models).flatMap(({ onnx, forest }) => [onnx, forest]),
    manifest.golden,
    manifest.drift,
  ].filter((file) => file !== undefined);
  const names = [...named.map(({ file }) => file), MANIFEST, CARD];
  const files = Object.fromEntries(
    (await Promise.all(names.map(async (name) => [name, await hashOf(new URL(name, folder))])))
      .filter(([, sha256]) => sha256 !== undefined),
  );
  const changed = named.find(({ file, sha256 }) => files[file] !== sha256);
  const problem = changed === undefined
    ? await problemOf(version, { manifest, folder, config })
    : `${changed.file} must have the SHA-256 ${changed.sha256} as ${MANIFEST} says, and has ` +
      `${files[changed.file] ?? "none, for it is not there"}`;
  const card = await Deno.readTextFile(new URL(CARD, folder)).catch(() => undefined);
  return {
    version,
    files,
    banks: banksOf(manifest, config),
    ...card !== undefined && { card: headOf(card) },
    ...problem !== undefined && { problem },
  };
}

/** `undefined` where there is no such file. */
async function hashOf(file: URL): Promise<string | undefined> {
  const bytes = await Deno.readFile(file).catch(() => undefined);
  return bytes && await sha256Of(bytes);
}

async function problemOf(
  version: string,
  { manifest, folder, config: { banks, questionnaire } }: {
    manifest: Manifest;
    folder: URL;
    config: VersionConfig;
  },
): Promise<string | undefined> {
  try {
    if (manifest.version !== version) {
      return `${MANIFEST} says version ${manifest.version}, and must say ${version} as its folder`;
    }
    checkFeatures(manifest, { folder, features: await describeFeatures(questionnaire) });
    const evidence = Object.entries(manifest.models)
      .map(([name, { evidence }]) => [name, evidence] as const);
    banksWithoutEvidence(banks, new Map(evidence));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function banksOf({ models }: Manifest, { banks }: VersionConfig): FoundVersion["banks"] {
  return banks.banks.flatMap(({ id, model, override }) => {
    const entry = Object.hasOwn(models, model) ? models[model] : undefined;
    if (entry === undefined) return [];
    const { family, evidence, onnx } = entry;
    return [{
      ...{ bank: id, model, onnxSha256: onnx.sha256 },
      ...family !== undefined && { family },
      ...evidence && { evidence },
      ...override && { override },
    }];
  });
}

/** The heading and the first paragraph. */
function headOf(card: string): string {
  return card.trim().split(/\n\s*\n/).slice(0, 2).join("\n\n").replace(/^#+ */, "");
}
