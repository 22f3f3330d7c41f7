/**
 * Makes facts of applications that ended, and keeps them true to what banks say later: in the background, a few at a time, with
 * pauses in which the thread is others'. Any number of projectors may run on one database.
 *
 * Known limits: tasks are taken in their order, so one that waits holds up the facts of those after it; an application that is
 * scored again under other models keeps its first fact; rows of batches are no applications here.
 */
import { Background, type Clock } from "../clock.ts";
import { isApplication } from "../scoring/chunk.ts";
import { DAY_MS } from "../scoring/features.ts";
import { type Estimate, estimateOf, type Fact, Sums, toldBy } from "./fact.ts";
import type { FactStore } from "./facts.ts";

export interface ProjectorOptions {
  readonly facts: FactStore;
  /** The stored results of tasks that ended, by id; null where scoring failed. */
  readonly resultsOf: (
    ids: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly result: string | null }>>;
  /** From which chance on an application counts as recommended of which only chances are known. */
  readonly leastProbability: number;
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  /** Applications in a step. */
  readonly rows?: number;
}

const ROWS = 64;
const IDLE_MS = 1000;

export class Projector {
  readonly #options: Required<ProjectorOptions>;
  readonly #background: Background;

  constructor(options: ProjectorOptions) {
    this.#options = { rows: ROWS, ...options };
    const { clock, report } = options;
    this.#background = new Background({
      step: () => this.step(),
      idleMs: IDLE_MS,
      clock,
      report,
    });
  }

  /** Takes one step; false where there was nothing to do. */
  async step(): Promise<boolean> {
    const { facts, rows } = this.#options;
    const progress = await facts.progress();
    const sums = new Sums();
    const tasks = await facts.next(progress.number, rows);
    const open = tasks.findIndex(({ id, ended }) => !ended && isApplication(id));
    const taken = open < 0 ? tasks : tasks.slice(0, open);
    const applications = taken.filter(({ id }) => isApplication(id));
    const results = await this.#options.resultsOf(applications.map(({ id }) => id));
    const added = applications.map(({ id, number, tenant, createdAtMs }) => ({
      ...{ number, tenant, day: Math.floor(createdAtMs / DAY_MS), told: {} },
      estimate: this.#estimateOf(results.get(id)?.result ?? null),
    }));
    for (const fact of added) sums.add(fact);
    const changed = (await facts.changed(rows)).map((fact) => {
      const told = toldBy(fact.events);
      const now: Fact = { ...fact, told };
      sums.add(fact, -1);
      sums.add(now);
      return { number: fact.number, version: fact.version, told };
    });
    if (taken.length === 0 && changed.length === 0) return false;
    const to = taken.at(-1)?.number ?? progress.number;
    await facts.take({ progress, to, added, changed, sums });
    return true;
  }

  /** What cannot be read counts as not scored: it must not hold up all that come after it. */
  #estimateOf(result: string | null): Estimate {
    try {
      return estimateOf(result, this.#options);
    } catch (error) {
      this.#options.report(error);
      return estimateOf(null, this.#options);
    }
  }

  /** Takes steps until there is nothing to do, or time is up. */
  async drain(budgetMs = Infinity): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.now() + budgetMs;
    while (await this.step() && clock.now() < untilMs);
  }

  start(): void {
    this.#background.start();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#background.stop();
  }
}
