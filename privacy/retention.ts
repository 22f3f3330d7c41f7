/**
 * Removes applications that are older than the configuration lets them be: in the background, a few at a time, with pauses in which
 * the thread is others'. Every task is looked at in each round, for one that is sent again keeps its number and gets a new time; so
 * there is no index to keep, and an upload pays nothing. Any number of processes may do it on one database.
 *
 * Known limit: what ran out is gone within a round, an hour after it did where the database is small.
 */
import { Background, type Clock } from "../clock.ts";
import type { Erasure } from "./erasure.ts";

const DAY_MS = 24 * 3_600_000;
/** From the end of one round to the next. */
const ROUND_MS = 3_600_000;
/** Tasks that are looked at in a step: half a millisecond. */
const LOOK = 1000;
/** Tasks that are removed in a commit: while it runs, nobody else's is written. */
const REMOVE = 100;

export interface RetentionOptions {
  readonly erasure: Pick<Erasure, "old" | "expire" | "finish">;
  /** How long an application is kept after it came. */
  readonly days: number;
  readonly clock: Clock;
  /** Told where removing fails; it is tried again. */
  readonly report: (error: unknown) => void;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #background: Background;
  #after = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { clock, report } = options;
    this.#background = new Background({
      step: () => this.step(),
      idleMs: ROUND_MS,
      clock,
      report,
    });
  }

  /** Looks at some tasks and removes those that ran out; false where the round has ended. */
  async step(): Promise<boolean> {
    const { erasure, days, clock } = this.#options;
    const beforeMs = clock.now() - days * DAY_MS;
    const { ids, next } = await erasure.old({ after: this.#after, limit: LOOK, beforeMs });
    for (let from = 0; from < ids.length && !this.#background.isStopped; from += REMOVE) {
      await erasure.expire(ids.slice(from, from + REMOVE), beforeMs);
    }
    if (this.#background.isStopped) return false;
    // Also of a round that removed nothing: a process may have died between a removal and this.
    if (ids.length > 0 || next === undefined) await erasure.finish();
    this.#after = next ?? 0;
    return next !== undefined;
  }

  /** Takes steps until the round has ended, or time is up; the next one goes on from there. */
  async drain(budgetMs = Infinity): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.now() + budgetMs;
    while (await this.step() && clock.now() < untilMs);
  }

  start(): void {
    this.#background.start();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#background.stop();
  }
}
