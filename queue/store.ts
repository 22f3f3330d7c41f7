/**
 * The durable queue as the rest of the program sees it. What it promises: a task is on disk when `enqueue` resolves; a claimed
 * task belongs to its claimer until the lease ends; exactly one result is stored, by the claimer whose fence is the task's.
 */

export type TaskState = "queued" | "leased" | "done" | "dead";

export interface NewTask {
  /** The same id is the same task: a second `enqueue` changes nothing. */
  readonly id: string;
  /** JSON text that the handler reads. */
  readonly payload: string;
}

export interface Task {
  readonly id: string;
  readonly state: TaskState;
  readonly attempt: number;
  /** Why the last attempt failed; always there on a dead task. */
  readonly error: string | null;
  /** JSON text; there on a task that is done, and on no other. */
  readonly result: string | null;
}

/** A task in the hands of a claimer. */
export interface ClaimedTask {
  readonly id: string;
  readonly payload: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly fence: number;
  readonly createdAtMs: number;
}

/** Names a claim: what ends a task must show that it still holds it. */
export interface Held {
  readonly id: string;
  readonly fence: number;
}

export interface Completed extends Held {
  /** JSON text. */
  readonly result: string;
}

export interface Failed extends Held {
  readonly error: string;
  /** When to try again, or `null` to give up: the task is dead then. */
  readonly retryAtMs: number | null;
}

export interface ClaimOptions {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly limit: number;
}

export interface TaskStore {
  /** Stores the tasks whose ids are not known, together. Resolves when they are on disk, with the state of each. */
  enqueue(tasks: readonly NewTask[], nowMs: number): Promise<readonly TaskState[]>;
  find(id: string): Promise<Task | undefined>;
  /** Takes one due task that failed before, or else up to `limit` that never ran, the longest due first. */
  claim(options: ClaimOptions): Promise<readonly ClaimedTask[]>;
  /** Stores the results whose fence still holds; returns the ids of those. */
  complete(tasks: readonly Completed[], nowMs: number): Promise<readonly string[]>;
  /** Queues again, or buries, the tasks whose fence still holds. */
  fail(tasks: readonly Failed[], nowMs: number): Promise<void>;
  /** Takes back the tasks whose lease has ended: queued again, or dead after `maxAttempts`. Returns how many. */
  rescue(nowMs: number, maxAttempts: number): Promise<number>;
  /** When the next queued task is due, or `undefined` where none is queued. */
  nextDueMs(): Promise<number | undefined>;
  close(): void;
}
