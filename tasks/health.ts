/**
 * `prescore health`: asks the service on this machine whether it is well, and exits 0 or 1. For images that hold nothing else
 * that could ask.
 */
import { configFromEnvironment } from "./config.ts";
import { UsageError } from "./main.ts";

const ANSWER_WAIT_MS = 3000;

/** Throws where the service does not answer, or not well. */
export async function health(): Promise<void> {
  const { service: { host, port } } = configFromEnvironment();
  const url = `http://${reachable(host)}:${port}/health`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
    const body = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}: ${body}`);
  } catch (error) {
    throw new UsageError(`Not well: ${url}: ${error instanceof Error ? error.message : error}`);
  }
}

/** An address to ask at, where the service listens on all. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
