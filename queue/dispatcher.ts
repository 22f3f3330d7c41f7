/**
 * Moves tasks through the handler: claims a batch for each free lane, runs it, stores what came of it, and takes back the
 * leases that others let run out. An upload wakes it at once; otherwise it looks again when a retry or a rescue is due.
 *
 * A batch that throws costs each of its tasks one attempt. A task that failed before runs alone from then on, so one that
 * poisons its batch dies alone, and the others go on.
 */
import type { QueuePolicy } from "../configs/mod.ts";
import { Alarm } from "./alarm.ts";
import type { Clock } from "../clock.ts";
import { backoffMs } from "./retry.ts";
import type { ClaimedTask, Completed, Failed, Settlement, TaskStore } from "./store.ts";

type Ended = Pick<Settlement, "completed" | "failed">;

/** Two beats may be missed before a lease ends. */
const HEARTBEATS_PER_LEASE = 3;

/** A task of a batch holds many rows already: a lane is free again for interactive ones after each. */
const BATCH_TASKS = 1;

/** How long a lane goes on claiming, and how many of a batch's tasks at a time. */
interface Claiming {
  readonly untilMs: number;
  readonly batchTasks: number;
}

const ALWAYS: Claiming = { untilMs: Infinity, batchTasks: BATCH_TASKS };

/** What became of one task: its result as JSON text, with what it depends on where that changed, or why it failed. */
export type Outcome = { readonly result: string; readonly revision?: string } | {
  readonly error: string;
};

/** Runs tasks together; the outcomes stand in the order of the tasks. Throwing fails all of them. */
export type Handler = (tasks: readonly ClaimedTask[]) => Promise<readonly Outcome[]>;

export interface DispatcherOptions {
  readonly store: TaskStore;
  readonly handler: Handler;
  readonly policy: QueuePolicy;
  /** How many batches may run at the same time. */
  readonly lanes: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told of every failure of the store; the dispatcher goes on. */
  readonly report: (error: unknown) => void;
  /** Told of the tasks that it ended, when that is on disk: those that are done, or dead. */
  readonly onEnded?: (ids: readonly string[]) => void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #alarm: Alarm;
  readonly #atWork = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;
  #stopping = false;
  /** Somebody said that there may be a task. */
  #asked = false;
  /** A lane has begun, or has ended: what there was, it has claimed. */
  #doubtful = false;
  #rescuedAtMs = -Infinity;
  /** After a retry, which runs alone: many that fail must not hold up those that never ran. */
  #freshFirst = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Says that there may be a task to claim. */
  wake(): void {
    this.#asked = true;
    this.#alarm.ring();
  }

  /** Claims no more, and resolves when the batches at work have ended, or after `policy.drainMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#loop;
    const { clock, policy } = this.#options;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => cancel = clock.after(policy.drainMs, resolve));
    await Promise.race([Promise.all(this.#atWork), late]);
    cancel();
  }

  /**
   * Runs what is due here and now, until nothing is or `budgetMs` has passed; what is at work then still ends, so a batch's tasks,
   * which take long, are left out unless they are asked for. For platforms that run only while a request is answered, where nothing
   * is started. Rejects where the store fails.
   */
  async drain(budgetMs: number, { batches = false } = {}): Promise<void> {
    const claiming = {
      untilMs: this.#options.clock.now() + budgetMs,
      batchTasks: batches ? BATCH_TASKS : 0,
    };
    await this.#rescueIfDue();
    await this.#runLane(await this.#settle({}, claiming), claiming);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#alarm.reset();
      let waitMs = this.#options.policy.rescueEveryMs;
      try {
        await this.#rescueIfDue();
        if (await this.#isToClaim() && await this.#startLane()) continue;
        waitMs = await this.#idleMs();
      } catch (error) {
        this.#options.report(error);
      }
      await this.#alarm.sleep(waitMs);
    }
  }

  /**
   * A claim that finds nothing is a transaction all the same: it is looked up first, but for an upload, whose commit the claim shares,
   * and after a sleep, for a look does not tell what a clock that was set back has left far away.
   */
  async #isToClaim(): Promise<boolean> {
    if (this.#atWork.size >= this.#options.lanes) return false;
    const isCertain = this.#asked || !this.#doubtful;
    this.#asked = this.#doubtful = false;
    return isCertain || await this.#idleMs() === 0;
  }

  async #rescueIfDue(): Promise<void> {
    const { store, policy: { maxAttempts, leaseMs }, clock } = this.#options;
    if (this.#untilRescueMs() > 0) return;
    this.#rescuedAtMs = clock.now();
    // Twice: the clocks of two processes may differ by a lease.
    await store.rescue({ nowMs: clock.now(), maxAttempts, leaseHorizonMs: 2 * leaseMs });
  }

