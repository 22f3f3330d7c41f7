/**
 * How soon the API answers. What-if, with all banks, offers, reasons and curves, at 50 requests a second; beside it, at the same
 * times, the list of banks, which is computed from nothing, as the floor. Then one application at a time on an idle service:
 * `Prefer: wait` from upload to decision, beside the reference's three steps for the same client.
 *
 *     deno task bench-latency [--seconds 20] [--rounds 5]
 *
 * A request that is late because the one before took long is measured from when it was due. Raw results:
 * bench/results/api_latency.json.
 */
import { parseArgs } from "node:util";
import { applicant, median, percentile, start, writeResult } from "./support.ts";

const PER_S = 50;
const WARM_UP = 200;
const SINGLES = 200;
const JSON_HEADERS = { "Content-Type": "application/json" };

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "5" },
  },
});
const seconds = Number(values.seconds);

await using service = await start();
let next = 0;

async function read(path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${service.url}${path}`, init);
  const body = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body;
}

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return read(path, {
    method: "POST",
    headers: { ...JSON_HEADERS, ...headers },
    body: JSON.stringify(body),
  });
}

const whatIf = () => post("/v1/what-if", { answers: applicant(next++) });
const banks = () => read("/v1/banks");
const waited = () => post("/v1/applications", { answers: applicant(next++) }, { Prefer: "wait=5" });

/** The reference's way, asking as often as answers come. */
async function threeSteps(): Promise<void> {
  const { task_id } = await post("/upload_features", applicant(next++)) as { task_id: string };
  while (await read(`/check_task?task_id=${task_id}`) !== true);
  await read(`/get_result?task_id=${task_id}`);
}

/** Milliseconds that each call took from when it was due. */
async function atRate(calls: readonly (() => Promise<unknown>)[]): Promise<number[][]> {
  const times: number[][] = calls.map(() => []);
  const startedMs = performance.now();
  const under: Promise<void>[] = [];
  for (let tick = 0; tick < seconds * PER_S; tick++) {
    const dueMs = startedMs + tick * 1000 / PER_S;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    for (const [index, call] of calls.entries()) {
      // A timer is a millisecond late or more: that is no fault of the service.
      const sentMs = Math.max(dueMs, performance.now() - 2);
      under.push(call().then(() => void times[index]?.push(performance.now() - sentMs)));
    }
  }
  await Promise.all(under);
  return times;
}

async function oneByOne(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < SINGLES; index++) {
    const startedMs = performance.now();
    await call();
    times.push(performance.now() - startedMs);
  }
  return times;
}

for (let index = 0; index < WARM_UP; index++) {
  await whatIf();
  await waited();
}

const rounds: Record<string, number>[] = [];
for (let at = 0; at < Number(values.rounds); at++) {
  const [whatIfMs = []] = await atRate([whatIf]);
  const [banksMs = []] = await atRate([banks]);
  const waitedMs = await oneByOne(waited);
  const stepsMs = await oneByOne(threeSteps);
  const found = {
    whatIfP50: median(whatIfMs),
    whatIfP99: percentile(whatIfMs, 0.99),
    banksP50: median(banksMs),
    banksP99: percentile(banksMs, 0.99),
    waitedP50: median(waitedMs),
    waitedP99: percentile(waitedMs, 0.99),
    threeStepsP50: median(stepsMs),
    threeStepsP99: percentile(stepsMs, 0.99),
  };
  rounds.push(found);
  console.log(Object.entries(found).map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join("  "));
}
const of = (name: string) => median(rounds.map((round) => round[name] ?? NaN));
console.log(
  `medians, ms: what-if p50 ${of("whatIfP50").toFixed(1)}, p99 ${of("whatIfP99").toFixed(1)} ` +
    `(list of banks ${of("banksP50").toFixed(1)}, ${of("banksP99").toFixed(1)}); ` +
    `Prefer: wait p50 ${of("waitedP50").toFixed(1)}, p99 ${of("waitedP99").toFixed(1)} ` +
    `(three steps ${of("threeStepsP50").toFixed(1)}, ${of("threeStepsP99").toFixed(1)}: ` +
    `${(of("waitedP50") / of("threeStepsP50")).toFixed(2)} times as long)`,
);
await writeResult("api_latency", { perS: PER_S, seconds, singles: SINGLES, rounds });
