/** A clock that moves only when told to; timers fire in the order of their times. */
import type { Clock } from "../../clock.ts";

export class FakeClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Sets the clock, as an operator may; what waits still waits for as long. */
  set(nowMs: number): void {
    const jumpMs = nowMs - this.#nowMs;
    for (const timer of this.#timers) timer.atMs += jumpMs;
    this.#nowMs = nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on, firing what falls due; work that a timer starts runs before the next one. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Turns of the microtask queue after which whatever runs on promises alone has come to rest. */
const TURNS = 200;

/** Lets everything that is ready to run, run. Nothing under this clock waits for the event loop itself. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}
