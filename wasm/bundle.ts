/**
 * One version of the models on disk: `manifest.json` and the files it names. Everything that will run is checked against the
 * manifest first: the feature order and its fingerprint, and the SHA-256 of every file of the models in use.
 */
import { z } from "zod";
import { backgroundRows, typicalRow } from "./background.ts";
import { ModelError } from "./instance.ts";

const BACKGROUND_ROWS = 32;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");
/** A plain name: a manifest cannot reach outside its folder. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "must be a plain file name");
/** A model's forest gets this name, so it must be as plain. */
const modelName = z.string().regex(
  /^[a-z][a-z0-9_]{0,63}$/,
  "must be 1 to 64 of a-z, 0-9 and _, beginning with a letter",
);
const file = z.strictObject({ file: fileName, sha256: sha256Hex });
const probability = z.number().min(0).max(1);

const evidenceSchema = z.strictObject({
  signal: z.boolean().describe("Whether `low` exceeds `threshold` and `pValue` is small enough"),
  auc: probability.describe("Of out-of-fold predictions"),
  low: probability.describe("Lower end of the 95 % bootstrap interval of the AUC"),
  high: probability,
  pValue: probability.describe("Share of permutations with at least this AUC"),
  threshold: probability.describe("0.5 and the margin that `low` must clear"),
  applications: z.int().min(1).describe("Applications that the bank answered"),
});

const bandSchema = z.strictObject({
  level: probability.describe("Share of applications whose true probability the band should hold"),
  edges: z.array(probability).describe("Rising inner bounds of the bins of the probability"),
  below: z.array(z.number().min(0)).min(1).describe("By bin: the band begins at p - below, or 0"),
  above: z.array(z.number().min(0)).min(1).describe("By bin: the band ends at p + above, or 1"),
}).refine(
  ({ edges, below, above }) =>
    below.length === edges.length + 1 && above.length === edges.length + 1 &&
    edges.every((edge, at) => at === 0 || edge > (edges[at - 1] ?? 0)),
  { error: "edges must rise, and below and above must have one more value than edges" },
);

const weight = z.number().min(-1).max(1);

const dependenceSchema = z.strictObject({
  level: probability.describe("Of the intervals"),
  loadings: z.record(
    modelName,
    z.strictObject({
      loading: weight.describe(
        "Weight of a hidden standard normal factor in the bank's decisions; the product of two is their correlation",
      ),
      low: weight,
      high: weight,
      applications: z.int().min(0).describe("Decided by this bank and another one"),
      note: z.string().optional().describe("Why nothing was estimated, and the loading is 0"),
    }),
  ),
});

export const manifestSchema = z.strictObject({
  version: z.string().min(1),
  features: z.strictObject({ names: z.array(z.string()).min(1), sha256: sha256Hex }),
  models: z.record(
    modelName,
    z.strictObject({
      onnx: file.describe("The model as it was trained"),
      forest: file.optional().describe(
        "The same, compiled for the engine; absent for other graphs",
      ),
      family: z.string().optional().describe("What kind of model it is, such as xgboost"),
      evidence: evidenceSchema.optional().describe("Whether there was anything to learn"),
      band: bandSchema.optional().describe("How far the probability may be off"),
    }),
  ),
  dependence: dependenceSchema.optional().describe(
    "How decisions of different banks hang together beyond what the answers explain",
  ),
  golden: file.optional().describe(
    "Inputs and the probabilities that the trained models give them",
  ),
  drift: file.optional().describe("How features and scores were distributed in training"),
});

export type Manifest = z.infer<typeof manifestSchema>;

const binsSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("quantiles"),
    edges: z.array(z.number()).describe("Rising; a bin holds edge <= value < next edge"),
    shares: z.array(probability).describe("By bin, one more than edges"),
    missing: probability,
  }),
  z.strictObject({
    kind: z.literal("values"),
    values: z.array(z.number()),
    shares: z.array(probability).describe("By value"),
    other: probability.describe("Share of all other values"),
    missing: probability,
  }),
]);

/** How features and scores were distributed in training: what drift is measured against. */
export const driftSchema = z.strictObject({
  features: z.record(z.string(), binsSchema),
  scores: z.record(z.string(), binsSchema).describe("Calibrated probabilities by model"),
});

export type Drift = z.infer<typeof driftSchema>;

/** A model ready to be loaded; its bytes can be posted to a worker. */
export interface ModelFile {
  readonly name: string;
  readonly kind: "forest" | "onnx";
  readonly bytes: Uint8Array;
  /** Of the ONNX that the model is, or must have been compiled from. */
  readonly onnxSha256: string;
  /** What its training found out; absent where nobody judged it. */
  readonly evidence?: NonNullable<Manifest["models"][string]["evidence"]>;
  /** How far its probability may be off; absent where nobody measured it. */
  readonly band?: NonNullable<Manifest["models"][string]["band"]>;
  /** Weight of the factor behind the decisions of all banks; absent where nobody estimated it. */
  readonly loading?: number;
}

