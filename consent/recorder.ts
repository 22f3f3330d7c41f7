/** Puts on record what people agreed to with their uploads, in the background, behind the uploads' backs. */
import type { Clock } from "../clock.ts";
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
  #stopped = false;
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Records until there is nothing to record, or time is up. */
  async drain(budgetMs = Infinity): Promise<void> {
    const { consents, clock } = this.#options;
    const untilMs = clock.now() + budgetMs;
    while (!this.#stopped && await consents.record() && clock.now() < untilMs);
  }

  start(): void {
    this.#cancel = this.#options.clock.after(EVERY_MS, () => {
      this.#running = this.drain().catch(this.#options.report).then(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }
}
