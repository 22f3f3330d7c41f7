/**
 * For those who wait, while little else is at work: a task is done first and stored with its result in one commit, where the queue
 * takes two and a claim. Nothing was acknowledged before that commit, so what is lost on the way is asked for again by the client.
 * Whoever finds all lanes taken, or whose task fails or takes too long, goes the way of the queue, with its retries.
 */
import type { Clock } from "../clock.ts";
import type { Handler } from "./dispatcher.ts";
import type { NewTask, TaskStore } from "./store.ts";

export interface ExpressOptions {
  readonly store: Pick<TaskStore, "enqueueDone">;
  readonly handler: Handler;
  /** How many may be done at the same time. */
  readonly lanes: number;
  readonly clock: Clock;
}

export class Express {
  readonly #options: ExpressOptions;
  #atWork = 0;

  constructor(options: ExpressOptions) {
    this.#options = options;
  }

  /** Whether the task is stored with its result; where not, it was not done here, or its id is another's. */
  async run(task: NewTask, timeoutMs: number): Promise<boolean> {
    const { store, handler, lanes, clock } = this.#options;
    if (this.#atWork >= lanes) return false;
    this.#atWork++;
    const createdAtMs = clock.now();
    const work = handler([{ ...task, attempt: 1, fence: 1, createdAtMs }])
      .finally(() => this.#atWork--);
    let cancel = () => {};
    const late = new Promise<[]>((resolve) => cancel = clock.after(timeoutMs, () => resolve([])));
    try {
      const [outcome] = await Promise.race([work.catch(() => []), late]);
      if (outcome === undefined || !("result" in outcome)) return false;
      return await store.enqueueDone({ ...task, ...outcome, createdAtMs }, clock.now());
    } finally {
      cancel();
    }
  }
}
