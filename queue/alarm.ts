/** A sleep that can be cut short, for loops that look for work again when it is due or when they are told that there is some. */
import type { Clock } from "../clock.ts";

export class Alarm {
  readonly #clock: Pick<Clock, "after">;
  #rung = false;
  #wake: () => void = () => {};

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  /** Forgets what rang before: call it before looking for work, so that what rings meanwhile is not slept over. */
  reset(): void {
    this.#rung = false;
  }

  /** Ends the sleep, or, where nobody sleeps, the next one before it begins. */
  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  async sleep(ms: number): Promise<void> {
    if (this.#rung) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
