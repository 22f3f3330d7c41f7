/**
 * `deno task bench-start [--binary dist/prescore] [--rounds 9]`: from the start of the executable to its first result, each time
 * with a new database: with an empty temporary folder, and with the code cache of an earlier start in it. Also the memory that it
 * holds when its workers are there. Figures go to bench/results/start.json.
 */
import { parseArgs } from "node:util";
import { EXAMPLE } from "../../tests/support/service.ts";
import { temporaryFolder } from "../../tests/support/store.ts";

const { values: options } = parseArgs({
  options: {
    binary: { type: "string", default: "dist/prescore" },
    rounds: { type: "string", default: "9" },
  },
});

interface Start {
  readonly listeningMs: number;
  readonly firstResultMs: number;
  readonly residentMb: number;
}

async function start(temporary: string): Promise<Start> {
  await using folder = await temporaryFolder();
  const startMs = performance.now();
  const child = new Deno.Command(options.binary, {
    clearEnv: true,
    env: {
      TMPDIR: temporary,
      PRESCORE_PORT: "0",
      PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
    },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  async function said(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(output)?.[1];
      if (found !== undefined) return found;
      const { done, value } = await reader.read();
      if (done) throw new Error(`the service ended: ${output}`);
      output += value;
    }
  }
  const url = await said(/listens on (http:\S+)/);
  const listeningMs = performance.now() - startMs;
  const response = await fetch(`${url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(EXAMPLE),
  });
  const { task_id } = await response.json();
  while (await (await fetch(`${url}/check_task?task_id=${task_id}`)).text() !== "true");
  await (await fetch(`${url}/get_result?task_id=${task_id}`)).text();
  const firstResultMs = performance.now() - startMs;
  await said(/(\d+) scoring workers/);
  const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  const residentMb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  return {
    listeningMs: Math.round(listeningMs),
    firstResultMs: Math.round(firstResultMs),
    residentMb: Math.round(residentMb),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const first: Start[] = [];
const again: Start[] = [];
await using kept = await temporaryFolder();
await start(kept.path);
for (let round = 0; round < Number(options.rounds); round++) {
  await using empty = await temporaryFolder();
  first.push(await start(empty.path));
  again.push(await start(kept.path));
}
const runs = { "empty temporary folder": first, "code cache of an earlier start": again };
for (const [name, starts] of Object.entries(runs)) {
  const times = starts.map(({ firstResultMs }) => firstResultMs);
  console.log(
    `${name}: first result after ${median(times)} ms (${Math.min(...times)} to ${
      Math.max(...times)
    }), ` +
      `${median(starts.map(({ residentMb }) => residentMb))} MB resident`,
  );
}
const report = { cores: navigator.hardwareConcurrency, loadAverage: Deno.loadavg(), runs };
await Deno.writeTextFile(
  new URL("../results/start.json", import.meta.url),
  JSON.stringify(report, null, 1) + "\n",
);
