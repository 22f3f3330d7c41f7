/** Time as the program sees it; tests put their own in its place. */
export interface Clock {
  /** Milliseconds since the epoch, a whole number. */
  now(): number;
  /** Calls back once after `ms`, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export interface BackgroundOptions {
  /** Does a little; false where there was nothing to do. */
  readonly step: () => Promise<boolean>;
  /** To the next step where there was nothing to do, or it failed. */
  readonly idleMs: number;
  /** To the first step; absent: at once. */
  readonly firstMs?: number;
  readonly clock: Clock;
  /** Told of every step that fails; it is tried again. */
  readonly report: (error: unknown) => void;
}

/** It works for a tenth of the time at most. */
const PAUSE = 9;

/** Work in the background, a step at a time, with pauses in which the thread is others'. */
export class Background {
  readonly #options: BackgroundOptions;
  #stopped = false;
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** Whether it was told to stop: a long step looks, and ends. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  start(): void {
    this.#runAfter(this.#options.firstMs ?? 0);
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #runAfter(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { step, idleMs, clock, report } = this.#options;
    const startedAtMs = clock.now();
    const worked = await step().catch(report);
    if (this.#stopped) return;
    this.#runAfter(worked === true ? Math.max(1, PAUSE * (clock.now() - startedAtMs)) : idleMs);
  }
}