export interface Bundle {
  readonly version: string;
  readonly features: number;
  readonly models: readonly ModelFile[];
  /** The median of each feature in training; NaN where there is none. */
  readonly typical: Float32Array;
  /** Rows by features that stand for a client of whom nothing is known; absent without a record of the training data. */
  readonly background?: Float32Array;
}

export interface BundleOptions {
  /** What the program computes now, as the models must have been trained on it. */
  readonly features: { readonly names: readonly string[]; readonly sha256: string };
  /** Names of the models wanted, in the order of the scores. */
  readonly models: readonly string[];
}

/** Reads and checks the version in `folder`, a URL that ends in a slash. Throws `ModelError`. */
export async function readBundle(folder: URL, options: BundleOptions): Promise<Bundle> {
  const manifest = await readManifest(folder);
  checkFeatures(manifest, { folder, features: options.features });
  const models = await Promise.all(
    options.models.map((name) => readModelFile(name, { manifest, folder })),
  );
  const { version, features: { names } } = manifest;
  const drift = await readDrift(manifest, folder);
  return {
    version,
    features: names.length,
    models,
    typical: typicalRow(drift, names),
    ...drift && { background: backgroundRows(drift, { names, rows: BACKGROUND_ROWS }) },
  };
}

/** Without functions compiled for the schema, which cost more than they save there. */
const READ_ONCE = { jitless: true } as const;

export async function readManifest(folder: URL): Promise<Manifest> {
  const url = new URL("manifest.json", folder);
  const text = new TextDecoder().decode(await readFile(url));
  try {
    return manifestSchema.parse(JSON.parse(text), READ_ONCE);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ModelError(`Cannot use ${url.pathname}: ${why}`);
  }
}

/** The version's distributions in training; `undefined` where it has none. Throws `ModelError`. */
export async function readDrift(manifest: Manifest, folder: URL): Promise<Drift | undefined> {
  if (manifest.drift === undefined) return undefined;
  const text = new TextDecoder().decode(await readChecked(manifest.drift, folder));
  try {
    return driftSchema.parse(JSON.parse(text), READ_ONCE);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ModelError(`Cannot use ${new URL(manifest.drift.file, folder).pathname}: ${why}`);
  }
}

/** The bytes of a file that the manifest names; throws `ModelError` where they are not the ones it was written for. */
export async function readChecked(
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  folder: URL,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(file, folder);
  const bytes = await readFile(url);
  const found = await sha256Of(bytes);
  if (found !== sha256) {
    throw new ModelError(
      `Cannot use ${url.pathname}: its SHA-256 is ${found}, must be ${sha256} as manifest.json says`,
    );
  }
  return bytes;
}

export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function readModelFile(
  name: string,
  { manifest, folder }: { manifest: Manifest; folder: URL },
): Promise<ModelFile> {
  const entry = Object.hasOwn(manifest.models, name) ? manifest.models[name] : undefined;
  if (entry === undefined) {
    throw new ModelError(
      `Cannot use model ${name}: ${folder.pathname}manifest.json must name it, and names ` +
        (Object.keys(manifest.models).join(", ") || "none"),
    );
  }
  const onnx = await readChecked(entry.onnx, folder);
  const loading = manifest.dependence?.loadings[name]?.loading;
  const common = {
    name,
    onnxSha256: entry.onnx.sha256,
    ...entry.evidence && { evidence: entry.evidence },
    ...entry.band && { band: entry.band },
    ...loading !== undefined && { loading },
  };
  return entry.forest === undefined
    ? { ...common, kind: "onnx", bytes: onnx }
    : { ...common, kind: "forest", bytes: await readChecked(entry.forest, folder) };
}

export function checkFeatures(
  { features: trained }: Manifest,
  { folder, features }: { folder: URL; features: BundleOptions["features"] },
): void {
  const where = `Cannot use the models in ${folder.pathname}`;
  const at = trained.names.findIndex((name, index) => name !== features.names[index]);
  if (at >= 0 || trained.names.length !== features.names.length) {
    const position = at >= 0 ? at : trained.names.length;
    throw new ModelError(
      `${where}: they were trained on ${trained.names.length} features with ` +
        `${
          trained.names[position] ?? "nothing"
        } at position ${position}, and the questionnaire gives ` +
        `${features.names.length} with ${features.names[position] ?? "nothing"} there; ` +
        "the two must be the same: train models for this questionnaire",
    );
  }
  if (trained.sha256 !== features.sha256) {
    throw new ModelError(
      `${where}: the questionnaire's definition of the features has fingerprint ${features.sha256}, ` +
        `must be ${trained.sha256} as in training (types, ranges, categories or their order changed)`,
    );
  }
}

async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(url);
  } catch (error) {
    throw new ModelError(
      `Cannot read ${url.pathname}: ${error instanceof Error ? error.message : error}`,
    );
  }
}
