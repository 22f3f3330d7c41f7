/** The configured models in this thread, and what the domain makes of them. */
import type { Config } from "../../configs/mod.ts";
import { Decider } from "../../scoring/decide.ts";
import { describeFeatures, Features } from "../../scoring/features.ts";
import type { Models } from "../../scoring/models.ts";
import { ModelSet, readBundle, readModule } from "../../wasm/mod.ts";

export async function readModels(config: Config) {
  const { questionnaire, banks, modelsFolder } = config;
  const bundle = await readBundle(modelsFolder, {
    features: await describeFeatures(questionnaire),
    models: banks.banks.map(({ model }) => model),
  });
  const modules = { engine: await readModule("engine"), tract: await readModule("tract") };
  const set = new ModelSet(modules, bundle);
  const models: Models = {
    version: bundle.version,
    score: (matrix, rows) => Promise.resolve(set.score(matrix, rows)),
    inspect: (inspection) => Promise.resolve(set.inspect(inspection)),
  };
  return { bundle, set, models, features: new Features(questionnaire) };
}

export type ReadModels = Awaited<ReturnType<typeof readModels>>;

/** A decider over these models; what a test changes takes the place of the configured. */
export function newDecider(
  config: Config,
  { bundle, models, features, withoutEvidence = [] }: ReadModels & {
    withoutEvidence?: readonly string[];
  },
): Decider {
  const { questionnaire, banks, policy } = config;
  return new Decider({
    questionnaire,
    banks,
    policy,
    features,
    models,
    typical: bundle.typical,
    records: bundle.models.map(({ name, onnxSha256, band, loading }) => ({
      onnxSha256,
      ...band && { band },
      ...loading !== undefined && { loading },
      withoutEvidence: withoutEvidence.includes(name),
    })),
  });
}
