/**
 * A whole life of the queue from one seed: clients that upload, processes that claim, work, crash and come back, a handler that
 * fails, throws, hangs and meets poison, a database whose calls fail before or after the commit, and a clock that jumps. In the
 * end all faults stop, and the ledger says whether every law was kept.
 */
import type { QueuePolicy } from "../../../configs/mod.ts";
import type { Database } from "../../../database/database.ts";
import { Dispatcher, type Outcome } from "../../../queue/dispatcher.ts";
import { LibsqlStore } from "../../../queue/libsql_store.ts";
import type { ClaimedTask, TaskStore } from "../../../queue/store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { LIMITS, openStore } from "../../support/store.ts";
import { Ledger } from "./ledger.ts";
import { Random } from "./random.ts";

/** Keys that never fail: the lives are about the queue. */
const { vault } = await openStore();

export const POLICY: QueuePolicy = {
  batchRows: 4,
  maxAttempts: 3,
  leaseMs: 900,
  jobTimeoutMs: 600,
  rescueEveryMs: 300,
  backoffMs: { base: 20, max: 200 },
  drainMs: 100,
};

const STEPS = 25;

/** A way to be wrong: the suite must notice each. */
export interface Mutant {
  readonly name: string;
  /** A seed in whose life it was noticed, where that took many: the search begins there. */
  readonly noticedAt?: number;
  /** Changes a statement before it is run. */
  readonly sql?: (sql: string) => string;
  /** Changes the store that processes and clients use. */
  readonly store?: (store: TaskStore) => TaskStore;
}

/** Which faults a life has; a life without some of them is held to stricter laws. */
interface Faults {
  readonly crashes: boolean;
  readonly database: boolean;
  readonly handler: boolean;
  readonly clock: boolean;
  readonly poison: boolean;
}

export interface LifeOptions {
  readonly seed: number;
  /** Migrated, and without tasks. */
  readonly database: Database;
  readonly mutant?: Mutant;
}

/** Lives the life of `seed`; returns the laws that were broken, in order. */
export async function live(
  { seed, database, mutant = { name: "none" } }: LifeOptions,
): Promise<string[]> {
  const random = new Random(seed);
  const faults: Faults = {
    crashes: random.chance(0.5),
    database: random.chance(0.5),
    handler: random.chance(0.5),
    clock: random.chance(0.3),
    poison: random.chance(0.5),
  };
  return await new World({ random, faults, mutant, database }).run();
}

/** A process: its calls to the database never come back once it is killed. */
interface Process {
  readonly dispatcher: Dispatcher;
  killed: boolean;
}

interface WorldOptions {
  readonly random: Random;
  readonly faults: Faults;
  readonly mutant: Mutant;
  readonly database: Database;
}

class World {
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #mutant: Mutant;
  readonly #database: Database;
  readonly #clock = new FakeClock();
  readonly #ids: readonly string[];
  readonly #poison: ReadonlySet<string>;
  readonly #ledger: Ledger;
  readonly #client: TaskStore;
  readonly #processes: Process[] = [];
  #healed = false;
  #runs = 0;

