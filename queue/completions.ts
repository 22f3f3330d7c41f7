/**
 * Waiting for tasks to end. Whoever ends a task in this process says so at once; what another process ended is found by looking,
 * in one statement for all that are waited for, and only while somebody waits.
 */
import type { Clock } from "../clock.ts";
import type { TaskStore } from "./store.ts";

/** `ended`: the task is done or dead. `timeout`: it was not, in time. `closed`: the service stops, or nobody waits any more. */
export type Waited = "ended" | "timeout" | "closed";

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Ends the wait where the client has gone. */
  readonly signal?: AbortSignal;
}

export interface CompletionsOptions {
  readonly store: Pick<TaskStore, "ended">;
  readonly clock: Clock;
  readonly pollEveryMs: number;
  /** Told where looking fails; it is tried again. */
  readonly report: (error: unknown) => void;
}

type Finish = (waited: Waited) => void;

export class Completions {
  readonly #options: CompletionsOptions;
  readonly #waiting = new Map<string, Set<Finish>>();
  #cancelPoll: (() => void) | undefined;
  #looking = false;
  #closed = false;

  constructor(options: CompletionsOptions) {
    this.#options = options;
  }

  /** Resolves when the task has ended from now on, or when it is no longer waited for. Look whether it had ended before, after this call. */
  wait(id: string, { timeoutMs, signal }: WaitOptions): Promise<Waited> {
    if (this.#closed || signal?.aborted) return Promise.resolve("closed");
    return new Promise((resolve) => {
      const abort = () => finish("closed");
      const cancel = this.#options.clock.after(timeoutMs, () => finish("timeout"));
      const finish: Finish = (waited) => {
        cancel();
        signal?.removeEventListener("abort", abort);
        const others = this.#waiting.get(id);
        others?.delete(finish);
        if (others?.size === 0) this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#stopPolling();
        resolve(waited);
      };
      signal?.addEventListener("abort", abort);
      this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(finish));
      this.#pollLater();
    });
  }

  /** Says that these tasks have ended. */
  tell(ids: readonly string[]): void {
    for (const id of ids) this.#finish(id, "ended");
  }

  /** Ends every wait, now and later. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) this.#finish(id, "closed");
  }

  #finish(id: string, waited: Waited): void {
    for (const finish of [...this.#waiting.get(id) ?? []]) finish(waited);
  }

  #pollLater(): void {
    this.#cancelPoll ??= this.#options.clock.after(
      this.#options.pollEveryMs,
      () => void this.#poll(),
    );
  }

  /** Until it has looked it stays the one poll. */
  async #poll(): Promise<void> {
    const { store, report } = this.#options;
    this.#looking = true;
    try {
      this.tell(await store.ended([...this.#waiting.keys()]));
    } catch (error) {
      report(error);
    }
    this.#looking = false;
    this.#cancelPoll = undefined;
    if (this.#waiting.size > 0) this.#pollLater();
  }

  #stopPolling(): void {
    if (this.#looking) return;
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }
}
