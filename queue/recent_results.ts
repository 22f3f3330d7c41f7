/**
 * Results that were read a moment ago, for clients that ask again. A result never changes while its task is done, so within a process
 * nothing old is given: what takes a task back is watched, or says so (`evict`). What another process takes back (a purge, an erasure, an upload
 * under other models) is noticed within `freshMs`; a row that is gone may be answered for that long.
 *
 * Only short results are kept, as those of the reference's contract are.
 */
import type { Clock } from "../clock.ts";
import type { Enqueued, Task, TaskStore } from "./store.ts";

const MOST_KEPT = 10_000;
/** Characters of JSON: 20 MB at most are kept. */
const LONGEST_RESULT = 2000;

export interface RecentResultsOptions {
  readonly store: Pick<TaskStore, "find">;
  readonly clock: Pick<Clock, "now">;
  readonly freshMs: number;
}

interface Kept {
  readonly task: Task;
  readonly untilMs: number;
}

export class RecentResults {
  readonly #options: RecentResultsOptions;
  /** In the order in which they were read, which is that in which their time runs out. */
  readonly #kept = new Map<string, Kept>();
  /** Counts what was taken back: a read that was under way then is not kept. */
  #evictions = 0;

  constructor(options: RecentResultsOptions) {
    this.#options = options;
  }

  /** As the store finds it; one that is done may have been read up to `freshMs` ago. */
  async find(id: string): Promise<Task | undefined> {
    const recent = this.peek(id);
    if (recent !== undefined) return recent;
    const { store, clock, freshMs } = this.#options;
    const untilMs = clock.now() + freshMs;
    const evictions = this.#evictions;
    const task = await store.find(id);
    if (task !== undefined && evictions === this.#evictions) this.#keep({ task, untilMs });
    return task;
  }

  /** A task that is done, where it was read in the last `freshMs`; the same object each time. */
  peek(id: string): Task | undefined {
    const kept = this.#kept.get(id);
    return kept !== undefined && this.#options.clock.now() < kept.untilMs ? kept.task : undefined;
  }

  /** The upload of a task; one that is queued again, as under other models, has no result any more. */
  watch<T extends { readonly id: string }>(
    enqueue: (task: T) => Promise<Enqueued>,
  ): (task: T) => Promise<Enqueued> {
    return async (task) => {
      const state = await enqueue(task);
      if (state !== "done") this.evict(task.id);
      return state;
    };
  }

  /** Whoever changes or removes a task that may be done says so here, after it. */
  evict(id: string): void {
    this.#evictions++;
    this.#kept.delete(id);
  }

  clear(): void {
    this.#evictions++;
    this.#kept.clear();
  }

  #keep(read: Kept): void {
    const { id, state, result } = read.task;
    if (state !== "done" || result === null || result.length > LONGEST_RESULT) return;
    this.#kept.delete(id);
    this.#kept.set(id, read);
    const nowMs = this.#options.clock.now();
    for (const [oldest, { untilMs }] of this.#kept) {
      if (nowMs < untilMs && this.#kept.size <= MOST_KEPT) return;
      this.#kept.delete(oldest);
    }
  }
}
