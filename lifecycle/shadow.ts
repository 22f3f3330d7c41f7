/**
 * Scores beside the version that answers, after the answer: what was answered waits here for a moment, is scored by the other
 * version of the trial, and both are stored. Nothing waits for it. More than a limit is dropped, and counted.
 *
 * Known limit: what waits when the process ends is neither scored nor counted.
 */
import type { Clock } from "../clock.ts";
import type { Pair, TrialScores, TrialStore } from "./trials.ts";

/** An application that was answered. */
export interface Answered {
  readonly id: string;
  /** As it was stored. */
  readonly payload: string;
  readonly createdAtMs: number;
  /** The answer, as it is stored. */
  readonly result: string;
}

/** What the other version gave, beside what was answered. */
export type ScoredBeside = Pick<TrialScores, "servedBy" | "champion" | "challenger">;

export interface ShadowOptions {
  readonly store: Pick<TrialStore, "record">;
  /** The versions of the trial; `undefined` while there is none. */
  readonly pair: () => Pair | undefined;
  /** Scores with the versions of the pair, in order; `undefined` for what neither of them answered. Rejects where it cannot. */
  readonly score: (
    answered: readonly Answered[],
    pair: Pair,
  ) => Promise<readonly (ScoredBeside | undefined)[]>;
  readonly clock: Clock;
  /** How many may wait. */
  readonly limit: number;
  /** How many are scored together. */
  readonly batch: number;
  /** The pause before each batch: the answers go first. */
  readonly afterMs: number;
  readonly report: (error: unknown) => void;
}

export class Shadow implements AsyncDisposable {
  readonly #options: ShadowOptions;
  readonly #waiting: Answered[] = [];
  #dropped = 0;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  /** Takes what was answered; does nothing while there is no trial. */
  offer(answered: readonly Answered[]): void {
    const { pair, limit } = this.#options;
    if (this.#closed || answered.length === 0 || pair() === undefined) return;
    const taken = answered.slice(0, Math.max(0, limit - this.#waiting.length));
    this.#waiting.push(...taken);
    this.#dropped += answered.length - taken.length;
    this.#arm();
  }

  /** Scores all that waits, now. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#dropped > 0) await this.#run();
  }

  /** What waits is given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#closed) return;
    const { clock, afterMs } = this.#options;
    this.#cancel = clock.after(afterMs, () => {
      this.#cancel = undefined;
      void this.#run().then(() => {
        if (this.#waiting.length > 0) this.#arm();
      });
    });
  }

  /** One batch at a time; never rejects. */
  #run(): Promise<void> {
    return this.#running ??= this.#scoreBatch().finally(() => this.#running = undefined);
  }

  async #scoreBatch(): Promise<void> {
    const { pair: pairNow, batch, score, store, clock, report } = this.#options;
    const answered = this.#waiting.splice(0, batch);
    const dropped = this.#dropped;
    this.#dropped = 0;
    const pair = pairNow();
    if (pair === undefined) return;
    let failed = 0;
    let rows: TrialScores[] = [];
    try {
      const scored = await score(answered, pair);
      rows = answered.flatMap(({ id, createdAtMs }, at) => {
        const beside = scored[at];
        return beside === undefined ? [] : [{ id, atMs: createdAtMs, ...beside }];
      });
    } catch (error) {
      failed = answered.length;
      report(error);
    }
    await store.record(pair, { rows, dropped, failed, nowMs: clock.now() }).catch(report);
  }
}
