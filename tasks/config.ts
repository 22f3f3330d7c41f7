/** The configuration that the environment asks for: PRESCORE_CONFIG, else the folder `configs/` of the project. */
import { pathToFileURL } from "node:url";
import {
  type Config,
  folderUrl,
  loadConfig,
  loadTrainingConfig,
  type TrainingConfig,
} from "../configs/mod.ts";
import { Features } from "../scoring/features.ts";

export function configFromEnvironment(): Config {
  return loadConfig({ ...source(), env: Deno.env.toObject() });
}

export function trainingConfigFromEnvironment(): TrainingConfig {
  return loadTrainingConfig(source(), (questionnaire) => new Features(questionnaire).names);
}

function source() {
  const folder = Deno.env.get("PRESCORE_CONFIG");
  return {
    folder: folder
      ? folderUrl(folder, pathToFileURL(`${Deno.cwd()}/`))
      : new URL("../configs/", import.meta.url),
    readText: (file: URL) => Deno.readTextFileSync(file),
  };
}
