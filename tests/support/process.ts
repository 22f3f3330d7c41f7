/** The service as a process of its own, which can be killed. */
import "./master_key.ts";
import { PROJECT } from "./service.ts";

/** Those of the service, with a database in the folder of temporary files. */
export const PERMISSIONS = [
  "-P=start",
  `--allow-write=${Deno.env.get("TMPDIR") ?? "/tmp"}`,
] as const;

export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** Writes a line to its standard input, and gives the next line that it says. Rejects where it ends before. */
  ask(line: string): Promise<string>;
  signal(signal: Deno.Signal): void;
  /** Ends it; the exit code, or the signal's name. */
  end(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<number | string>;
}

/** Starts the service, or another program of the project that says where it listens. */
export function spawnService(
  env: Record<string, string>,
  program?: readonly string[],
): Promise<ServiceProcess> {
  return startProcess(env, program).service;
}

/** As `spawnService`, with the process before it listens; `service` rejects where it ends before that. */
export function startProcess(
  env: Record<string, string>,
  program: readonly string[] = [...PERMISSIONS, "main.ts"],
): { child: Deno.ChildProcess; service: Promise<ServiceProcess> } {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...program],
    cwd: PROJECT,
    env: { ...env, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return { child, service: whenItListens(child) };
}

async function whenItListens(child: Deno.ChildProcess): Promise<ServiceProcess> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = child.stdin.getWriter();
  let output = "";
  async function said(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(output);
      if (found) {
        output = output.slice(found.index + found[0].length);
        return found[1] ?? "";
      }
      const { done, value } = await reader.read();
      if (done) {
        await Promise.allSettled([writer.close(), child.status]);
        throw new Error(`the process ended: ${output}`);
      }
      output += value;
    }
  }
  const url = await said(/listens on (http:\S+)/);
  return {
    url,
    pid: child.pid,
    async ask(line) {
      output = "";
      await writer.write(new TextEncoder().encode(`${line}\n`));
      return await said(/(.*worker.*kill.*)\n/);
    },
    signal: (signal) => child.kill(signal),
    async end(signal) {
      child.kill(signal);
      await Promise.allSettled([reader.cancel(), writer.close()]);
      const status = await child.status;
      return status.signal ?? status.code;
    },
  };
}

/** Runs a command of the project to its end. */
export async function runTask(
  args: readonly string[],
  { env = {}, stdin = "" }: { env?: Record<string, string>; stdin?: string | Uint8Array } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args],
    cwd: PROJECT,
    env: { ...env, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  await writer.write(bytes).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The shipped configuration with leases that end soon, so that a killed process is followed quickly. */
export function writeImpatientConfig(
  folder: string,
  { leaseMs = 1000, maxAttempts = 10 } = {},
): void {
  for (const name of ["questionnaire.json", "banks.json", "service.json"]) {
    const config = JSON.parse(Deno.readTextFileSync(new URL(`configs/${name}`, PROJECT)));
    if (name === "service.json") {
      Object.assign(config.queue, {
        leaseMs,
        jobTimeoutMs: Math.floor(0.9 * leaseMs),
        rescueEveryMs: 100,
        maxAttempts,
        backoffMs: { base: 10, max: 50 },
      });
    }
    if (name === "banks.json") config.models = new URL("models/1", PROJECT).pathname;
    Deno.writeTextFileSync(`${folder}/${name}`, JSON.stringify(config));
  }
}
