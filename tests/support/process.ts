/** The service as a process of its own, which can be killed. */
import assert from "node:assert/strict";
import { PROJECT } from "./service.ts";

export interface ServiceProcess {
  readonly url: string;
  /** Ends it; the exit code, or the signal's name. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string>;
}

export async function spawnService(env: Record<string, string>): Promise<ServiceProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=start", "main.ts"],
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
  { env = {}, stdin = "" }: { env?: Record<string, string>; stdin?: string } = {},
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
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
