/**
 * The durable queue as the rest of the program sees it. What it promises: a task is on disk when `enqueue` resolves; a claimed
 * task belongs to its claimer until the lease ends; exactly one result is stored, by the claimer whose fence is the task's.
 */
import type { SentTerms } from "../consent/mod.ts";

export { QueueFullError, StoreError, StoreLockedError } from "../database/errors.ts";

export type TaskState = "queued" | "leased" | "done" | "dead";

/** What became of a task that was to be stored: a full queue takes none that it does not know. */
export type Enqueued = TaskState | "refused";

/** `interactive` tasks, for whom somebody waits, are claimed before any of a `batch`. */
export type Priority = "interactive" | "batch";

export interface NewTask {
  /** The same id is the same task: a second `enqueue` changes nothing, but for the revision. */
  readonly id: string;
  /** JSON text that the handler reads. */
  readonly payload: string;
  /** What the result depends on besides the payload. A task that ended under another revision is done again. */
  readonly revision: string;
  /** By whom: tenants with tasks of one priority are served in turn. Up to 64 characters; absent: the empty name's. */
  readonly tenant?: string;
  /** Absent: interactive. */
  readonly priority?: Priority;
  /** On which it was sent: stored with a task that was not known, in its commit. */
  readonly terms?: SentTerms;
}

export interface Task {
  readonly id: string;
  readonly state: TaskState;
  readonly attempt: number;
  /** Why the last attempt failed; always there on a dead task. */
  readonly error: string | null;
  /** JSON text; there on a task that is done, and on no other. */
  readonly result: string | null;
  readonly createdAtMs: number;
  /** There on a task that is done or dead. */
  readonly finishedAtMs: number | null;
}

/** A task that was done before it was stored. */
export interface DoneTask extends NewTask {
  /** JSON text. */
  readonly result: string;
  readonly createdAtMs: number;
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
  /** What the result depends on, where that is not what the task was stored with. */
  readonly revision?: string;
}

export interface Failed extends Held {
  readonly error: string;
  /** When to try again, or `null` to give up: the task is dead then. */
  readonly retryAtMs: number | null;
}

export interface ClaimOptions {
  readonly leaseMs: number;
  readonly limit: number;
  /** How many of a batch may be claimed together, where no interactive task waits; 0: none, nor a retry; absent: `limit`. */
  readonly batchLimit?: number;
  /** A retry that waits for longer than this was timed by a clock that has been set back since: it is due. */
  readonly retryHorizonMs: number;
  /** Prefer tasks that never ran; else one that failed before comes first. */
  readonly freshFirst?: boolean;
}

export interface RescueOptions {
  readonly nowMs: number;
  readonly maxAttempts: number;
  /** A lease that ends later than this from now was given by a clock that has been set back since: it has ended. */
  readonly leaseHorizonMs: number;
}

/** The end of one batch and the beginning of the next. */
export interface Settlement {
  readonly nowMs: number;
  readonly completed?: readonly Completed[];
  readonly failed?: readonly Failed[];
  /** Take one task that failed before and is due, or up to `limit` that never ran: interactive first, tenants in turn. */
  readonly claim?: ClaimOptions;
}

export interface Settled {
  /** Ids of the tasks whose result was stored: those whose fence still held. */
  readonly stored: readonly string[];
  /** Ids of the failed tasks that are dead now: those that were given up and whose fence still held. */
  readonly buried: readonly string[];
  readonly claimed: readonly ClaimedTask[];
}

export interface TaskStore {
  /**
   * Stores the tasks whose ids are not known, together, and starts again those that ended under another revision. Resolves when
   * they are on disk, with the state of each, or `refused` where the queue is full: known tasks never are.
   */
  enqueue(tasks: readonly NewTask[], nowMs: number): Promise<readonly Enqueued[]>;
  /**
   * Stores a task with its result, in one transaction. False where the queue is full, or a task
   * with its id has another payload, has been claimed, or has ended.
   */
  enqueueDone(task: DoneTask, nowMs: number): Promise<boolean>;
  find(id: string): Promise<Task | undefined>;
  /** Those of these tasks that are known, by id, in one read. */
  findEach(ids: readonly string[]): Promise<ReadonlyMap<string, Task>>;
  /** What the task with this id was stored with, JSON text. */
  payload(id: string): Promise<string | undefined>;
  /** The same of those of these tasks that are known, by id, in one read. */
  payloadEach(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Those of these tasks that are done or dead. */
  ended(ids: readonly string[]): Promise<readonly string[]>;
  /**
   * In one transaction: stores results and ends their tasks, queues failed ones again or buries them, each only where its fence
   * still holds, and claims what is due.
   */
  settle(settlement: Settlement): Promise<Settled>;
  /** Moves the end of the leases that are still held; returns how many are. */
  extend(tasks: readonly Held[], leaseUntilMs: number): Promise<number>;
  /** Takes back the tasks whose lease has ended: queued again, or dead after `maxAttempts`. Returns how many. */
  rescue(options: RescueOptions): Promise<number>;
  /** When the next queued task is due (0 for one that never ran), or `undefined` where none is queued. */
  nextDueMs(): Promise<number | undefined>;
  close(): void;
}
