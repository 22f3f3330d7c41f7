/** Services of this checkout and of another, with keys and without. */
import { PERMISSIONS, runTask } from "../../tests/support/process.ts";
import { PROJECT } from "../../tests/support/service.ts";

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

export interface StartOptions {
  /** A checkout; absent: this one. */
  readonly checkout?: string | undefined;
  readonly databaseUrl: string;
}

export async function start({ checkout, databaseUrl }: StartOptions): Promise<Running> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, "--no-check", "main.ts"],
    cwd: checkout ?? PROJECT,
    env: { PRESCORE_PORT: "0", PRESCORE_DATABASE_URL: databaseUrl, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  let url: string | undefined;
  // The workers answer last.
  while (url === undefined || !output.includes("workers")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the service ended: ${output}`);
    output += value;
    url = /listens on (\S+)/.exec(output)?.[1];
  }
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.allSettled([reader.cancel(), child.status]);
    },
  };
}

/** A key without a limit that a bench could reach. */
export async function makeKey(databaseUrl: string): Promise<string> {
  const { stdout, stderr } = await runTask([
    ...["-P=generate", "tasks/keys.ts", "create"],
    ...["--name", "bench", "--role", "submit", "--per-second", "1000000"],
  ], { env: { PRESCORE_DATABASE_URL: databaseUrl } });
  if (!stdout.startsWith("psk_")) throw new Error(`no key was made: ${stderr}`);
  return stdout.trim();
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
