/**
 * `deno task train -- --data F --config configs --out models/VERSION`: trains, tunes, calibrates, judges and exports a model
 * per bank; without `--data` it does so on the simulated lenders. `--help` lists the options. `--describe` prints, as JSON, the
 * checked configuration that training reads: features, banks and `training.json`.
 */
import { featureName } from "../configs/mod.ts";
import { describeFeatures } from "../scoring/features.ts";
import { trainingConfigFromEnvironment } from "./config.ts";
import { main } from "./main.ts";
import { runTraining } from "./python.ts";

if (import.meta.main) {
  await main(async () => {
    const args = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
    if (args.length === 1 && args[0] === "--describe") {
      console.log(JSON.stringify(await describeTraining(), null, 2));
    } else await runTraining("train", args);
  });
}

/** Everything that training must know and that is defined elsewhere; each feature with what it is made of. */
async function describeTraining() {
  const { questionnaire, banks, training } = trainingConfigFromEnvironment();
  const { names, sha256 } = await describeFeatures(questionnaire);
  const fields = questionnaire.fields.map((field) => {
    const { meaning, label, id } = field;
    return {
      name: featureName(field),
      kind: meaning.kind,
      of: [id],
      label: label.en,
      labels: meaning.kind === "category"
        ? meaning.values.map((value) => value.label.en)
        : meaning.kind === "text"
        ? meaning.groups.map((group) => group.label.en)
        : [],
    };
  });
  const derived = questionnaire.derived.map(({ feature, of }) => ({
    name: feature,
    kind: "derived",
    of,
    label: feature.replaceAll("_", " "),
    labels: [],
  }));
  return {
    sha256,
    names,
    features: [...fields, ...derived],
    fields: questionnaire.fields.map(({ id }) => id),
    banks: banks.banks.map(({ id, model, title }) => ({ id, model, title: title.en })),
    training,
  };
}
