/** The configuration that the environment asks for: PRESCORE_CONFIG, else the folder `configs/` of the project. */
import { pathToFileURL } from "node:url";
import {
  type Config,
  ConfigError,
  type Environment,
  environmentOverrides,
  folderUrl,
  loadConfig,
  loadTrainingConfig,
  type Service,
  type TrainingConfig,
} from "../configs/mod.ts";
import type { Endpoint } from "../queue/webhook_sender.ts";
import { parseWebhookSecret } from "../queue/webhook_signature.ts";
import { Features } from "../scoring/features.ts";

export function configFromEnvironment(): Config {
  return loadConfig({ ...source(), env: environment() });
}

/** The same with the policy in another file. Throws `ConfigError` where it does not fit the rest. */
export function configWithPolicy(policy: string): Config {
  const { folder, readText } = source();
  const replaced = new URL("policy.json", folder);
  try {
    return loadConfig({
      folder,
      env: environment(),
      readText: (file) =>
        file.href === replaced.href ? Deno.readTextFileSync(policy) : readText(file),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const path = decodeURIComponent(replaced.pathname);
    throw new ConfigError(error.message.replaceAll(path, policy), { cause: error });
  }
}

/** The variables that take the place of settings, each by its name: the permission to read them names them too. */
function environment(): Environment {
  return Object.fromEntries(
    Object.keys(environmentOverrides).map((name) => [name, Deno.env.get(name)]),
  );
}

export function trainingConfigFromEnvironment(): TrainingConfig {
  return loadTrainingConfig(source(), (questionnaire) => new Features(questionnaire).names);
}

/** The addresses of service.json with their secrets, from the environment or from files. Throws `ConfigError`, without a secret in it. */
export function webhookEndpoints({ endpoints }: Service["webhooks"]): Endpoint[] {
  return endpoints.map(({ id, tenant, url, secretEnv, secretFile }) => {
    const from = secretFile ?? secretEnv ?? "";
    try {
      const text = secretFile === undefined ? Deno.env.get(from) : Deno.readTextFileSync(from);
      const secrets = (text ?? "").split(/\s+/).filter(Boolean);
      if (secrets.length === 0) throw new Error("is absent or empty");
      return { id, tenant, url, keys: secrets.map(parseWebhookSecret) };
    } catch (error) {
      throw new ConfigError(
        `Cannot sign for webhook endpoint ${id}: its secret in ${from}: ` +
          (error instanceof Error ? error.message : error),
      );
    }
  });
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
