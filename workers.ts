/**
 * Scoring as the two programs use it: the configured models, in this thread from the first moment, and in workers as soon as
 * these have shown that they answer the same. So a start waits for no worker, and a platform without workers needs no other way.
 *
 * Known limit: a task scored before the workers are there is scored where it could do harm. Its models have passed their checks.
 */
import type { Config } from "./configs/mod.ts";
import type { BatchDetail } from "./queue/batches.ts";
import { systemClock } from "./clock.ts";
import type { Handler } from "./queue/dispatcher.ts";
import { WorkerPool } from "./queue/pool.ts";
import { Decider } from "./scoring/decide.ts";
import { withChunks, type Work } from "./scoring/chunk.ts";
import type { Decision } from "./scoring/decision.ts";
import { banksWithoutEvidence } from "./scoring/evidence.ts";
import { describeFeatures, Features } from "./scoring/features.ts";
import { scoringHandler } from "./scoring/handler.ts";
import type { Models } from "./scoring/models.ts";
import { Scorer } from "./scoring/score.ts";
import {
  type Bundle,
  goldenErrors,
  type Inspected,
  ModelError,
  ModelSet,
  type Modules,
  readBundle,
  readChecked,
  readManifest,
  readModule,
  sha256Of,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerSetup,
} from "./wasm/mod.ts";

/** Making a worker holds this thread for some 50 ms: the first requests go first. */
const WORKERS_AFTER_MS = 100;

export interface Scoring extends AsyncDisposable {
  readonly handler: Handler;
  /** Decides at once, without the queue. */
  readonly decider: Decider;
  /** Gives probabilities at once. */
  readonly scorer: Scorer;
  /**
   * Moves the scoring into workers a little later. Resolves with how many there are, when they have answered; with 0 where they
   * could not, or the configuration wants none.
   */
  startWorkers(): Promise<number>;
}

type Pool = WorkerPool<WorkerRequest, WorkerResponse>;

/** Told of what the models do. */
export interface ScoringObserver {
  /** Probabilities, row-major: one for each bank, in their order; NaN where a bank's model failed. */
  scored(probabilities: ArrayLike<number>): void;
  workerStarted(): void;
}

export interface ScoringOptions {
  /** Whether the models must give the golden rows what training gave them. */
  readonly golden?: boolean;
  readonly observer?: ScoringObserver;
}

/** Reads and checks the models. Throws `ModelError` where one cannot be used. */
export async function startScoring(
  { service, questionnaire, banks, policy, modelsFolder }: Config,
  { golden = false, observer }: ScoringOptions = {},
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
  if (golden) await checkGolden(here, { bundle, folder: modelsFolder });

  let pool: Pool | undefined;
  const models: Models = {
    version: bundle.version,
    async score(matrix, rows) {
      const scores = pool
        ? scoresOf(await pool.run({ matrix, rows }, [matrix.buffer]))
        : here.score(matrix, rows);
      observer?.scored(scores);
      return scores;
    },
    async inspect(inspect) {
      // Loans that are about to be offered are no client's own, and are asked for without reasons.
      const isClient = inspect.explain;
      const inspected = pool
        ? inspectedOf(await pool.run({ inspect }, [inspect.matrix.buffer]))
        : here.inspect(inspect);
      if (isClient) {
        observer?.scored(
          inspected.map((each) => "view" in each ? each.view.probabilities[0] ?? NaN : NaN),
        );
      }
      return inspected;
    },
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
      onStart: () => observer?.workerStarted(),
    });
    return pool === undefined ? 0 : service.workers;
  }
  const features = new Features(questionnaire);
  const withoutEvidence = banksWithoutEvidence(banks, evidenceOf);
  const scorer = new Scorer({
    features,
    models,
    banks: banks.banks.map(({ id }) => id),
    withoutEvidence,
  });
  const decider = new Decider({
    questionnaire,
    banks,
    policy,
    features,
    models,
    records: bundle.models.map(({ onnxSha256, band, loading }, index) => ({
      onnxSha256,
      ...band && { band },
      ...loading !== undefined && { loading },
      withoutEvidence: withoutEvidence.includes(banks.banks[index]?.id ?? ""),
    })),
    typical: bundle.typical,
  });
  return {
    handler: withChunks(batchWorks(scorer, decider), scoringHandler({ scorer, decider })),
    decider,
    scorer,
    startWorkers: () => starting ??= service.workers === 0 ? Promise.resolve(0) : startWorkers(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await starting;
    },
  };
}

/** What a row of a batch can get, by the batch's detail. */
function batchWorks(scorer: Scorer, decider: Decider): Readonly<Record<BatchDetail, Work>> {
  return {
    probabilities: {
      all: (applications) => scorer.score(applications),
      one: (application) => scorer.scoreApart(application),
    },
    decisions: {
      async all(applications) {
        const decisions: Decision[] = [];
        for (const application of applications) decisions.push(await decider.decide(application));
        return decisions;
      },
      one: (application) => decider.decide(application),
    },
  };
}

/** Throws `ModelError` where the version has no golden rows, or they come out otherwise. */
async function checkGolden(
  models: ModelSet,
  { bundle, folder }: { bundle: Bundle; folder: URL },
): Promise<void> {
  const { golden } = await readManifest(folder);
  if (golden === undefined) {
    throw new ModelError(
      `Cannot check the models in ${folder.pathname}: manifest.json must name golden rows`,
    );
  }
  goldenErrors(models, { files: bundle.models, bytes: await readChecked(golden, folder) });
}

/**
 * Names what a score depends on besides the answers: the version, the features, the banks and their models. An upload of the same answers under
 * another revision is scored again. The policy is not in it: a request of the v1 API that is sent again gets the decision that it got,
 * whatever has changed since, and the decision's receipt names the policy that it was made under.
 */
export async function readRevision({ banks, modelsFolder }: Config): Promise<string> {
  const { version, features, models } = await readManifest(modelsFolder);
  const parts = banks.banks.map(({ id, model }) => [id, models[model]?.onnx.sha256]);
  return await sha256Of(
    new TextEncoder().encode(JSON.stringify([version, features.sha256, parts])),
  );
}

interface PoolOptions {
  readonly size: number;
  readonly timeoutMs: number;
  readonly setup: WorkerSetup;
  readonly here: ModelSet;
  /** Ends the workers. */
  readonly signal: AbortSignal;
  /** Told of each worker, those in the place of lost ones too. */
  readonly onStart: () => void;
}

/** Workers that answered one row as this thread does; `undefined`, with the reason in the log, where they cannot be had. */
async function startPool(
  { size, timeoutMs, setup, here, signal, onStart }: PoolOptions,
): Promise<Pool | undefined> {
  try {
    const pool: Pool = await WorkerPool.start({
      size,
      spawn: () => {
        onStart();
        return spawnWorker(setup);
      },
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

function scoresOf(response: WorkerResponse): Float64Array {
  if (response instanceof Float64Array) return response;
  throw new Error("a worker looked at a client where it was to score");
}

function inspectedOf(response: WorkerResponse): readonly Inspected[] {
  if (!(response instanceof Float64Array)) return response;
  throw new Error("a worker scored where it was to look at a client");
}

async function askOneRow(pool: Pool, bundle: Bundle): Promise<Float64Array> {
  const matrix = emptyRow(bundle);
  try {
    return scoresOf(await pool.run({ matrix, rows: 1 }, [matrix.buffer]));
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
  const worker = new Worker(new URL("./wasm/worker.ts", import.meta.url), {
    type: "module",
    // It is sent all that it needs, and computes.
    deno: { permissions: "none" },
  });
  worker.postMessage(setup);
  return worker;
}
