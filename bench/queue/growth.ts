/**
 * `deno task soak-growth [--tasks 1000000]`: how much memory the service's parts need after the first tenth of the tasks, and after
 * all of them. Store, dispatcher, models and workers as the service has them; only HTTP is left out.
 *
 * A garbage collection comes before each look, so that what is looked at is kept and not just not yet thrown away.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../../clock.ts";
import { Dispatcher } from "../../queue/dispatcher.ts";
import { openStores } from "../../stores.ts";
import { encodePayload } from "../../scoring/handler.ts";
import { EXAMPLE, readConfig } from "../../tests/support/service.ts";
import { startScoring } from "../../workers.ts";

const { values: options } = parseArgs({
  options: { tasks: { type: "string", default: "1000000" } },
});
const all = Number(options.tasks);
const MOST_WAITING = 1280;
const GROUP = 128;
const LOOKS = 10;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const config = readConfig();
const folder = await Deno.makeTempDir({ prefix: "prescore-growth-" });
const service = { ...config.service, databaseUrl: `file:${folder}/queue.db` };
const { store } = await openStores(service, systemClock.now());
const scoring = await startScoring(config);
const workers = await scoring.startWorkers();
let done = 0;
const dispatcher = new Dispatcher({
  store,
  async handler(tasks) {
    const outcomes = await scoring.handler(tasks);
    done += outcomes.filter((outcome) => "result" in outcome).length;
    return outcomes;
  },
  policy: service.queue,
  lanes: workers,
  clock: systemClock,
  random: Math.random,
  report: (error) => assert.fail(String(error)),
});
dispatcher.start();

async function untilWaiting(most: number, uploaded: number): Promise<void> {
  while (uploaded - done > most) await new Promise((resolve) => setTimeout(resolve, 1));
}

const startMs = performance.now();
const megabytes: number[] = [];
for (let next = 0; next < all;) {
  const group = Array.from({ length: GROUP }, () => {
    const payload = encodePayload({ ...EXAMPLE, monthprofit: 50_000 + next });
    return { id: `task ${next++}`, payload, revision: "1" };
  });
  await store.enqueue(group, systemClock.now());
  dispatcher.wake();
  await untilWaiting(next >= all ? 0 : MOST_WAITING, next);
  if (next >= all * (megabytes.length + 1) / LOOKS) {
    collectGarbage();
    megabytes.push(Math.round(Deno.memoryUsage().rss / 2 ** 20));
  }
}
await dispatcher.stop();
const seconds = (performance.now() - startMs) / 1000;
await scoring[Symbol.asyncDispose]();
store.close();
await Deno.remove(folder, { recursive: true });

const [first = NaN] = megabytes;
const last = megabytes.at(-1) ?? NaN;
console.log(JSON.stringify({
  tasks: done,
  workers,
  tasksPerS: Math.round(done / seconds),
  residentMb: megabytes,
  growthPercent: Math.round((last / first - 1) * 1000) / 10,
}));
