/**
 * The composition root: configuration -> database -> models -> workers -> HTTP server, and the way back down. Each part is
 * made here and handed to those that need it; no part finds another by itself.
 */
import { type Config, ConfigError } from "./configs/mod.ts";
import { systemClock } from "./queue/clock.ts";
import { Dispatcher } from "./queue/dispatcher.ts";
import { GroupCommit } from "./queue/group_commit.ts";
import { openStore } from "./queue/open.ts";
import { WorkerPool } from "./queue/pool.ts";
import type { NewTask, TaskState } from "./queue/store.ts";
import { createApp } from "./routes/mod.ts";
import { describeFeatures, Features } from "./scoring/features.ts";
import { scoringHandler } from "./scoring/handler.ts";
import { type Models, Scorer } from "./scoring/score.ts";
import { configFromEnvironment } from "./tasks/config.ts";
import { main } from "./tasks/main.ts";
import {
  type Bundle,
  ModelSet,
  type Modules,
  readBundle,
  readModule,
  type ScoreRequest,
  type ScoreResponse,
  type WorkerSetup,
} from "./wasm/mod.ts";

export interface Service {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** How many workers score; 0 where the main thread does. */
  readonly workers: number;
  /** Takes no more requests, lets the work at hand end, and closes everything. */
  stop(): Promise<void>;
}

/** Starts the service. Throws, with nothing left running, where a part cannot start. */
export async function startService(
  { service, questionnaire, banks, modelsFolder }: Config,
): Promise<Service> {
  await using closing = new AsyncDisposableStack();
  const bundle = await readBundle(modelsFolder, {
    features: await describeFeatures(questionnaire),
    models: banks.banks.map(({ model }) => model),
  });
  const models = closing.use(
    await startModels(bundle, { workers: service.workers, timeoutMs: service.queue.jobTimeoutMs }),
  );

  const store = await openStore(service.databaseUrl, systemClock.now());
  closing.defer(() => store.close());

  const scorer = new Scorer({
    features: new Features(questionnaire),
    models,
    banks: banks.banks.map(({ id }) => id),
  });
  const dispatcher = new Dispatcher({
    store,
    handler: scoringHandler(scorer),
    policy: service.queue,
    lanes: Math.max(1, models.workers),
    clock: systemClock,
    random: Math.random,
    report: (error) => console.error("The queue failed and will try again:", error),
  });
  dispatcher.start();
  closing.defer(() => dispatcher.stop());

  const uploads = new GroupCommit<NewTask, TaskState>({
    commit: async (tasks) => {
      const states = await store.enqueue(tasks, systemClock.now());
      dispatcher.wake();
      return states;
    },
    limit: service.queue.batchRows,
  });
  const app = createApp({
    store,
    enqueue: (task) => uploads.add(task),
    questionnaire,
    banks,
    limits: service.limits,
  });
  const server = listen(service, app.fetch);
  closing.defer(() => server.shutdown());

  const { hostname, port } = server.addr;
  const running = closing.move();
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    workers: models.workers,
    stop: () => running.disposeAsync(),
  };
}

interface StartedModels extends Models, Disposable {
  readonly workers: number;
}

/**
 * The models in workers, or in this thread where the configuration wants none or the platform has none: the workers are
 * asked to score one row first, and must answer as this thread does.
 */
async function startModels(
  bundle: Bundle,
  { workers, timeoutMs }: { workers: number; timeoutMs: number },
): Promise<StartedModels> {
  const modules: Modules = bundle.models.every(({ kind }) => kind === "forest")
    ? { engine: await readModule("engine") }
    : { engine: await readModule("engine"), tract: await readModule("tract") };
  const here = new ModelSet(modules, bundle);
  const inline: StartedModels = {
    version: bundle.version,
    workers: 0,
    score: async (matrix, rows) => await here.score(matrix, rows),
    [Symbol.dispose]() {},
  };
  if (workers === 0) return inline;
  try {
    const pool = await WorkerPool.start<ScoreRequest, ScoreResponse>({
      size: workers,
      spawn: () => spawnWorker({ modules, bundle }),
      timeoutMs,
      clock: systemClock,
    });
    const pooled: StartedModels = {
      version: bundle.version,
      workers,
      score: (matrix, rows) => pool.run({ matrix, rows }, [matrix.buffer]),
      [Symbol.dispose]: () => pool.close(),
    };
    const row = new Float32Array(bundle.features).fill(NaN);
    const expected = here.score(row, 1);
    const found = await pooled.score(row, 1);
    if (expected.every((value, index) => value === found[index])) return pooled;
    pool.close();
    console.error(`Scoring in the main thread: a worker answered ${found}, must be ${expected}`);
  } catch (error) {
    console.error("Scoring in the main thread:", reason(error));
  }
  return inline;
}

function spawnWorker(setup: WorkerSetup): Worker {
  const worker = new Worker(new URL("./wasm/worker.ts", import.meta.url), { type: "module" });
  worker.postMessage(setup);
  return worker;
}

function listen(
  { host, port }: Config["service"],
  handler: Deno.ServeHandler,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen() {} }, handler);
  } catch (error) {
    throw new ConfigError(`Cannot listen on ${host}, port ${port}: ${reason(error)}`, {
      cause: error,
    });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) {
  await main(async () => {
    const service = await startService(configFromEnvironment());
    console.log(`Prescore listens on ${service.url} (documentation: ${service.url}/docs)`);
    console.log(
      service.workers > 0 ? `${service.workers} scoring workers` : "scoring in the main thread",
    );
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, async () => {
        if (stopping) return;
        stopping = true;
        await service.stop();
        Deno.exit(0);
      });
    }
  });
}
