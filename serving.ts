/**
 * The models as both roots serve them: the versions that lie in the folder of models, which of them answers, and the change from one
 * to another while the service runs.
 */
import { OutcomeStore } from "./analytics/mod.ts";
import { type Config, ConfigError } from "./configs/mod.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  compareVersions,
  Lifecycle,
  LifecycleError,
  LiveModels,
  type LoadedVersion,
  type ModelLifecycle,
  ModelRegistry,
  type RegistryOptions,
  type Serving,
  Shadow,
  TrialStore,
} from "./lifecycle/mod.ts";
import type { Handler } from "./queue/dispatcher.ts";
import { isApplication } from "./scoring/chunk.ts";
import { scoreBeside } from "./beside.ts";
import type { Stores } from "./stores.ts";
import { configuredVersion, versionFolder, versionUrl } from "./versions.ts";
import {
  readRevision,
  type Scoring,
  type ScoringObserver,
  type ScoringOptions,
  startScoring,
} from "./workers.ts";

/** What is scored beside the answers: at most 2,500 applications a second, in batches that hold a worker for a millisecond. */
const SHADOW = { limit: 2000, batch: 128, afterMs: 50 } as const;

/** A version that this process has loaded. */
export interface ServedVersion extends LoadedVersion {
  /** Scoring by it; a process that only takes applications loads the models when they are first asked for. */
  scoring(): Promise<Scoring>;
}

export interface ModelServing extends AsyncDisposable {
  readonly live: LiveModels<ServedVersion>;
  readonly lifecycle: ModelLifecycle;
  /** Does tasks by the version that answers each. */
  readonly handler: Handler;
  /** Looks now and then whether another process has changed what is served, until the signal is aborted. */
  followEvery(ms: number, signal: AbortSignal): void;
  /** Looks, where `models.followEveryMs` have passed since it looked last; for platforms on which nothing is started. */
  followIfDue(): Promise<void>;
  /** Scores what waits to be scored beside what was answered; where nothing is started, nobody else does. */
  scoreBeside(): Promise<void>;
}

export interface ServingOptions {
  readonly config: Config;
  readonly stores: Pick<Stores, "database" | "audit">;
  /** The configured version, which is loaded while the database opens. */
  readonly first: Promise<ServedVersion>;
  readonly clock: Clock;
  readonly observer?: ScoringObserver;
  readonly report: (error: unknown) => void;
}

/** Throws `ConfigError` or `ModelError` where the active version cannot be served. */
export async function startServing(
  { config, stores, first, clock, observer, report }: ServingOptions,
): Promise<ModelServing> {
  const observed = observer ? { observer } : {};
  const { registry, lifecycle } = makeLifecycle({
    ...{ config, stores, clock },
    check: (version) => live.prepare(version),
    committed: () => live.follow().catch(report),
  });
  async function load(version: string): Promise<ServedVersion> {
    await registry.requireUnchanged(version);
    const loaded = await loadVersion(config, version, { golden: true, ...observed });
    if (config.service.role !== "api") await (await loaded.scoring()).startWorkers();
    return loaded;
  }
  let followedAtMs = clock.now();
  const serving = await registry.serving();
  const champion = await firstChampion(serving, { config, first, registry, ...observed });
  const live: LiveModels<ServedVersion> = new LiveModels({
    serving,
    champion,
    load,
    read: () => registry.serving(),
    splits: isApplication,
    now: () => clock.now(),
    report,
  });
  const banks = config.banks.banks.map(({ id }) => id);
  const shadow = new Shadow({
    ...SHADOW,
    store: new TrialStore(stores.database),
    pair: () =>
      live.challenger && {
        ...{ champion: live.champion.version, challenger: live.challenger.version, banks },
      },
    score: (answered, pair) => scoreBeside(answered, { pair, live }),
    ...{ clock, report },
  });
  return {
    live,
    lifecycle,
    async handler(tasks) {
      const outcomes = await live.useEach(tasks, { idOf: ({ id }) => id, work: runTasks });
      shadow.offer(tasks.flatMap((task, at) => {
        const outcome = outcomes[at];
        return outcome && "result" in outcome && isApplication(task.id)
          ? [{ ...task, result: outcome.result }]
          : [];
      }));
      return outcomes;
    },
    scoreBeside: () => shadow.flush(),
    followIfDue: async () => {
      if (clock.now() - followedAtMs < config.service.models.followEveryMs) return;
      followedAtMs = clock.now();
      await live.follow().catch(report);
    },
    followEvery: (ms, signal) => followEvery(ms, { live, clock, report, signal }),
    async [Symbol.asyncDispose]() {
      await shadow[Symbol.asyncDispose]();
      await live[Symbol.asyncDispose]();
    },
  };
}

