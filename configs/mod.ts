/**
 * Reads and checks the configuration folder once, at start. Every problem of every file is reported together, with the file,
 * the path inside it, the value found and what would be right.
 */
import { z } from "zod";
import { type Banks, banksSchema } from "./banks.ts";
import { type Policy, policySchema } from "./policy.ts";
import { bankProblems, policyProblems } from "./policy_checks.ts";
import { type Questionnaire, questionnaireSchema } from "./questionnaire.ts";
import { type Service, serviceSchema } from "./service.ts";
import { type Training, trainingProblems, trainingSchema } from "./training.ts";

export type { Bank, Banks, LoanGrid, Product } from "./banks.ts";
export { loanGrid } from "./banks.ts";
export type { Condition, Policy, Rule } from "./policy.ts";
export { BOUNDS, PAYMENT } from "./policy.ts";
export type { Derived, Field, Meaning, Questionnaire } from "./questionnaire.ts";
export type { QueuePolicy, Service } from "./service.ts";
export { OPEN_TO_EVERYONE } from "./service.ts";
export type { Training } from "./training.ts";
export { normalise } from "./normalise.ts";
export { localized } from "./text.ts";
export { featureName } from "./questionnaire.ts";

/** The schema of each configuration file, by file name. */
export const configSchemas = {
  "service.json": serviceSchema,
  "questionnaire.json": questionnaireSchema,
  "banks.json": banksSchema,
  "policy.json": policySchema,
  "training.json": trainingSchema,
} as const;

export interface Config {
  readonly service: Service;
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  readonly policy: Policy;
  /** Folder of the model version, as a URL that ends in a slash. */
  readonly modelsFolder: URL;
}

/** The configuration cannot be used; the message lists every reason, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Zod writes and compiles a function for each object of a schema, which costs more than it saves where each is read once. */
const READ_ONCE = { jitless: true } as const;

/** Environment variables that take the place of values in service.json. */
export const environmentOverrides = {
  PRESCORE_HOST: "host",
  PRESCORE_PORT: "port",
  PRESCORE_DATABASE_URL: "databaseUrl",
  PRESCORE_ROLE: "role",
  PRESCORE_ACCESS: "access",
  PRESCORE_WORKERS: "workers",
} as const;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSource {
  /** Folder of the files, as a URL that ends in a slash. */
  readonly folder: URL;
  readonly env: Environment;
  readonly readText: (file: URL) => string;
}

/** Reads the service's files of `folder`, of which policy.json may be absent, applies the environment and checks everything. Throws `ConfigError`. */
export function loadConfig(source: ConfigSource): Config {
  const problems: string[] = [];
  const overrides = overridesFrom(source.env);
  const service = read("service.json", serviceSchema, { source, problems, overrides });
  const questionnaire = read("questionnaire.json", questionnaireSchema, { source, problems });
  const banks = read("banks.json", banksSchema, { source, problems });
  const policy = read("policy.json", policySchema, { source, problems, absent: {} });
  if (questionnaire && banks && policy) {
    const parts = { questionnaire, banks, policy };
    for (
      const [name, found] of [
        ["banks.json", bankProblems(parts)],
        ["policy.json", policyProblems(parts)],
      ] as const
    ) {
      const where = displayPath(new URL(name, source.folder));
      problems.push(...found.map((problem) => `${where}: ${problem}`));
    }
  }
  if (!service || !questionnaire || !banks || !policy || problems.length > 0) {
    throw new ConfigError(["Cannot start with this configuration:", ...problems].join("\n  "));
  }
  return {
    service,
    questionnaire,
    banks,
    policy,
    modelsFolder: folderUrl(banks.models, source.folder),
  };
}

/** What training needs of the configuration. */
export interface TrainingConfig {
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  readonly training: Training;
}

