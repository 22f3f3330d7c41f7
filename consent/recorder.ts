/** Puts on record what people agreed to with their uploads, in the background, behind the uploads' backs. */
import { Background, type Clock } from "../clock.ts";
import type { ConsentStore } from "./store.ts";

/** After which an agreement is on record, where nothing fails. */
const EVERY_MS = 1000;

export interface RecorderOptions {
  readonly consents: Pick<ConsentStore, "record">;
  readonly clock: Clock;
  /** Told where recording fails; it is tried again. */
  readonly report: (error: unknown) => void;
}

export class ConsentRecorder {
  readonly #options: RecorderOptions;
  readonly #background: Background;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { clock, report } = options;
    this.#background = new Background({
      step: async () => {
        await this.drain();
        return false;
      },
      ...{ firstMs: EVERY_MS, idleMs: EVERY_MS, clock, report },
    });
  }

  /** Records until there is nothing to record, or time is up. */
  async drain(budgetMs = Infinity): Promise<void> {
    const { consents, clock } = this.#options;
    const untilMs = clock.now() + budgetMs;
    while (!this.#background.isStopped && await consents.record() && clock.now() < untilMs);
  }

  start(): void {
    this.#background.start();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#background.stop();
  }
}
