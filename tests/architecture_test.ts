import assert from "node:assert/strict";
import { PROJECT } from "./support/service.ts";

/** Which folders a folder may import from; the root may import from all. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  configs: [],
  wasm: [],
  database: ["clock.ts"],
  analytics: ["clock.ts", "configs", "database", "lifecycle", "scoring"],
  audit: ["database"],
  sealing: ["database"],
  campaigns: ["analytics", "configs", "consent", "database", "queue", "scoring"],
  consent: ["audit", "clock.ts", "database"],
  access: ["audit", "clock.ts", "configs", "database"],
  lifecycle: ["audit", "clock.ts", "configs", "database"],
  queue: ["clock.ts", "configs", "consent", "database", "sealing"],
  privacy: ["audit", "clock.ts", "consent", "database", "sealing"],
  scoring: ["configs"],
  telemetry: ["clock.ts", "database", "queue"],
  sockets: ["clock.ts"],
  console: ["analytics", "campaigns", "configs", "csv.ts", "lifecycle", "scoring"],
  routes: [
    "access",
    "analytics",
    "campaigns",
    "clock.ts",
    "configs",
    "consent",
    "console",
    "csv.ts",
    "lifecycle",
    "privacy",
    "queue",
    "scoring",
  ],
  tasks: [
    ...[
      "access",
      "analytics",
      "audit",
      "clock.ts",
      "configs",
      "csv.ts",
      "database",
      "lifecycle",
      "queue",
    ],
    ...[
      "routes",
      "scoring",
      "serving.ts",
      "sealing",
      "stores.ts",
      "vault.ts",
      "versions.ts",
      "wasm",
      "workers.ts",
    ],
  ],
  client: [],
};

/** The only files of the queue that routes may know: what a store is, not how it is made. */
const QUEUE_INTERFACE = [
  "queue/store.ts",
  "queue/batches.ts",
  "queue/completions.ts",
  "queue/tenant.ts",
];

function sources(folder: string): string[] {
  return [...Deno.readDirSync(new URL(`${folder}/`, PROJECT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sources(`${folder}/${name}`);
    return /\.tsx?$/.test(name) ? [`${folder}/${name}`] : [];
  });
}

function importsOf(file: string): string[] {
  const url = new URL(file, PROJECT);
  const text = Deno.readTextFileSync(url);
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map((match) => new URL(match[1] ?? "", url).href.slice(PROJECT.href.length));
}

for (const [folder, allowed] of Object.entries(ALLOWED)) {
  Deno.test(`${folder}/ imports only from ${[folder, ...allowed].join(", ")}`, () => {
    const files = sources(folder);
    assert.ok(files.length > 0);
    for (const file of files) {
      for (const imported of importsOf(file)) {
        const target = imported.split("/")[0] ?? "";
        assert.ok([folder, ...allowed].includes(target), `${file} imports ${imported}`);
        if (folder === "routes" && target === "queue") {
          assert.ok(QUEUE_INTERFACE.includes(imported), `${file} imports ${imported}`);
        }
      }
    }
  });
}

Deno.test("every folder with code stands in the import rule", () => {
  const folders = [...Deno.readDirSync(PROJECT)]
    .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .filter(({ name }) =>
      !["tests", "data", "deploy", "dist", "training", "docs", "models", "bench"].includes(name)
    )
    .map(({ name }) => name);
  assert.deepEqual(folders.sort(), Object.keys(ALLOWED).sort());
});

Deno.test("every source file is reached from a program", () => {
  const programs = ["main.ts", "wasm/worker.ts", "client/example.ts", ...sources("tasks")];
  const reached = new Set<string>();
  const waiting = [...programs];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    waiting.push(...importsOf(file));
  }
  for (const file of Object.keys(ALLOWED).flatMap(sources)) {
    assert.ok(reached.has(file), `${file} is dead`);
  }
});

Deno.test("what the first answers need reaches no documentation of routes: it would load for longer than all else", () => {
  const reached = new Set<string>();
  const waiting = ["main.ts"];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const text = Deno.readTextFileSync(new URL(file, PROJECT));
    const loaded = [...text.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gms)]
      .map((match) => match[1] ?? "");
    assert.ok(!loaded.includes("@hono/zod-openapi"), `${file} loads @hono/zod-openapi`);
    for (const path of loaded.filter((path) => path.startsWith("."))) {
      waiting.push(new URL(path, new URL(file, PROJECT)).href.slice(PROJECT.href.length));
    }
  }
  assert.ok(reached.has("routes/contract.ts"));
});

Deno.test("the lock file names the packages of deno.json and no others: an executable holds them all", () => {
  const read = (file: string) => JSON.parse(Deno.readTextFileSync(new URL(file, PROJECT)));
  const imported: Record<string, string> = read("deno.json").imports;
  assert.deepEqual(
    Object.keys(read("deno.lock").specifiers).sort(),
    Object.values(imported).sort(),
  );
});
