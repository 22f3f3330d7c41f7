/**
 * `deno task replay ID`: decides a stored application again, as of the time of its receipt, with the models and the policy of today,
 * and says whether it comes to the same, or what has changed since. Exits 0 where it is the same, 2 where something changed.
 */
import { type Service, withoutSecrets } from "../configs/mod.ts";
import { systemClock } from "../clock.ts";
import type { TaskStore } from "../queue/store.ts";
import type { Decision } from "../scoring/decision.ts";
import { decodeDecision, decodePayload } from "../scoring/handler.ts";
import { type Replay, replay as compare } from "../scoring/receipt.ts";
import { startActive } from "../serving.ts";
import { openStores } from "../stores.ts";
import { configFromEnvironment } from "./config.ts";
import { type Command, main, readOptions, UsageError } from "./main.ts";

const CHANGED = 2;

interface Stored {
  readonly payload: string;
  readonly decision: Decision;
}

/** Throws `UsageError` where no decision with this id is stored. */
export const replay: Command = async (args) => {
  const { positionals: [id, ...more] } = readOptions({ allowPositionals: true }, args);
  if (id === undefined || more.length > 0) {
    throw new UsageError("Cannot replay: must be given the id of one application");
  }
  const config = configFromEnvironment();
  await using resources = new AsyncDisposableStack();
  const stores = await openStores(config.service, systemClock.now());
  resources.defer(() => stores.store.close());
  const { payload, decision } = await readStored(id, stores.store, config.service);
  const scoring = resources.use(await startActive(config, stores));
  const { answers } = decodePayload(payload);
  const again = await scoring.decider.decide({ answers, atMs: decision.receipt.asOfMs });
  const found = compare(decision, again);
  for (const line of report(found)) console.log(line);
  if (!found.verdicts.includes("same")) Deno.exit(CHANGED);
};

async function readStored(
  id: string,
  store: TaskStore,
  { databaseUrl }: Pick<Service, "databaseUrl">,
): Promise<Stored> {
  const [task, payload] = [await store.find(id), await store.payload(id)];
  if (task === undefined || payload === undefined) {
    throw new UsageError(
      `Cannot replay ${id}: it must be stored in ${withoutSecrets(databaseUrl)}`,
    );
  }
  if (task.result === null) throw new UsageError(`Cannot replay ${id}: it has no decision`);
  if (decodePayload(payload).wanted !== "decision") {
    throw new UsageError(`Cannot replay ${id}: it has probabilities alone, and no receipt`);
  }
  return { payload, decision: decodeDecision(task.result) };
}

function report({ verdicts, sameOutcome, probabilities }: Replay): string[] {
  return [
    verdicts.map((verdict) => verdict.replaceAll("_", " ")).join(", "),
    sameOutcome ? "the decision is the same" : "the decision is another",
    ...Object.entries(probabilities).map(([bank, { was, is }]) => `${bank}: was ${was}, is ${is}`),
  ];
}

if (import.meta.main) await main(() => replay(Deno.args));
