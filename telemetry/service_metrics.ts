/** What the service measures of itself. */
import type { Database } from "../database/database.ts";
import type { Settlement, TaskStore } from "../queue/store.ts";
import { type Counter, type Histogram, Registry } from "./metrics.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** How many tasks wait and how long the oldest has; only what waits is looked at, by the indexes of what is queued and leased. */
const QUEUE = `
  SELECT 'queued' AS state, count(*) AS tasks, min(created_at_ms) AS oldest FROM tasks
  WHERE state = 'queued' AND attempt = 0
  UNION ALL
  SELECT 'retrying', count(*), min(created_at_ms) FROM tasks WHERE state = 'queued' AND attempt > 0
  UNION ALL
  SELECT 'leased', count(*), min(created_at_ms) FROM tasks WHERE state = 'leased'`;

export class ServiceMetrics {
  readonly registry = new Registry();
  /** By method, route and status. */
  readonly requests: Histogram;
  readonly failures: Counter;
  readonly scores: Histogram;
  readonly workerStarts: Counter;
  readonly #commits: Histogram;
  readonly #attempts: Counter;
  readonly #rescued: Counter;

  /** `startedAtMs` since the epoch. */
  constructor(startedAtMs: number) {
    const { registry } = this;
    this.requests = registry.histogram({
      name: "prescore_http_request_duration_seconds",
      help: "How long requests took, by route",
      labels: ["method", "route", "status"],
      buckets: SECONDS,
    });
    this.failures = registry.counter({
      name: "prescore_failures_total",
      help: "Failures of the service's own parts",
      labels: ["part"],
    });
    this.scores = registry.histogram({
      name: "prescore_score",
      help: "Approval probabilities that were given, by bank",
      labels: ["bank"],
      buckets: TENTHS,
    });
    this.workerStarts = registry.counter({
      name: "prescore_worker_starts_total",
      help: "Scoring workers started: more than there are means that some were replaced",
    });
    this.#commits = registry.histogram({
      name: "prescore_store_seconds",
      help: "How long the queue's steps took until they were on disk",
      labels: ["step"],
      buckets: SECONDS,
    });
    this.#attempts = registry.counter({
      name: "prescore_attempts_total",
      help:
        "Attempts at tasks by how they ended: stored, failed, buried, lost (the lease had ended)",
      labels: ["outcome"],
    });
    this.#rescued = registry.counter({
      name: "prescore_rescued_total",
      help: "Tasks taken back because their lease had ended",
    });
    registry.gauge({
      name: "process_resident_memory_bytes",
      help: "Memory that the process holds",
      read: () => [[[], Deno.memoryUsage().rss]],
    });
    registry.gauge({
      name: "process_start_time_seconds",
      help: "When the process started, in seconds since the epoch",
      read: () => [[[], startedAtMs / 1000]],
    });
  }

  /** Adds what is read from the database whenever the metrics are asked for. */
  watchQueue(database: Pick<Database, "read">, now: () => number): void {
    const { registry } = this;
    const queue = async () => {
      const { rows } = await database.read(QUEUE);
      return rows.map(({ state, tasks, oldest }) => ({
        state: String(state),
        tasks: Number(tasks),
        ageS: oldest === null ? 0 : Math.max(0, now() - Number(oldest)) / 1000,
      }));
    };
    registry.gauge({
      name: "prescore_queue_tasks",
      help: "Tasks that are not done, by state",
      labels: ["state"],
      read: async () => (await queue()).map(({ state, tasks }) => [[state], tasks] as const),
    });
    registry.gauge({
      name: "prescore_queue_oldest_seconds",
      help: "Age of the oldest task that is not done, by state; 0 where there is none",
      labels: ["state"],
      read: async () => (await queue()).map(({ state, ageS }) => [[state], ageS] as const),
    });
  }

  /** The same store, with its steps timed and counted. */
  measured<S extends TaskStore>(store: S): S {
    const timed = async <T>(step: string, act: () => Promise<T>): Promise<T> => {
      const start = performance.now();
      try {
        return await act();
      } catch (error) {
        this.failures.add(1, ["store"]);
        throw error;
      } finally {
        this.#commits.observe((performance.now() - start) / 1000, [step]);
      }
    };
    const steps: Partial<TaskStore> = {
      enqueue: (tasks, nowMs) => timed("enqueue", () => store.enqueue(tasks, nowMs)),
      settle: async (settlement) => {
        const settled = await timed("settle", () => store.settle(settlement));
        this.#countAttempts(settlement, settled);
        return settled;
      },
      rescue: async (options) => {
        const rescued = await store.rescue(options);
        this.#rescued.add(rescued);
        return rescued;
      },
    };
    return new Proxy(store, {
      get(target, key) {
        const step = Reflect.get(steps, key);
        if (step !== undefined) return step;
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #countAttempts(
    { completed = [], failed = [] }: Settlement,
    { stored, buried }: { readonly stored: readonly string[]; readonly buried: readonly string[] },
  ): void {
    if (stored.length > 0) this.#attempts.add(stored.length, ["stored"]);
    const lost = completed.length - stored.length;
    if (lost > 0) this.#attempts.add(lost, ["lost"]);
    if (buried.length > 0) this.#attempts.add(buried.length, ["buried"]);
    const again = failed.length - buried.length;
    if (again > 0) this.#attempts.add(again, ["failed"]);
  }
}
