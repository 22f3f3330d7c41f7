/** A good client's latency beside 1,000 slow ones, and when the last of those is cut off. */
import { median, quantile, start } from "./support.ts";

const SLOW = 1000;
const GOOD_PER_S = 200;
const GOOD_S = 10;
const ROUNDS = 3;

export async function slow() {
  await using resources = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
  resources.defer(() => Deno.remove(folder, { recursive: true }));
  const service = resources.use(await start({ databaseUrl: `file:${folder}/prescore.db` }));
  const rounds = [];
  await good(service.url, 2);
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await good(service.url, GOOD_S);
    const { child, ended } = await attack(service.url);
    const beside = await good(service.url, GOOD_S);
    const { lastClosedS, closed } = await ended;
    await child.status;
    rounds.push({
      ...{ aloneP50Ms: quantile(alone, 0.5), aloneP99Ms: quantile(alone, 0.99) },
      ...{ besideP50Ms: quantile(beside, 0.5), besideP99Ms: quantile(beside, 0.99) },
      ...{ slowClients: SLOW, closed, lastClosedS },
    });
  }
  return {
    rounds,
    p99Ratio: median(rounds.map(({ aloneP99Ms, besideP99Ms }) => besideP99Ms / aloneP99Ms)),
    lastClosedS: Math.max(...rounds.map(({ lastClosedS }) => lastClosedS)),
  };
}

/** The slow ones are another process, which has started by then, so that they cost the good client's event loop nothing. */
async function attack(url: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/access/slow_clients.ts", url, String(SLOW)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => JSON.parse((await reader.read()).value ?? "null");
  await next();
  const ended: Promise<{ lastClosedS: number; closed: number }> = next();
  return { child, ended };
}

/** Milliseconds of each request of one who asks at a steady rate. */
async function good(url: string, seconds: number): Promise<number[]> {
  const startMs = performance.now();
  const times = Array.from({ length: seconds * GOOD_PER_S }, async (_, number) => {
    const atMs = startMs + number * 1000 / GOOD_PER_S;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));
    const response = await fetch(`${url}/v1/banks`);
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`the good client was answered ${response.status}`);
    return performance.now() - atMs;
  });
  return await Promise.all(times);
}
