/**
 * The store beside the SQL that it is made of and beside plainjob: durable cycles of upload, claim, score and result.
 *
 *     deno task bench-queue [--rounds 7] [--tasks 12800] [--batch 128]
 *
 * In each round every contestant runs once, in turn, on a new file; medians are compared. Raw figures go to
 * bench/results/queue.json.
 *
 * Known limit: commits wait for the disk of this machine, which others may use; the ratios are the result.
 */
import { parseArgs } from "node:util";
import { startScoring } from "../../workers.ts";
import { readConfig } from "../../tests/support/service.ts";
import {
  type Contestant,
  plainjob,
  PLAINJOB_VERSION,
  prescore,
  rawOneTable,
  rawSameTables,
  RESULT,
} from "./contestants.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    tasks: { type: "string", default: "12800" },
    batch: { type: "string", default: "128" },
  },
});
const rounds = Number(options.rounds);
const tasks = Number(options.tasks);
const batch = Number(options.batch);
if (!rounds || !tasks || !batch) {
  throw new Error("Cannot run: options must be whole numbers above 0");
}

const config = readConfig();
const scoring = await startScoring(config);
const contestants: Contestant[] = [
  prescore("prescore", (held) => Promise.resolve(held.map(() => ({ result: RESULT })))),
  prescore("prescore, scored by the models", scoring.handler),
  rawSameTables,
  rawOneTable,
  await plainjob("NORMAL"),
  await plainjob("FULL"),
];
const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
const cycles = new Map<string, number[]>(contestants.map((each) => [label(each), []]));

function label({ name, synchronous }: Contestant): string {
  return `${name} (${synchronous})`;
}

async function measure(contestant: Contestant, round: number): Promise<void> {
  const path = `${folder}/${round}-${contestants.indexOf(contestant)}.db`;
  const count = Math.ceil(tasks * contestant.share / batch) * batch;
  const start = performance.now();
  await contestant.run({ path, tasks: count, batch });
  cycles.get(label(contestant))?.push(count / (performance.now() - start) * 1000);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

for (const contestant of contestants) await measure(contestant, -1);
for (const values of cycles.values()) values.length = 0;
for (let round = 0; round < rounds; round++) {
  for (const contestant of contestants) await measure(contestant, round);
}
await Deno.remove(folder, { recursive: true });

const [first = ""] = cycles.keys();
const ours = median(cycles.get(first) ?? []);
console.log(`cycles a second, median of ${rounds} rounds of ${tasks} tasks in batches of ${batch}`);
for (const [name, values] of cycles) {
  const value = median(values);
  console.log(
    `  ${name.padEnd(40)} ${Math.round(value).toString().padStart(7)}   ` +
      `prescore is ${(ours / value).toFixed(2)}x`,
  );
}

const cpu = /model name\s*: (.*)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
const report = {
  cpu,
  cores: navigator.hardwareConcurrency,
  loadAverage: Deno.loadavg(),
  versions: { deno: Deno.version.deno, plainjob: PLAINJOB_VERSION },
  unit: "cycles of upload, claim, score and result a second",
  tasks,
  batch,
  cycles: Object.fromEntries([...cycles].map(([name, values]) => [name, values.map(Math.round)])),
};
await Deno.writeTextFile(
  new URL("../results/queue.json", import.meta.url),
  JSON.stringify(report, null, 1) + "\n",
);
