/**
 * Scoring as the two programs use it: the configured models, in this thread from the first moment, and in workers as soon as
 * these have shown that they answer the same. So a start waits for no worker, and a platform without workers needs no other way.
 *
 * Known limit: a task scored before the workers are there is scored where it could do harm. Its models have passed their checks.
 */
import type { Config } from "./configs/mod.ts";
import { systemClock } from "./queue/clock.ts";
import type { Handler } from "./queue/dispatcher.ts";
import { WorkerPool } from "./queue/pool.ts";
import { banksWithoutEvidence } from "./scoring/evidence.ts";
import { describeFeatures, Features } from "./scoring/features.ts";
import { scoringHandler } from "./scoring/handler.ts";
import { type Models, Scorer } from "./scoring/score.ts";
import {
  type Bundle,
  ModelSet,
  type Modules,
  readBundle,
  readManifest,
  readModule,
  type ScoreRequest,
  type ScoreResponse,
  sha256Of,
  type WorkerSetup,
} from "./wasm/mod.ts";

/** Making a worker holds this thread for some 50 ms: the first requests go first. */
const WORKERS_AFTER_MS = 100;

export interface Scoring extends AsyncDisposable {
  readonly handler: Handler;
  /**
   * Moves the scoring into workers a little later. Resolves with how many there are, when they have answered; with 0 where they
   * could not, or the configuration wants none.
   */
  startWorkers(): Promise<number>;
}

type Pool = WorkerPool<ScoreRequest, ScoreResponse>;

/** Reads and checks the models. Throws `ModelError` where one cannot be used. */
export async function startScoring(
  { service, questionnaire, banks, modelsFolder }: Config,
): Promise<Scoring> {
  const bundle = await readBundle(modelsFolder, {
    features: await describeFeatures(questionnaire),
    models: banks.banks.map(({ model }) => model),
  });
  const evidenceOf = new Map(bundle.models.map(({ name, evidence }) => [name, evidence]));
  const modules: Modules = bundle.models.every(({ kind }) => kind === "forest")
    ? { engine: await readModule("engine") }
    : { engine: await readModule("engine"), tract: await readModule("tract") };
  const here = new ModelSet(modules, bundle);

  let pool: Pool | undefined;
  const models: Models = {
    version: bundle.version,
    score: async (matrix, rows) =>
      pool ? await pool.run({ matrix, rows }, [matrix.buffer]) : here.score(matrix, rows),
  };
  let starting: Promise<number> | undefined;
  const stopping = new AbortController();
  async function startWorkers(): Promise<number> {
    await delay(WORKERS_AFTER_MS, stopping.signal);
    if (stopping.signal.aborted) return 0;
    pool = await startPool({
      size: service.workers,
      timeoutMs: service.queue.jobTimeoutMs,
      setup: { modules, bundle },
      here,
      signal: stopping.signal,
    });
    return pool === undefined ? 0 : service.workers;
  }
  const scorer = new Scorer({
    features: new Features(questionnaire),
    models,
    banks: banks.banks.map(({ id }) => id),
    withoutEvidence: banksWithoutEvidence(banks, evidenceOf),
  });
  return {
    handler: scoringHandler(scorer),
    startWorkers: () => starting ??= service.workers === 0 ? Promise.resolve(0) : startWorkers(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await starting;
    },
  };
}

/** Names what a score depends on besides the answers: the features, the banks and their models. */
export async function readRevision({ banks, modelsFolder }: Config): Promise<string> {
  const { features, models } = await readManifest(modelsFolder);
  const parts = banks.banks.map(({ id, model }) => [id, models[model]?.onnx.sha256]);
  return await sha256Of(new TextEncoder().encode(JSON.stringify([features.sha256, parts])));
}

interface PoolOptions {
  readonly size: number;
  readonly timeoutMs: number;
  readonly setup: WorkerSetup;
  readonly here: ModelSet;
  /** Ends the workers. */
  readonly signal: AbortSignal;
}

/** Workers that answered one row as this thread does; `undefined`, with the reason in the log, where they cannot be had. */
async function startPool(
  { size, timeoutMs, setup, here, signal }: PoolOptions,
): Promise<Pool | undefined> {
  try {
    const pool: Pool = await WorkerPool.start({
      size,
      spawn: () => spawnWorker(setup),
      timeoutMs,
      clock: systemClock,
      signal,
    });
    const found = await askOneRow(pool, setup.bundle);
    const expected = here.score(emptyRow(setup.bundle), 1);
    if (expected.every((value, index) => value === found[index])) return pool;
    pool.close();
    throw new Error(`a worker answered ${found}, must be ${expected}`);
  } catch (error) {
    if (signal.aborted) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    console.error("Scoring in the main thread:", reason);
    return undefined;
  }
}

async function askOneRow(pool: Pool, bundle: Bundle): Promise<ScoreResponse> {
  const matrix = emptyRow(bundle);
  try {
    return await pool.run({ matrix, rows: 1 }, [matrix.buffer]);
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** An application in which every answer is missing. */
function emptyRow({ features }: Bundle): Float32Array<ArrayBuffer> {
  return new Float32Array(features).fill(NaN);
}

/** Resolves after `ms`, or when the signal is aborted. */
function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(ms, resolve);
    signal.addEventListener("abort", () => {
      cancel();
      resolve();
    }, { once: true });
  });
}

function spawnWorker(setup: WorkerSetup): Worker {
  const worker = new Worker(new URL("./wasm/worker.ts", import.meta.url), { type: "module" });
  worker.postMessage(setup);
  return worker;
}
