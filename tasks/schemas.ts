/**
 * `deno task schemas`: writes what is generated from the code: a JSON Schema beside each configuration file, for editors, the
 * database schema that the migrations add up to, the OpenAPI document with its example of a decision, and the tables of who may use
 * which route. `--check` changes nothing and fails where a file differs.
 */
import { z } from "zod";
import { type Config, configSchemas, loadConfig } from "../configs/mod.ts";
import { Connection } from "../database/connection.ts";
import { migrate, readMigrations } from "../database/migrate.ts";
import type { AccessOptions } from "../routes/access.ts";
import type { AppOptions } from "../routes/mod.ts";
import { limitsOf } from "../routes/limits.ts";
import type { Decision } from "../scoring/decision.ts";
import { startScoring } from "../workers.ts";
import { main, readOptions, UsageError } from "./main.ts";

const EXAMPLE_AT_MS = Date.UTC(2026, 0, 31, 9);

/** Takes requests without a key, and knows none. */
export const OPEN_ACCESS: AccessOptions = {
  keyring: { callerOf: () => undefined },
  needsNoKey: () => true,
  buckets: { take: () => ({ remaining: 1, fullInMs: 0, waitMs: 0 }) },
  rate: { perSecond: 1, burst: 1 },
};

if (import.meta.main) {
  await main(async () => {
    const { values: { check } } = readOptions({ options: { check: { type: "boolean" } } });
    for await (const [path, text] of generatedFiles()) {
      const url = new URL(`../${path}`, import.meta.url);
      if (!check) {
        await Deno.mkdir(new URL("./", url), { recursive: true });
        await Deno.writeTextFile(url, text);
      } else if (await Deno.readTextFile(url).catch(() => undefined) !== text) {
        throw new UsageError(`${path} is not what the code generates: run deno task schemas`);
      }
    }
  });
}

/** Every generated file, one after another, for the later may be made of the earlier: path from the project's root, and text. */
export async function* generatedFiles(): AsyncGenerator<readonly [path: string, text: string]> {
  for (const [name, schema] of Object.entries(configSchemas)) {
    yield [
      `configs/schemas/${name.replace(".json", ".schema.json")}`,
      jsonText(z.toJSONSchema(schema, { io: "input" })),
    ];
  }
  yield ["database/schema.sql", await databaseSchema()];
  const config = shippedConfig();
  yield ["routes/v1/examples/decision.json", jsonText(await exampleDecision(config))];
  yield ["client/openapi.json", jsonText(await openApiDocument(config))];
  const { roleTables } = await import("./role_tables.ts");
  yield ["docs/roles.md", await roleTables(documentOptions(config))];
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function shippedConfig(): Config {
  return loadConfig({
    folder: new URL("../configs/", import.meta.url),
    env: {},
    readText: (file) => Deno.readTextFileSync(file),
  });
}

/** The decision of the questionnaire's own example at a fixed time, with one of each of its lists. */
async function exampleDecision(config: Config): Promise<Decision> {
  await using scoring = await startScoring({
    ...config,
    service: { ...config.service, workers: 0 },
  });
  const answers = Object.fromEntries(
    config.questionnaire.fields.map(({ id, example }) => [id, example]),
  );
  const decision = await scoring.decider.decide({ answers, atMs: EXAMPLE_AT_MS });
  return JSON.parse(JSON.stringify(decision, (_, value) => {
    if (Array.isArray(value)) return value.slice(0, 1);
    return value;
  }));
}

/** What an application is made of that is asked for its document alone. */
export function documentOptions({ questionnaire, banks, service }: Config): AppOptions {
  const unasked = () => Promise.reject(new Error("the document alone was wanted"));
  return {
    ...{ questionnaire, banks, limits: limitsOf(service) },
    ...{ enqueue: unasked, express: unasked, wait: unasked, explore: unasked },
    store: { find: unasked, findEach: unasked, payload: unasked, payloadEach: unasked },
    batches: {
      ...{ open: unasked, find: unasked, append: unasked },
      ...{ receive: unasked, breakOff: unasked, chunkFrom: unasked },
    },
    access: OPEN_ACCESS,
    telemetry: { seen() {}, metrics: unasked, parts: {}, after: () => () => {} },
    revision: () => "",
    lifecycle: {
      ...{ models: unasked, card: unasked, register: unasked, activate: unasked, audit: unasked },
      ...{ rollback: unasked, challenge: unasked, endChallenge: unasked, comparison: unasked },
    },
    analytics: {
      ...{
        record: unasked,
        ledger: unasked,
        cohortLedger: unasked,
        changes: unasked,
        overview: unasked,
      },
      downgraded: () => [],
    },
    campaigns: { list: unasked },
    cohorts: { find: unasked },
    erase: unasked,
    subjects: { report: unasked, erase: unasked, withdraw: unasked },
    consents: { read: unasked, give: unasked, withdraw: unasked },
    keys: { list: unasked, create: unasked, revoke: unasked },
    wake() {},
    now: () => EXAMPLE_AT_MS,
    after: () => () => {},
    report: console.error,
  };
}

async function openApiDocument(config: Config): Promise<unknown> {
  // Made of the example, which may have been written just now.
  const { createApp } = await import("../routes/mod.ts");
  return await (await createApp(documentOptions(config)).request("/openapi.json")).json();
}

async function databaseSchema(): Promise<string> {
  const connection = await Connection.open(":memory:");
  try {
    await migrate(connection, { migrations: readMigrations(), nowMs: 0 });
    const { rows } = await connection.read(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name",
    );
    const head = "-- The schema that the migrations add up to. Generated by `deno task schemas`.\n";
    return head + rows.map(({ sql }) => `\n${sql};\n`).join("");
  } finally {
    connection.close();
  }
}
