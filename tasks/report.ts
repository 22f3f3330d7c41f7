/** Says what goes wrong while the service runs, one line a second for each kind: a full disk must not fill the log as well. */

const QUIET_MS = 1000;

export class Reporter {
  readonly #now: () => number;
  readonly #write: (line: string) => void;
  /** By message: when it was said last, and how often it was left out since. */
  readonly #said = new Map<string, { atMs: number; left: number }>();

  constructor({ now, write }: { now: () => number; write: (line: string) => void }) {
    this.#now = now;
    this.#write = write;
  }

  report(what: string, error: unknown): void {
    const message = `${what}: ${
      error instanceof Error ? `${error.name}: ${error.message}` : error
    }`;
    const nowMs = this.#now();
    const said = this.#said.get(message);
    if (said && Math.abs(nowMs - said.atMs) < QUIET_MS) {
      said.left++;
      return;
    }
    if (this.#said.size >= 1000) this.#said.clear();
    this.#said.set(message, { atMs: nowMs, left: 0 });
    this.#write(said?.left ? `${message} (and ${said.left} times more before)` : message);
  }
}
