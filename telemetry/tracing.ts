/**
 * Traces of OpenTelemetry, where Deno exports them: the server's own span of a request gets its route's name, and the task that the
 * request stores goes on with the trace: enqueue, then, by whoever scores it, queue wait, score and store. A span has no id, no
 * answer and no error text in it. Loaded where traces are wanted alone, so that nobody else pays for it.
 *
 * Known limits: chunks of batches are not followed; a lease that is lost between score and store leaves its store span out.
 */
import {
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { ClaimedTask, Enqueued } from "../queue/store.ts";
import type { Handler, Outcome } from "../queue/dispatcher.ts";
import type { TraceStore } from "./trace_store.ts";

export interface TracingOptions {
  readonly traces: TraceStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told where a trace is lost; the work goes on. */
  readonly report: (error: unknown) => void;
}

/** Set where a task is done before it is stored: it waits in no queue. */
const EXPRESS = createContextKey("a task that is done at once");

/** Store spans that wait for their commit; one more ends the oldest unfinished. */
const MOST_OPEN = 10_000;

export class Tracing {
  readonly #options: TracingOptions;
  readonly #tracer = trace.getTracer("prescore");
  readonly #storing = new Map<string, Span>();

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /** Names the span of a request that is being answered. */
  seen({ method, route }: { readonly method: string; readonly route: string }): void {
    const span = trace.getActiveSpan();
    span?.updateName(`${method} ${route}`);
    span?.setAttribute("http.route", route);
  }

  /** Stores a task, and with it where its trace goes on. */
  async enqueue<T extends { readonly id: string }>(
    task: T,
    enqueue: (task: T) => Promise<Enqueued>,
  ): Promise<Enqueued> {
    const { traces, report } = this.#options;
    const span = this.#tracer.startSpan("enqueue", { kind: SpanKind.PRODUCER });
    const carrier: { traceparent?: string } = {};
    propagation.inject(trace.setSpan(context.active(), span), carrier);
    try {
      // Before the task, for it may be claimed in the commit that stores it.
      const kept = carrier.traceparent === undefined
        ? undefined
        : traces.keep(task.id, carrier.traceparent).catch(report);
      const state = await enqueue(task);
      await kept;
      span.setAttribute("prescore.state", state);
      if (state !== "queued") await traces.forget([task.id]).catch(report);
      return state;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  /** Does a task before it is stored, for one who waits. */
  async express<T extends { readonly id: string }>(
    task: T,
    run: () => Promise<boolean>,
  ): Promise<boolean> {
    try {
      return await context.with(context.active().setValue(EXPRESS, true), run);
    } finally {
      this.#end([task.id]);
    }
  }

  /** Does tasks as the handler does, within their traces. */
  handler(handler: Handler): Handler {
    return async (tasks) => {
      const parents = await this.#parents(tasks);
      const spans = tasks.map((task) => this.#score(task, parents.get(task.id)));
      let outcomes: readonly Outcome[] = [];
      try {
        return outcomes = await handler(tasks);
      } finally {
        for (const [at, { id }] of tasks.entries()) {
          const outcome = outcomes[at];
          const isScored = outcome !== undefined && "result" in outcome;
          if (!isScored) spans[at]?.setStatus({ code: SpanStatusCode.ERROR });
          spans[at]?.end();
          const parent = parents.get(id);
          if (isScored && parent) this.#store(id, parent);
        }
      }
    };
  }

  /** Says that these tasks have ended, on disk. */
  ended(ids: readonly string[]): void {
    const traced = this.#end(ids);
    if (traced.length > 0) this.#options.traces.forget(traced).catch(this.#options.report);
  }

  async #parents(tasks: readonly ClaimedTask[]): Promise<ReadonlyMap<string, Context>> {
    const active = context.active();
    if (active.getValue(EXPRESS) === true) return new Map(tasks.map(({ id }) => [id, active]));
    try {
      const kept = await this.#options.traces.of(tasks.map(({ id }) => id));
      return new Map(
        [...kept].map((
          [id, traceparent],
        ) => [id, propagation.extract(ROOT_CONTEXT, { traceparent })]),
      );
    } catch (error) {
      this.#options.report(error);
      return new Map();
    }
  }

  #score({ attempt, createdAtMs }: ClaimedTask, parent: Context | undefined): Span | undefined {
    if (parent === undefined) return undefined;
    const attributes = { "prescore.attempt": attempt };
    if (parent.getValue(EXPRESS) !== true) {
      const waited = { kind: SpanKind.CONSUMER, startTime: createdAtMs, attributes };
      this.#tracer.startSpan("queue wait", waited, parent).end(this.#options.now());
    }
    return this.#tracer.startSpan("score", { attributes }, parent);
  }

  #store(id: string, parent: Context): void {
    for (const [oldest, span] of this.#storing) {
      if (this.#storing.size < MOST_OPEN) break;
      this.#storing.delete(oldest);
      span.setStatus({ code: SpanStatusCode.ERROR }).end();
    }
    this.#storing.set(id, this.#tracer.startSpan("store", {}, parent));
  }

  /** Ends the store spans of these tasks; the ids of those that had one. */
  #end(ids: readonly string[]): string[] {
    return ids.filter((id) => {
      this.#storing.get(id)?.end();
      return this.#storing.delete(id);
    });
  }
}
