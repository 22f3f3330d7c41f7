import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  ConfigError,
  configSchemas,
  environmentOverrides,
  folderUrl,
  loadConfig,
} from "../../configs/mod.ts";
import { generatedFiles } from "../../tasks/schemas.ts";

const FOLDER = new URL("../../configs/", import.meta.url);

type Files = Record<string, unknown>;

function readShipped(name: string): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER)));
}

function load(changes: Files = {}, env: Record<string, string> = {}) {
  return loadConfig({
    folder: FOLDER,
    env,
    readText(file) {
      const name = file.pathname.split("/").at(-1) ?? "";
      const change = changes[name];
      return typeof change === "string" ? change : JSON.stringify(change ?? readShipped(name));
    },
  });
}

/** The message of the error that `load` throws. */
function refusal(changes: Files, env: Record<string, string> = {}): string {
  try {
    load(changes, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  throw new Error("the configuration was accepted");
}

function questionnaireWith(change: (fields: Record<string, unknown>[]) => void): Files {
  const questionnaire = structuredClone(readShipped("questionnaire.json"));
  change(questionnaire.fields as Record<string, unknown>[]);
  return { "questionnaire.json": questionnaire };
}

Deno.test("loadConfig() accepts the shipped configuration", () => {
  const config = load();
  assert.equal(config.questionnaire.fields.length, 16);
  assert.equal(config.banks.banks.length, 5);
  assert.match(config.modelsFolder.href, /\/models\/\d+\/$/);
});

Deno.test("loadConfig() lets the environment override the service", () => {
  const { service } = load({}, {
    PRESCORE_HOST: "0.0.0.0",
    PRESCORE_PORT: "9001",
    PRESCORE_DATABASE_URL: "libsql://db.example",
    PRESCORE_ROLE: "api",
    PRESCORE_WORKERS: "0",
  });
  assert.deepEqual(
    [service.host, service.port, service.databaseUrl, service.role, service.workers],
    ["0.0.0.0", 9001, "libsql://db.example", "api", 0],
  );
});

Deno.test("loadConfig() names the variable, its value and what would be right", () => {
  const message = refusal({}, { PRESCORE_PORT: "eighty" });
  assert.match(
    message,
    /PRESCORE_PORT \(for .*service\.json\): port: current value is "eighty": must be a whole number from 0 to 65535/,
  );
});

for (
  const [what, changes, expected] of [
    [
      "a value out of range",
      { "service.json": { ...readShipped("service.json"), port: 99999 } },
      /service\.json: port: current value is 99999: .*65535/,
    ],
    [
      "a field that is absent",
      { "banks.json": { models: "../models/1" } },
      /banks\.json: banks: current value is absent: /,
    ],
    [
      "a key that is not known",
      { "service.json": { ...readShipped("service.json"), prot: 1 } },
      /service\.json: the file: .*"prot"/,
    ],
    ["a file that is no JSON", { "banks.json": "{" }, /banks\.json: .*JSON/],
    ["two banks of one id", {
      "banks.json": { ...readShipped("banks.json"), banks: [bank("x"), bank("x")] },
    }, /banks\.json: banks\.1: .*must be unique: "x" is at position 0 already/],
    ["a bank named like the task id", {
      "banks.json": { ...readShipped("banks.json"), banks: [bank("task_id")] },
    }, /banks\.0\.id: current value is "task_id": must not be task_id/],
    ["a lease shorter than a batch may take", {
      "service.json": withQueue({ leaseMs: 100, jobTimeoutMs: 200 }),
    }, /queue\.leaseMs: current value is 100: must be above queue\.jobTimeoutMs \(200\)/],
    ["a backoff that shrinks", {
      "service.json": withQueue({ backoffMs: { base: 10, max: 5 } }),
    }, /queue\.backoffMs\.base: current value is 10: must be at most queue\.backoffMs\.max \(5\)/],
    [
      "a meaning that does not fit the type",
      questionnaireWith((fields) => {
        Object.assign(fields[0] ?? {}, { type: "integer", example: 1 });
      }),
      /fields\.0\.type: current value is "integer": must be string where the meaning is date/,
    ],
    [
      "an example of another type",
      questionnaireWith((fields) => {
        Object.assign(fields[0] ?? {}, { example: 7 });
      }),
      /fields\.0\.example: current value is 7: must be a string/,
    ],
    [
      "a category value that differs from another only in its writing",
      questionnaireWith((fields) => {
        const { values } = fields[1]?.meaning as { values: { value: string }[] };
        Object.assign(values[1] ?? {}, { value: ` ${values[0]?.value.toUpperCase()}` });
      }),
      /fields\.1\.meaning\.values\.1: .*must be unique/,
    ],
    [
      "a stem of two words",
      questionnaireWith((fields) => {
        const { groups } = fields[5]?.meaning as { groups: { stems: string[] }[] };
        groups[0]?.stems.push("по найму");
      }),
      /stems\.\d+: current value is "по найму": must be one word/,
    ],
    ["a derived feature of an unknown one", {
      "questionnaire.json": {
        ...readShipped("questionnaire.json"),
        derived: [{ feature: "x", operation: "ratio", of: ["monthprofit", "rent"] }],
      },
    }, /derived\.0\.of\.1: current value is "rent": must name a feature that stands before it/],
  ] as const
) {
  Deno.test(`loadConfig() refuses ${what}, saying where and what would be right`, () => {
    assert.match(refusal(changes), expected);
  });
}

Deno.test("loadConfig() shows no secret of a database's address", () => {
  for (const url of ["libsqlx://host?authToken=SECRET", "ftp://user:SECRET@host/x#SECRET"]) {
    const message = refusal({}, { PRESCORE_DATABASE_URL: url });
    assert.match(message, /databaseUrl: current value is/);
    assert.doesNotMatch(message, /SECRET/);
  }
});

Deno.test("loadConfig() refuses a database that no restart would find again", () => {
  assert.match(
    refusal({}, { PRESCORE_DATABASE_URL: "file::memory:" }),
    /must begin with file: and a path/,
  );
});

Deno.test("folderUrl() takes a path for what it is", () => {
  const base = new URL("file:///base/");
  for (
    const [path, expected] of [
      ["configs", "/base/configs/"],
      ["../other/", "/other/"],
      ["/a#b/c?d/100%", "/a#b/c?d/100%/"],
      ["/папка с пробелом", "/папка с пробелом/"],
    ] as const
  ) assert.equal(fileURLToPath(folderUrl(path, base)), expected);
});

Deno.test("loadConfig() reports the problems of all files together", () => {
  const message = refusal({ "banks.json": "{", "service.json": withQueue({ batchRows: 0 }) });
  assert.match(message, /banks\.json/);
  assert.match(message, /queue\.batchRows: current value is 0/);
});

Deno.test("every configuration file has a schema and points to it", () => {
  for (const name of Object.keys(configSchemas)) {
    const stem = name.replace(".json", "");
    assert.equal(readShipped(name).$schema, `./schemas/${stem}.schema.json`);
  }
});

Deno.test("generated files are what the code generates", async () => {
  for await (const [path, text] of generatedFiles()) {
    assert.equal(await Deno.readTextFile(new URL(`../../${path}`, import.meta.url)), text, path);
  }
});

Deno.test("every environment variable is documented in the README", () => {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  for (const variable of [...Object.keys(environmentOverrides), "PRESCORE_CONFIG"]) {
    assert.ok(readme.includes(variable), variable);
  }
});

function bank(id: string) {
  return { id, title: { ru: "Банк", en: "Bank" }, model: "bank_a" };
}

function withQueue(change: Record<string, unknown>) {
  const service = readShipped("service.json");
  return { ...service, queue: { ...(service.queue as object), ...change } };
}

Deno.test("loadConfig() refuses to share the work over a database in a file", () => {
  assert.match(
    refusal({}, { PRESCORE_ROLE: "worker" }),
    /PRESCORE_ROLE .*: role: current value is "worker": must be all with a database in a file/,
  );
});
