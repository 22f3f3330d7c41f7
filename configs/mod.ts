/**
 * Reads and checks the configuration folder once, at start. Every problem of every file is reported together, with the file,
 * the path inside it, the value found and what would be right.
 */
import { z } from "zod";
import { type Banks, banksSchema } from "./banks.ts";
import { type Questionnaire, questionnaireSchema } from "./questionnaire.ts";
import { type Service, serviceSchema } from "./service.ts";

export type { Bank, Banks } from "./banks.ts";
export type { Derived, Field, Meaning, Questionnaire } from "./questionnaire.ts";
export type { QueuePolicy, Service } from "./service.ts";
export { featureName } from "./questionnaire.ts";

/** The schema of each configuration file, by file name. */
export const configSchemas = {
  "service.json": serviceSchema,
  "questionnaire.json": questionnaireSchema,
  "banks.json": banksSchema,
} as const;

export interface Config {
  readonly service: Service;
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  /** Folder of the model version, as a URL that ends in a slash. */
  readonly modelsFolder: URL;
}

/** The configuration cannot be used; the message lists every reason, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Environment variables that take the place of values in service.json. */
export const environmentOverrides = {
  PRESCORE_HOST: "host",
  PRESCORE_PORT: "port",
  PRESCORE_DATABASE_URL: "databaseUrl",
  PRESCORE_WORKERS: "workers",
} as const;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSource {
  /** Folder of the files, as a URL that ends in a slash. */
  readonly folder: URL;
  readonly env: Environment;
  readonly readText: (file: URL) => string;
}

/** Reads the three files of `folder`, applies the environment and checks everything. Throws `ConfigError`. */
export function loadConfig({ folder, env, readText }: ConfigSource): Config {
  const problems: string[] = [];
  function read<S extends z.ZodType>(name: string, schema: S, overrides: Override[] = []) {
    const file = new URL(name, folder);
    try {
      const value = applyOverrides(JSON.parse(readText(file)), overrides);
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      problems.push(
        ...parsed.error.issues.map((issue) => describeIssue(issue, { file, value, overrides })),
      );
    } catch (error) {
      problems.push(`${displayPath(file)}: ${error instanceof Error ? error.message : error}`);
    }
    return undefined;
  }
  const service = read("service.json", serviceSchema, overridesFrom(env));
  const questionnaire = read("questionnaire.json", questionnaireSchema);
  const banks = read("banks.json", banksSchema);
  if (!service || !questionnaire || !banks) {
    throw new ConfigError(["Cannot start with this configuration:", ...problems].join("\n  "));
  }
  return { service, questionnaire, banks, modelsFolder: folderUrl(banks.models, folder) };
}

/** The URL of a folder, with the closing slash that relative URLs need. */
export function folderUrl(path: string, base: URL): URL {
  return new URL(path.endsWith("/") ? path : `${path}/`, base);
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
  return `${where}: ${path}: current value is ${shorten(found)}: ${issue.message}`;
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
