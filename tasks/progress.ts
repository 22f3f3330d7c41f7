/** A progress bar on standard error: redrawn in a terminal, a line every tenth elsewhere. */

const WIDTH = 30;
const REDRAW_MS = 100;

export class Progress {
  readonly #total: number;
  readonly #unit: string;
  readonly #startedMs = performance.now();
  readonly #terminal = Deno.stderr.isTerminal();
  #done = 0;
  #shownMs = 0;

  constructor(total: number, unit: string) {
    this.#total = total;
    this.#unit = unit;
  }

  step(): void {
    this.#done++;
    const nowMs = performance.now();
    const due = this.#terminal
      ? nowMs - this.#shownMs >= REDRAW_MS
      : this.#done % Math.ceil(this.#total / 10) === 0;
    if (due) this.#show(nowMs);
  }

  end(): void {
    if (!this.#terminal) return;
    this.#show(performance.now());
    this.#write("\n");
  }

  #show(nowMs: number): void {
    this.#shownMs = nowMs;
    const share = this.#total === 0 ? 1 : this.#done / this.#total;
    const perSecond = Math.round(this.#done / Math.max(0.001, (nowMs - this.#startedMs) / 1000));
    const filled = Math.round(share * WIDTH);
    const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
    const line = `[${bar}] ${this.#done}/${this.#total} ${this.#unit}, ${perSecond} per second`;
    this.#write(this.#terminal ? `\r${line}\x1b[K` : `${line}\n`);
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
