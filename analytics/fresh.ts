/** Answers that are kept for a while, by key: who asks meanwhile gets the same; one that failed is asked for again. */
export class Fresh<Answer> {
  readonly #freshMs: number;
  readonly #most: number;
  readonly #kept = new Map<string, { readonly atMs: number; readonly answer: Promise<Answer> }>();

  /** At most `most` keys are kept; one more, and all are asked for again. */
  constructor({ freshMs, most }: { readonly freshMs: number; readonly most: number }) {
    this.#freshMs = freshMs;
    this.#most = most;
  }

  async get(key: string, nowMs: number, ask: () => Promise<Answer>): Promise<Answer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs - kept.atMs < this.#freshMs) return await kept.answer;
    if (this.#kept.size >= this.#most) this.#kept.clear();
    const answer = ask();
    this.#kept.set(key, { atMs: nowMs, answer });
    answer.catch(() => this.#kept.delete(key));
    return await answer;
  }
}