/** The version that answers, by the database. */
export async function activeVersion(
  config: Config,
  { database, audit }: Pick<Stores, "database" | "audit">,
): Promise<string> {
  const { active } = await makeLifecycle({
    ...{ config, stores: { database, audit }, clock: systemClock },
    ...{ check: () => Promise.resolve(() => {}), committed: () => Promise.resolve() },
  }).registry.serving();
  return active;
}

/** Scoring by the active version, in this thread alone. Throws where it cannot be served. */
export async function startActive(
  { service, ...config }: Config,
  stores: Pick<Stores, "database" | "audit">,
): Promise<Scoring> {
  const alone = { ...config, service: { ...service, workers: 0 } };
  return await (await loadVersion(alone, await activeVersion(alone, stores))).scoring();
}

/** The models' life for a process that serves none of them: what is to be served is loaded here once, and let go. */
export function lifecycleWithout(
  options: Pick<ServingOptions, "config" | "stores" | "clock">,
): ModelLifecycle {
  const { config: { service, ...config } } = options;
  return makeLifecycle({
    ...options,
    check: async (version) => {
      const alone = { ...config, service: { ...service, workers: 0 } };
      const loaded = await loadVersion(alone, version, { golden: true });
      await loaded[Symbol.asyncDispose]();
      return () => {};
    },
    committed: () => Promise.resolve(),
  }).lifecycle;
}

function makeLifecycle(
  { config, stores: { database, audit }, clock, ...hooks }:
    & Pick<ServingOptions, "config" | "stores" | "clock">
    & Pick<RegistryOptions, "check" | "committed">,
): { readonly registry: ModelRegistry; readonly lifecycle: ModelLifecycle } {
  const folder = versionFolder(config);
  const outcomes = new OutcomeStore(database);
  const registry = new ModelRegistry({
    ...{ database, audit, folder },
    configured: configuredVersion(config),
    now: () => clock.now(),
    newSalt: () => crypto.randomUUID(),
    ...hooks,
  });
  const lifecycle = new Lifecycle({
    ...{ registry, folder, audit },
    async compare() {
      const { active, challenger } = await registry.serving();
      return await compareVersions(
        {
          trials: new TrialStore(database),
          decisionsOf: (ids) => outcomes.decisionsOf(ids),
          target: config.policy.target,
        },
        challenger && { champion: active, challenger: challenger.version },
      );
    },
  });
  return { registry, lifecycle };
}

/** The version that was active when the process ended; the configured one where none was ever activated. */
async function firstChampion(
  { active, serial }: Serving,
  { config, first, registry, ...observed }:
    & Pick<ServingOptions, "config" | "first" | "observer">
    & {
      registry: ModelRegistry;
    },
): Promise<ServedVersion> {
  try {
    if (serial > 0) await registry.requireUnchanged(active);
    if (active === configuredVersion(config)) return await first;
    first.then((unused) => unused[Symbol.asyncDispose]()).catch(() => {});
    return await loadVersion(config, active, observed);
  } catch (error) {
    if (error instanceof LifecycleError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/** Reads a version, and unless this process only takes applications, its models. */
export async function loadVersion(
  config: Config,
  version: string,
  options: ScoringOptions = {},
): Promise<ServedVersion> {
  const own = { ...config, modelsFolder: versionUrl(version, config) };
  const revision = await readRevision(own);
  let loading: Promise<Scoring> | undefined;
  // Who only takes applications scores what is asked at once, in its one thread.
  const service = config.service.role === "api"
    ? { ...config.service, workers: 0 }
    : config.service;
  const scoring = () => loading ??= startScoring({ ...own, service }, options);
  if (config.service.role !== "api" || options.golden) await scoring();
  return {
    version,
    revision,
    scoring,
    [Symbol.asyncDispose]: async () => await (await loading)?.[Symbol.asyncDispose](),
  };
}

/** What fails with one version fails for its tasks alone. */
async function runTasks(
  version: ServedVersion,
  tasks: Parameters<Handler>[0],
): Promise<Awaited<ReturnType<Handler>>> {
  try {
    const { handler } = await version.scoring();
    const { revision } = version;
    return (await handler(tasks)).map((outcome) =>
      "result" in outcome ? { ...outcome, revision } : outcome
    );
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return tasks.map(() => ({ error: cause }));
  }
}

function followEvery(
  ms: number,
  { live, clock, report, signal }: {
    live: LiveModels<ServedVersion>;
    clock: Clock;
    report: (error: unknown) => void;
    signal: AbortSignal;
  },
): void {
  async function look(): Promise<void> {
    await live.follow().catch(report);
    if (!signal.aborted) cancel = clock.after(ms, look);
  }
  let cancel = clock.after(ms, look);
  signal.addEventListener("abort", () => cancel(), { once: true });
}
