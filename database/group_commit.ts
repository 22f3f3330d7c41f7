/**
 * Shares one commit among callers that come together: what arrives while the event loop turns once, or while an earlier commit
 * runs, goes into the next. A lone caller waits for nothing; under load the groups grow by themselves.
 */
import { setImmediate } from "node:timers";
import { QueueFullError } from "./errors.ts";

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions<Item, Answer> {
  /** Commits all items or none; the answers stand in the order of the items. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Largest group. */
  readonly limit: number;
  /** How many may wait for a commit; more are refused at once. */
  readonly waitingLimit: number;
}

export class GroupCommit<Item, Answer> {
  readonly #options: GroupCommitOptions<Item, Answer>;
  readonly #waiting: Waiting<Item, Answer>[] = [];
  #running = false;

  constructor(options: GroupCommitOptions<Item, Answer>) {
    this.#options = options;
  }

  /** Resolves when the group of this item is committed; rejects as the commit does, or with `QueueFullError`. */
  add(item: Item): Promise<Answer> {
    const { waitingLimit } = this.#options;
    if (this.#waiting.length >= waitingLimit) {
      return Promise.reject(new QueueFullError(`${waitingLimit} wait for a commit already`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commit(this.#waiting.splice(0, this.#options.limit));
      // Requests that came during the commit are read before the next group is closed.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }

  async #commit(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.commit(group.map(({ item }) => item));
      if (answers.length !== group.length) {
        throw new Error(`a commit of ${group.length} items gave ${answers.length} answers`);
      }
      for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