/** Reads the three files that training needs, which need no service.json. Throws `ConfigError`. */
export function loadTrainingConfig(
  source: Omit<ConfigSource, "env">,
  featuresOf: (questionnaire: Questionnaire) => readonly string[],
): TrainingConfig {
  const problems: string[] = [];
  const questionnaire = read("questionnaire.json", questionnaireSchema, { source, problems });
  const banks = read("banks.json", banksSchema, { source, problems });
  const training = read("training.json", trainingSchema, { source, problems });
  if (questionnaire && banks && training) {
    const where = displayPath(new URL("training.json", source.folder));
    const found = trainingProblems(training, { banks, features: featuresOf(questionnaire) });
    if (found.length === 0) return { questionnaire, banks, training };
    problems.push(...found.map((problem) => `${where}: ${problem}`));
  }
  throw new ConfigError(["Cannot train with this configuration:", ...problems].join("\n  "));
}

/** The checked content of one file; where it cannot be used, `problems` says why. */
function read<S extends z.ZodType>(
  name: string,
  schema: S,
  { source: { folder, readText }, problems, overrides = [], absent }: {
    source: Omit<ConfigSource, "env">;
    problems: string[];
    overrides?: Override[];
    /** The content where there is no such file; without it there must be one. */
    absent?: unknown;
  },
): z.infer<S> | undefined {
  const file = new URL(name, folder);
  try {
    const value = applyOverrides(parseFile(file, { readText, absent }), overrides);
    const parsed = schema.safeParse(value, READ_ONCE);
    if (parsed.success) return parsed.data;
    problems.push(
      ...parsed.error.issues.map((issue) => describeIssue(issue, { file, value, overrides })),
    );
  } catch (error) {
    problems.push(`${displayPath(file)}: ${error instanceof Error ? error.message : error}`);
  }
  return undefined;
}

function parseFile(
  file: URL,
  { readText, absent }: { readText: (file: URL) => string; absent: unknown },
): unknown {
  try {
    return JSON.parse(readText(file).replace(/^\uFEFF/, ""));
  } catch (error) {
    if (absent !== undefined && error instanceof Deno.errors.NotFound) return absent;
    throw error;
  }
}

/** The URL of a folder, given as a path (or as a file: URL), with the closing slash that relative URLs need. */
export function folderUrl(path: string, base: URL): URL {
  const closed = path.endsWith("/") ? path : `${path}/`;
  if (closed.startsWith("file:")) return new URL(closed);
  return new URL(encodeURI(closed).replace(/[?#]/g, encodeURIComponent), base);
}

/** A database URL as it may be shown: without a user's password, and without what follows the path, such as a token. */
export function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
}

interface Override {
  readonly variable: string;
  readonly key: string;
  readonly value: string | number;
}

function overridesFrom(env: Environment): Override[] {
  return Object.entries(environmentOverrides).flatMap(([variable, key]) => {
    const text = env[variable];
    if (text === undefined || text === "") return [];
    const numeric = (key === "port" || key === "workers") && /^\d+$/.test(text);
    return [{ variable, key, value: numeric ? Number(text) : text }];
  });
}

function applyOverrides(value: unknown, overrides: Override[]): unknown {
  if (typeof value !== "object" || value === null || overrides.length === 0) return value;
  return { ...value, ...Object.fromEntries(overrides.map(({ key, value }) => [key, value])) };
}

function describeIssue(
  issue: z.core.$ZodIssue,
  { file, value, overrides }: { file: URL; value: unknown; overrides: Override[] },
): string {
  const override = overrides.find(({ key }) => key === issue.path[0]);
  const where = override ? `${override.variable} (for ${displayPath(file)})` : displayPath(file);
  const path = issue.path.length === 0 ? "the file" : issue.path.map(String).join(".");
  const found = issue.path.reduce<unknown>(step, value);
  const shown = path === "databaseUrl" ? withoutSecrets(String(found)) : found;
  return `${where}: ${path}: current value is ${shorten(shown)}: ${issue.message}`;
}

function step(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function shorten(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function displayPath(file: URL): string {
  return file.protocol === "file:" ? decodeURIComponent(file.pathname) : file.href;
}
