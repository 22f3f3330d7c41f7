/**
 * What the simulation saw from outside the queue, and what must be true of it. Every law that is broken is written down as a
 * sentence; a run without sentences kept them all.
 */
import type { ClaimedTask, Settled, Settlement, Task } from "../../../queue/store.ts";

export interface Laws {
  readonly maxAttempts: number;
  /** Whether a task may die without being the cause: processes crash, or the handler fails by chance. */
  readonly innocentsMayDie: boolean;
  /** Whether a lease may end under a handler that still runs: the clock jumps, or heartbeats get lost. */
  readonly leasesMayEnd: boolean;
}

export class Ledger {
  readonly broken: string[] = [];
  readonly #laws: Laws;
  readonly #acknowledged = new Set<string>();
  readonly #latestFence = new Map<string, number>();
  readonly #claims = new Map<string, number>();
  readonly #results = new Map<string, string>();
  readonly #running = new Map<string, number>();
  readonly #poison: ReadonlySet<string>;

  constructor(laws: Laws, poison: ReadonlySet<string>) {
    this.#laws = laws;
    this.#poison = poison;
  }

  acknowledge(id: string): void {
    this.#acknowledged.add(id);
  }

  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged;
  }

  claimed({ id, fence, attempt }: ClaimedTask): void {
    if (this.#results.has(id)) this.#break(`${id} was claimed after its result was stored`);
    if (fence <= (this.#latestFence.get(id) ?? 0)) {
      this.#break(`${id} was claimed with an old fence`);
    }
    const claims = (this.#claims.get(id) ?? 0) + 1;
    this.#claims.set(id, claims);
    this.#latestFence.set(id, fence);
    if (attempt > this.#laws.maxAttempts) this.#break(`${id} is at attempt ${attempt}`);
    if (claims > this.#laws.maxAttempts) this.#break(`${id} was claimed ${claims} times`);
    if ((this.#running.get(id) ?? 0) > 0 && !this.#laws.leasesMayEnd) {
      this.#break(`${id} was claimed while its claimer worked on it`);
    }
  }

  /** A batch that a handler gets: a task that failed before must be alone. */
  started(tasks: readonly ClaimedTask[]): void {
    if (tasks.length > 1 && tasks.some(({ attempt }) => attempt > 1)) {
      this.#break(`a task that failed before runs in a batch of ${tasks.length}`);
    }
    for (const { id } of tasks) this.#running.set(id, (this.#running.get(id) ?? 0) + 1);
  }

  ended(tasks: readonly ClaimedTask[]): void {
    for (const { id } of tasks) this.#running.set(id, (this.#running.get(id) ?? 0) - 1);
  }

  settled({ completed = [] }: Settlement, { stored }: Settled): void {
    for (const id of stored) {
      const task = completed.find((each) => each.id === id);
      if (!task) {
        this.#break(`${id} was reported stored, and was not asked for`);
        continue;
      }
      if (task.fence !== this.#latestFence.get(id)) {
        this.#break(`${id} was ended by an old claimer`);
      }
      if (this.#results.has(id)) this.#break(`${id} got a second result`);
      this.#results.set(id, task.result);
    }
  }

  /** What a client sees of an acknowledged task. */
  observed(id: string, task: Task | undefined): void {
    if (task === undefined) {
      this.#break(`${id} was acknowledged and is not there`);
      return;
    }
    if ((task.state === "done") !== (task.result !== null)) {
      this.#break(`${id} is ${task.state} with the result ${task.result}`);
    }
    if (task.result === null) {
      if (this.#results.has(id)) this.#break(`${id} lost its result`);
      return;
    }
    const known = this.#results.get(id);
    // A commit whose answer was lost is seen here for the first time.
    if (known === undefined) this.#results.set(id, task.result);
    else if (known !== task.result) this.#break(`${id} changed its result`);
  }

  /** After everything has healed and had its time. */
  finished(id: string, task: Task | undefined): void {
    this.observed(id, task);
    if (task?.state === "dead") {
      if (task.attempt < this.#laws.maxAttempts) {
        this.#break(`${id} is dead after ${task.attempt} attempts`);
      }
      if (!task.error) this.#break(`${id} is dead without a cause`);
      if (!this.#poison.has(id) && !this.#laws.innocentsMayDie) {
        this.#break(`${id} is dead, and was not the cause`);
      }
    } else if (task?.state !== "done") this.#break(`${id} is stuck: ${task?.state}`);
    else if (this.#poison.has(id)) this.#break(`${id} is poison and has a result`);
  }

  /** The database itself saw a law broken, by a constraint. */
  refused(error: unknown): void {
    this.#break(`the database refused: ${error instanceof Error ? error.message : error}`);
  }

  #break(law: string): void {
    this.broken.push(law);
  }
}
