/**
 * `deno task fuzz --python PATH`: schemathesis with all its checks over the service's OpenAPI document, once with a key of each role:
 * examples, the edges of every schema, random requests, and sequences of requests. It asks a service of its own, on a free port with
 * a database in a temporary folder, until so many requests were answered as are wanted, with another seed each time.
 *
 *     --python PATH       with schemathesis (tests/fuzz/requirements.txt)
 *     --requests 20000    at least so many, as the service counts them
 *     --seconds 3600      no new round after this long
 *     --seed 1            of the first round; the next has the next one
 *     --record FILE       write here what was asked and found
 *
 * Ends with status 1 where a check failed. Known limit: a key is not refused for asking too often, nor for asking what-if too often;
 * tests/access has those.
 */
import { parseArgs } from "node:util";
import { ROLE_NAMES } from "../../access/mod.ts";
import { spawnService } from "../support/process.ts";
import { PROJECT } from "../support/service.ts";
import { makeKeys, writeConfig } from "./support.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    requests: { type: "string", default: "20000" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string", default: "1" },
    record: { type: "string" },
  },
});
const wanted = Number(values.requests);
const endMs = performance.now() + 1000 * Number(values.seconds);

await using resources = new AsyncDisposableStack();
const folder = await Deno.makeTempDir({ prefix: "prescore-fuzz-" });
resources.defer(() => Deno.remove(folder, { recursive: true }));
writeConfig(folder);
const env = {
  PRESCORE_CONFIG: folder,
  PRESCORE_DATABASE_URL: `file:${folder}/prescore.db`,
  PRESCORE_PORT: "0",
};
const keys = await makeKeys(env);
const service = await spawnService(env);
resources.defer(async () => void await service.end("SIGTERM"));

interface Round {
  readonly seed: number;
  readonly role: string;
  readonly passed: boolean;
}

const rounds: Round[] = [];
let asked = 0;
let seed = Number(values.seed);
fuzzing: for (;; seed++) {
  for (const role of ROLE_NAMES.toReversed()) {
    const passed = await fuzz(role, seed);
    rounds.push({ seed, role, passed });
    asked = await answered();
    console.error(`seed ${seed}, ${role}: ${passed ? "passed" : "FAILED"}; ${asked} requests`);
    if (performance.now() > endMs) break fuzzing;
  }
  if (asked >= wanted) break;
}

const failed = rounds.filter(({ passed }) => !passed);
const figures = {
  ...{ requests: asked, wanted, rounds: rounds.length, failed },
  byStatus: await countBy("status"),
};
console.log(JSON.stringify(figures, null, 1));
if (values.record !== undefined) {
  await Deno.writeTextFile(values.record, JSON.stringify(figures, null, 1) + "\n");
}
if (failed.length > 0 || asked < wanted) Deno.exitCode = 1;

/** Whether all checks pass with a role's key. */
async function fuzz(role: string, seed: number): Promise<boolean> {
  const { code } = await new Deno.Command(values.python, {
    args: [
      ...["-m", "schemathesis.cli", "--config-file", "tests/fuzz/schemathesis.toml"],
      ...["run", `${service.url}/openapi.json`, "--seed", String(seed), "--no-color"],
      ...["--header", `Authorization: Bearer ${keys[role]}`],
    ],
    cwd: PROJECT,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code === 0;
}

/** How many requests the service has answered. */
async function answered(): Promise<number> {
  return Object.values(await countBy("status")).reduce((sum, count) => sum + count, 0);
}

/** The service's own count of its answers, by a label of its metrics. */
async function countBy(label: string): Promise<Record<string, number>> {
  const headers = { Authorization: `Bearer ${keys.admin}` };
  const text = await (await fetch(`${service.url}/metrics`, { headers })).text();
  const counts: Record<string, number> = {};
  for (
    const [, labels = "", value] of text.matchAll(
      /^prescore_http_request_duration_seconds_count\{(.*)\} (\d+)$/gm,
    )
  ) {
    const of = new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? "";
    counts[of] = (counts[of] ?? 0) + Number(value);
  }
  return counts;
}
