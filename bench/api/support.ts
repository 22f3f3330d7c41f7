/** What the benchmarks of the API share: the service as a process of its own, its memory, percentiles, where results go. */
import type { Answers } from "../../client/mod.ts";
import { spawnService } from "../../tests/support/process.ts";
import { EXAMPLE } from "../../tests/support/service.ts";

export interface Running extends AsyncDisposable {
  readonly url: string;
  /** Resident memory in bytes, now. */
  memoryBytes(): number;
}

/** Starts the service as it is shipped, with a database of its own on the disk of the temporary folder. */
export async function start(): Promise<Running> {
  const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
  const service = await spawnService({
    PRESCORE_PORT: "0",
    PRESCORE_DATABASE_URL: `file:${folder}/prescore.db`,
  });
  return {
    url: service.url,
    memoryBytes: () => residentBytes(service.pid),
    async [Symbol.asyncDispose]() {
      await service.end("SIGTERM");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Different questionnaires, each plausible. */
export function applicant(index: number): Answers {
  return {
    ...EXAMPLE,
    monthprofit: 40_000 + (index % 5000) * 40,
    childcount: index % 4,
    gender: index % 2,
    loan_amount: 20_000 + (index % 280) * 1000,
    loan_term: [6, 12, 18, 24][index % 4] ?? 12,
    merch_code: index % 100_000,
  };
}

/** The value that a share of them do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The machine that a result is from. */
export function machine() {
  const cpu = /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
  return { cpu, cores: navigator.hardwareConcurrency, deno: Deno.version.deno };
}

export async function writeResult(name: string, result: unknown): Promise<void> {
  const url = new URL(`../results/${name}.json`, import.meta.url);
  await Deno.writeTextFile(url, `${JSON.stringify({ ...machine(), result }, null, 2)}\n`);
}