  constructor({ random, faults, mutant, database }: WorldOptions) {
    this.#random = random;
    this.#faults = faults;
    this.#mutant = mutant;
    this.#database = database;
    this.#ids = Array.from({ length: 3 + random.below(8) }, (_, index) => `t${index}`);
    this.#poison = new Set(faults.poison ? [random.pick(this.#ids)] : []);
    this.#ledger = new Ledger({
      maxAttempts: POLICY.maxAttempts,
      innocentsMayDie: faults.crashes || faults.database || faults.handler || faults.clock,
      leasesMayEnd: faults.crashes || faults.database || faults.clock,
    }, this.#poison);
    this.#client = this.#mutated({ killed: false });
  }

  async run(): Promise<string[]> {
    for (let process = 0; process < 2; process++) this.#startProcess();
    // Once a law is broken the rest of the life proves nothing.
    for (let step = 0; step < STEPS && this.#ledger.broken.length === 0; step++) await this.#step();
    if (this.#ledger.broken.length === 0) await this.#heal();
    for (const { dispatcher } of this.#processes) {
      const stopped = dispatcher.stop();
      await this.#clock.advance(POLICY.drainMs);
      await stopped;
    }
    return this.#ledger.broken;
  }

  async #step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.45) await this.#upload();
    else if (dice < 0.55) await this.#observe();
    else if (dice < 0.65 && this.#faults.crashes) this.#crash();
    else if (dice < 0.7 && this.#faults.clock) {
      this.#clock.set(this.#clock.now() + this.#random.pick([-3_600_000, -500, 500, 3_600_000]));
    }
    await this.#clock.advance(this.#random.pick([0, 1, 10, 50, 200, 700]));
  }

  async #upload(): Promise<void> {
    const group = Array.from(
      { length: 1 + this.#random.below(4) },
      () => this.#random.pick(this.#ids),
    );
    try {
      await this.#client.enqueue(
        group.map((id) => ({ id, payload: "{}", revision: "1" })),
        this.#clock.now(),
      );
    } catch {
      return;
    }
    for (const id of group) this.#ledger.acknowledge(id);
    if (this.#random.chance(0.7)) this.#random.pick(this.#processes).dispatcher.wake();
  }

  async #observe(): Promise<void> {
    if (this.#ledger.broken.length > 0) return;
    for (const id of this.#ledger.acknowledged) this.#ledger.observed(id, await this.#look(id));
  }

  #look(id: string) {
    return new LibsqlStore(this.#database, { limits: LIMITS, vault }).find(id);
  }

  #crash(): void {
    const index = this.#random.below(this.#processes.length);
    const [process] = this.#processes.splice(index, 1);
    if (process) process.killed = true;
    this.#startProcess();
  }

  /** No fault from here on, and time for every lease, retry and rescue. */
  async #heal(): Promise<void> {
    this.#healed = true;
    const { leaseMs, maxAttempts, backoffMs, rescueEveryMs } = POLICY;
    const roundMs = leaseMs + backoffMs.max + 2 * rescueEveryMs;
    for (let round = 0; round <= maxAttempts && !await this.#isFinished(); round++) {
      await this.#clock.advance(2 * roundMs);
    }
    for (const id of this.#ledger.acknowledged) this.#ledger.finished(id, await this.#look(id));
  }

  async #isFinished(): Promise<boolean> {
    const { rows } = await this.#database.read(
      "SELECT 1 FROM tasks WHERE state IN ('queued', 'leased') LIMIT 1",
    );
    return rows.length === 0;
  }

  #startProcess(): void {
    const life = { killed: false };
    const dispatcher = new Dispatcher({
      store: this.#mutated(life),
      handler: (tasks) => this.#handle(tasks, life),
      policy: POLICY,
      lanes: 1 + this.#random.below(2),
      clock: this.#clock,
      random: () => this.#random.next(),
      report: () => {},
    });
    dispatcher.start();
    this.#processes.push(Object.assign(life, { dispatcher }));
  }

  async #handle(tasks: readonly ClaimedTask[], life: { killed: boolean }): Promise<Outcome[]> {
    this.#ledger.started(tasks);
    try {
      await this.#work();
    } finally {
      this.#ledger.ended(tasks);
    }
    if (life.killed) return await new Promise(() => {});
    if (tasks.some(({ id }) => this.#poison.has(id))) throw new Error("poison");
    if (this.#chaos("handler") && this.#random.chance(0.2)) throw new Error("the worker died");
    return tasks.map(({ id }) =>
      this.#chaos("handler") && this.#random.chance(0.2)
        ? { error: "this one failed" }
        : { result: JSON.stringify(`${id} by run ${++this.#runs}`) }
    );
  }

  /** Mostly short; now and then longer than a lease, which heartbeats must bridge. */
  #work(): Promise<void> {
    const ms = this.#random.pick([0, 0, 5, 50, 2 * POLICY.leaseMs]);
    return ms === 0
      ? Promise.resolve()
      : new Promise((resolve) => void this.#clock.after(ms, resolve));
  }

  #chaos(fault: keyof Faults): boolean {
    return this.#faults[fault] && !this.#healed;
  }

  /** The store of one process, or of the clients: mutated, watched by the ledger, on a database with faults. */
  #mutated(life: { readonly killed: boolean }): TaskStore {
    const plain = new LibsqlStore(this.#faulty(life), { limits: LIMITS, vault });
    const settle = plain.settle.bind(plain);
    plain.settle = async (settlement) => {
      const settled = await settle(settlement);
      this.#ledger.settled(settlement, settled);
      for (const task of settled.claimed) this.#ledger.claimed(task);
      return settled;
    };
    return this.#mutant.store?.(plain) ?? plain;
  }

  #faulty(life: { readonly killed: boolean }): Database {
    const run = async <T>(call: () => Promise<T>): Promise<T> => {
      if (life.killed) return await new Promise<T>(() => {});
      const fault = this.#chaos("database") ? this.#random.next() : 1;
      if (fault < 0.05) throw new Error("disk I/O error");
      const answer = await call().catch((error) => {
        this.#ledger.refused(error);
        throw error;
      });
      if (fault < 0.1) throw new Error("the connection was cut after the commit");
      return answer;
    };
    const change = this.#mutant.sql ?? ((sql: string) => sql);
    return {
      write: (statements, options) =>
        run(() =>
          this.#database.write(
            statements.map((each) =>
              typeof each === "string" ? change(each) : { ...each, sql: change(each.sql) }
            ),
            options,
          )
        ),
      read: (statement) => run(() => this.#database.read(statement)),
      close() {},
    };
  }
}
