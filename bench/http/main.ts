/**
 * The service over HTTP, beside a bare Hono and beside a stand-in for the reference's stack, on the same cores as the load.
 *
 *     deno task bench-http [--python PYTHON] [--rounds 5] [--seconds 3] [--connections 64]
 *
 * Needs wrk; PYTHON has fastapi, pydantic and uvicorn, and without it the reference is left out. In each round every server gets
 * each load once, in turn; medians are compared. Raw figures go to bench/results/http.json.
 *
 * Known limit: client and server share the processors, so every figure is lower than that of a server with its own.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { EXAMPLE, PROJECT } from "../../tests/support/service.ts";
import { spawnService } from "../../tests/support/process.ts";
import { mostResultsPerS, storedMs, syncMs, uploadToResultMs } from "./latency.ts";

const { values: options } = parseArgs({
  options: {
    python: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "64" },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const lua = new URL("upload.lua", import.meta.url).pathname;

interface Server {
  readonly name: string;
  readonly url: string;
  stop(): Promise<unknown>;
}

const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
const figures: Record<string, number[]> = {};
const latencies: { readonly seen: number[]; readonly stored: number[] }[] = [];

function record(key: string, value: number): void {
  (figures[key] ??= []).push(value);
}

function median(values: readonly number[] = []): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Half, 99 in 100, and the largest of sorted values. */
function quantiles(sorted: readonly number[]): number[] {
  return [0.5, 0.99].map((share) => sorted[Math.floor(sorted.length * share)] ?? NaN)
    .concat(sorted.at(-1) ?? NaN);
}

/** Requests a second; throws where one was refused. */
async function wrk(url: string, ...args: string[]): Promise<number> {
  const { stdout } = await new Deno.Command("wrk", {
    args: [`-c${options.connections}`, "-t1", `-d${seconds}s`, "--timeout", "10s", ...args, url],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.doesNotMatch(text, /Non-2xx|Socket errors/, text);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}

async function startPrescore(database: string): Promise<Server> {
  const { url, end } = await spawnService({
    PRESCORE_PORT: "0",
    PRESCORE_DATABASE_URL: `file:${folder}/${database}`,
  });
  return { name: "prescore", url, stop: () => end("SIGTERM") };
}

async function startHello(): Promise<Server> {
  const program = ["-A", "--no-lock", "bench/http/hello.ts"];
  const { url, end } = await spawnService({}, program);
  return { name: "bare Hono", url, stop: () => end("SIGKILL") };
}

async function startReference(python: string): Promise<Server> {
  const command = (args: string[]) =>
    new Deno.Command(python, {
      args,
      cwd: new URL("bench/http/", PROJECT),
      env: { PRESCORE_BENCH_DATABASE: `${folder}/reference.db`, PYTHONDONTWRITEBYTECODE: "1" },
      stdout: "null",
      stderr: "null",
    }).spawn();
  const port = "18901";
  const api = command(["-m", "uvicorn", "reference:app", "--port", port, "--log-level", "error"]);
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; !await answers(`${url}/docs`); attempt++) {
    assert.ok(attempt < 200, "the reference's stack does not answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const worker = command(["reference.py"]);
  return {
    name: "FastAPI and a polling worker",
    url,
    async stop() {
      for (const child of [worker, api]) child.kill("SIGKILL");
      await Promise.all([worker.status, api.status]);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Uploads one questionnaire, and waits for its result. */
async function oneResult(url: string): Promise<string> {
  const response = await fetch(`${url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(EXAMPLE),
  });
  const { task_id } = await response.json();
  while (await (await fetch(`${url}/check_task?task_id=${task_id}`)).json() !== true);
  return task_id;
}

const servers = [
  await startPrescore("prescore.db"),
  await startHello(),
  ...options.python ? [await startReference(options.python)] : [],
];
const [, hello] = servers;
assert.ok(hello);
const results = new Map<string, string>();
for (const { name, url } of servers) {
  if (name !== hello.name) results.set(name, await oneResult(url));
}

async function round(): Promise<void> {
  for (const { name, url } of servers) {
    const id = results.get(name);
    if (id === undefined) {
      record(`hello | ${name}`, await wrk(url));
      record(`hello, posted to | ${name}`, await wrk(url, "-s", lua));
      continue;
    }
    record(`get_result | ${name}`, await wrk(`${url}/get_result?task_id=${id}`));
    record(`upload_features | ${name}`, await wrk(`${url}/upload_features`, "-s", lua));
    // Its tasks are scored before the next server has its turn.
    await oneResult(url);
  }
}

try {
  await round();
  for (const values of Object.values(figures)) values.length = 0;
  for (let index = 0; index < rounds; index++) await round();
  // The stand-in's worker polls, and ours has yet to sum up some 100,000 uploads: neither belongs to a steady load.
  for (const { stop } of servers.splice(0)) await stop();
  const steady = await startPrescore("steady.db");
  servers.push(steady);
  await mostResultsPerS(steady.url, 1);
  const most = await mostResultsPerS(steady.url, seconds);
  figures[`upload to result, most a second | ${steady.name}`] = [Math.round(most)];
  const rate = Math.round(most / 2);
  for (let index = 0; index < rounds; index++) {
    const times = await uploadToResultMs(steady.url, { uploadsPerS: rate, seconds: 5 });
    const stored = storedMs(`${folder}/steady.db`, times.length);
    latencies.push({ seen: quantiles(times), stored: quantiles(stored) });
  }
  const by99 = latencies.toSorted((a, b) => (a.seen[1] ?? 0) - (b.seen[1] ?? 0))[rounds >> 1];
  const load = `upload to result at ${rate}/s`;
  figures[`${load}, p50 p99 max ms of the round in the middle | ${steady.name}`] = by99?.seen ?? [];
  figures[`${load}, in the database, p50 p99 max ms | ${steady.name}`] = by99?.stored ?? [];
  figures["the same for 16 KB written and synced | the disk alone"] = quantiles(
    await syncMs(folder),
  );
} finally {
  for (const { stop } of servers) await stop();
  await Deno.remove(folder, { recursive: true });
}

const most = median(figures[`hello | ${hello.name}`]);
for (const [key, values] of Object.entries(figures)) {
  if (key.includes(" ms ") || key.includes("synced")) {
    console.log(`${key}: ${values.map((ms) => ms.toFixed(1)).join(", ")}`);
  } else {
    const value = median(values);
    console.log(
      `${key.padEnd(50)} ${value.toFixed(0).padStart(7)}/s  ${
        (value / most).toFixed(2)
      } of bare Hono`,
    );
  }
}
const cpu = /model name\s*: (.*)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
const report = {
  cpu,
  cores: navigator.hardwareConcurrency,
  loadAverage: Deno.loadavg(),
  versions: { deno: Deno.version.deno },
  connections: Number(options.connections),
  unit: "requests a second, by round; latency in milliseconds",
  figures,
  latencies,
};
await Deno.writeTextFile(
  new URL("../results/http.json", import.meta.url),
  JSON.stringify(report, null, 1) + "\n",
);
