/** What both roots share: what the service says of itself, put together from its parts. */
import type { Clock } from "./clock.ts";
import type { Config } from "./configs/mod.ts";
import { RequestLog, ServiceMetrics } from "./telemetry/mod.ts";
import type { TelemetryOptions } from "./routes/observed.ts";
import type { Database } from "./database/database.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import type { ModelServing } from "./serving.ts";
import type { ScoringObserver } from "./workers.ts";

/** Changes nothing, and fails where the database cannot be written. */
const TOUCH = "UPDATE tasks SET attempt = attempt WHERE id = ''";

export interface Watch {
  readonly metrics: ServiceMetrics;
  readonly observer: ScoringObserver;
  /** What routes tell, and are asked; once. */
  telemetry(parts: WatchedParts): TelemetryOptions;
  /** Writes what waits to be logged. */
  close(): void;
}

export interface WatchedParts {
  readonly database: Database;
  readonly live: ModelServing["live"];
  readonly tracing?: Tracing | undefined;
}

export interface WatchOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly write: (text: string) => void;
}

export function startWatch(
  { config: { banks: { banks }, service }, clock, write }: WatchOptions,
): Watch {
  const metrics = new ServiceMetrics(clock.now());
  const log = service.log.requests ? new RequestLog({ clock, write }) : undefined;
  const labels = banks.map(({ id }) => [id]);
  return {
    metrics,
    observer: {
      workerStarted: () => metrics.workerStarts.add(),
      scored(probabilities) {
        for (let at = 0; at < probabilities.length; at++) {
          const probability = probabilities[at] ?? NaN;
          const label = labels[at % labels.length];
          if (label && !Number.isNaN(probability)) metrics.scores.observe(probability, label);
        }
      },
    },
    telemetry({ live, database, tracing }) {
      metrics.watchQueue(database, clock.now);
      return {
        after: clock.after,
        metrics: () => metrics.registry.text(),
        seen(request) {
          const { method, route, status, milliseconds } = request;
          metrics.requests.observe(milliseconds / 1000, [method, route, String(status)]);
          log?.add(request);
          tracing?.seen(request);
        },
        parts: {
          database: () => database.write([TOUCH], { durable: false }),
          ...service.role !== "api" && {
            scoring: () =>
              live.useChampion(async (version) => {
                const { scorer } = await version.scoring();
                return await scorer.score([{ answers: {}, atMs: clock.now() }]);
              }),
          },
        },
      };
    },
    close: () => log?.flush(),
  };
}

/** Traces through the queue, where Deno was told to export them; `undefined` elsewhere. */
export async function startTracing(
  database: Database,
  options: { readonly clock: Clock; readonly report: (error: unknown) => void },
): Promise<Tracing | undefined> {
  if (!["1", "true"].includes(Deno.env.get("OTEL_DENO") ?? "")) return undefined;
  const [{ Tracing }, { TraceStore }] = await Promise.all([
    import("./telemetry/tracing.ts"),
    import("./telemetry/trace_store.ts"),
  ]);
  const { clock: { now }, report } = options;
  return new Tracing({ traces: new TraceStore(database), now, report });
}