  /** At most `rescueEveryMs`, even where the clock was set back. */
  #untilRescueMs(): number {
    const { policy: { rescueEveryMs }, clock } = this.#options;
    const sinceMs = clock.now() - this.#rescuedAtMs;
    return sinceMs < 0 ? 0 : rescueEveryMs - sinceMs;
  }

  /** Claims a batch and starts a lane with it; false where nothing is due. */
  async #startLane(): Promise<boolean> {
    const tasks = await this.#settle({});
    if (tasks.length === 0) return false;
    const lane = this.#runLane(tasks).catch(this.#options.report).finally(() => {
      this.#atWork.delete(lane);
      this.#doubtful = true;
      this.#alarm.ring();
    });
    this.#atWork.add(lane);
    this.#doubtful = true;
    return true;
  }

  /** Runs batch after batch, until nothing is due: the end of each is one transaction with the claim of the next. */
  async #runLane(first: readonly ClaimedTask[], claiming = ALWAYS): Promise<void> {
    for (let tasks = first; tasks.length > 0;) {
      const stopHeartbeat = this.#startHeartbeat(tasks);
      try {
        const ended = this.#judge(tasks, await this.#outcomes(tasks));
        tasks = await this.#settleInsisting(ended, claiming);
      } finally {
        stopHeartbeat();
      }
    }
  }

  #judge(tasks: readonly ClaimedTask[], outcomes: readonly Outcome[]): Ended {
    const completed: Completed[] = [];
    const failed: Failed[] = [];
    for (const [index, { id, fence, attempt }] of tasks.entries()) {
      const outcome = outcomes[index] ?? { error: "the handler gave no outcome for this task" };
      if ("result" in outcome) completed.push({ id, fence, ...outcome });
      else failed.push({ id, fence, error: outcome.error, retryAtMs: this.#retryAtMs(attempt) });
    }
    return { completed, failed };
  }

  /**
   * Ends tasks whose work is done: a store that fails is asked again until it does what it should or the dispatcher stops.
   * An answer that was lost after its commit is no harm, for a task ends once.
   */
  async #settleInsisting(ended: Ended, claiming: Claiming): Promise<readonly ClaimedTask[]> {
    const { clock, policy, random, report } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#settle(ended, claiming);
      } catch (error) {
        if (this.#stopping || clock.now() >= claiming.untilMs) throw error;
        report(error);
        const delayMs = backoffMs(attempt, { ...policy.backoffMs, random: random() });
        await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      }
    }
  }

  /** Ends tasks and claims the next, unless the dispatcher stops or the time for it is over. */
  async #settle(
    ended: Ended,
    { untilMs, batchTasks }: Claiming = ALWAYS,
  ): Promise<readonly ClaimedTask[]> {
    const { store, clock, policy: { leaseMs, batchRows, backoffMs }, onEnded } = this.#options;
    const claim = {
      leaseMs,
      limit: batchRows,
      batchLimit: batchTasks,
      retryHorizonMs: backoffMs.max,
      freshFirst: this.#freshFirst,
    };
    const { stored, buried, claimed } = await store.settle({
      nowMs: clock.now(),
      ...ended,
      ...(this.#stopping || clock.now() >= untilMs ? {} : { claim }),
    });
    this.#freshFirst = claimed.some(({ attempt }) => attempt > 1);
    const ids = [...stored, ...buried];
    if (ids.length > 0) onEnded?.(ids);
    return claimed;
  }

  /** Keeps the leases of a batch at work alive; a process that stands still loses them. */
  #startHeartbeat(tasks: readonly ClaimedTask[]): () => void {
    const { store, clock, policy: { leaseMs }, report } = this.#options;
    let cancel = () => {};
    function beatLater(): void {
      cancel = clock.after(Math.floor(leaseMs / HEARTBEATS_PER_LEASE), () => {
        store.extend(tasks, clock.now() + leaseMs).catch(report);
        beatLater();
      });
    }
    beatLater();
    return () => cancel();
  }

  async #outcomes(tasks: readonly ClaimedTask[]): Promise<readonly Outcome[]> {
    try {
      return await this.#options.handler(tasks);
    } catch (error) {
      return tasks.map(() => ({ error: error instanceof Error ? error.message : String(error) }));
    }
  }

  #retryAtMs(attempt: number): number | null {
    const { policy, clock, random } = this.#options;
    if (attempt >= policy.maxAttempts) return null;
    return clock.now() + backoffMs(attempt, { ...policy.backoffMs, random: random() });
  }

  async #idleMs(): Promise<number> {
    const { store, clock, lanes } = this.#options;
    const rescueMs = Math.max(0, this.#untilRescueMs());
    if (this.#atWork.size >= lanes) return rescueMs;
    const dueMs = await store.nextDueMs();
    return dueMs === undefined ? rescueMs : Math.min(rescueMs, Math.max(0, dueMs - clock.now()));
  }
}
