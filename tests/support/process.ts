/** The service as a process of its own, which can be killed. */
import assert from "node:assert/strict";
import { PROJECT } from "./service.ts";

export interface ServiceProcess {
  readonly url: string;
  signal(signal: Deno.Signal): void;
  /** Ends it; the exit code, or the signal's name. */
  end(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<number | string>;
}

/** Starts the service, or another program of the project that says where it listens. */
export async function spawnService(
  env: Record<string, string>,
  program: readonly string[] = ["-P=start", "main.ts"],
): Promise<ServiceProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...program],
    cwd: PROJECT,
    env: { ...env, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  let url: string | undefined;
  while (url === undefined) {
    const { done, value } = await reader.read();
    assert.ok(!done, `the service ended before it listened: ${output}`);
    output += value;
    url = /listens on (http:\S+)/.exec(output)?.[1];
  }
  return {
    url,
    signal: (signal) => child.kill(signal),
    async end(signal) {
      child.kill(signal);
      await reader.cancel();
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
export function writeImpatientConfig(folder: string): void {
  for (const name of ["questionnaire.json", "banks.json", "service.json"]) {
    const config = JSON.parse(Deno.readTextFileSync(new URL(`configs/${name}`, PROJECT)));
    if (name === "service.json") {
      Object.assign(config.queue, {
        leaseMs: 1000,
        jobTimeoutMs: 900,
        rescueEveryMs: 100,
        maxAttempts: 10,
      });
    }
    if (name === "banks.json") config.models = new URL("models/1", PROJECT).pathname;
    Deno.writeTextFileSync(`${folder}/${name}`, JSON.stringify(config));
  }
}
