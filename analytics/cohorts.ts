/**
 * The cohorts of a tenant's latest applications that banks approve less, or more, than the others: found by
 * `cohort_search.ts`, by what banks decided or by what was estimated.
 *
 * Known limit: a search takes the thread for some tenths of a second, so what was found is kept for ten minutes.
 */
import type { Questionnaire } from "../configs/mod.ts";
import { type Database, statement } from "../database/database.ts";
import { wilson } from "../lifecycle/mod.ts";
import type { FeatureRow } from "../scoring/features.ts";
import { decodePayload } from "../scoring/handler.ts";
import { type CohortColumn, cohortColumns } from "./cohort_columns.ts";
import {
  findCohorts,
  type FoundCohort,
  membersOf,
  type Population,
  SMALL_CELL,
} from "./cohort_search.ts";
import { type Estimate, isApproval, isDecision, type Told } from "./fact.ts";
import { Fresh } from "./fresh.ts";
import type { FoundCohorts, ShownCohort, ShownSplit } from "./views.ts";

/** How many of a tenant's latest applications cohorts are looked for in. */
const COHORT_WINDOW = 5000;
/** Payloads that are read at a time; between them the thread is others'. */
const PAGE = 250;
const MOST_SHOWN = 10;
const FRESH_MS = 600_000;
/** Tenants and ways of counting for whom this is kept. */
const MOST_KEPT = 100;

const LATEST = `
  SELECT tasks.id, tasks.created_at_ms, facts.estimate, facts.told
  FROM facts JOIN tasks USING (number)
  WHERE facts.tenant = :tenant ORDER BY facts.number DESC LIMIT ${COHORT_WINDOW}`;

/** `decided`: the share that a bank approved, of clients on whom one decided; `estimated`: the best chance, of all that have one. */
export const COHORT_MEASURES = ["decided", "estimated"] as const;
export type CohortMeasure = typeof COHORT_MEASURES[number];

/** A client as a search takes one. */
export interface CohortClient extends FeatureRow {
  readonly estimate: Estimate;
  readonly told: Told;
}

export interface CohortParts {
  readonly database: Pick<Database, "read">;
  readonly payloadsOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly questionnaire: Questionnaire;
}

export class Cohorts {
  readonly #parts: CohortParts;
  readonly #kept = new Fresh<Found>({ freshMs: FRESH_MS, most: MOST_KEPT });

  constructor(parts: CohortParts) {
    this.#parts = parts;
  }

  /** As of the last ten minutes; `undefined` where there is no such question to tell clients apart by. */
  async find(
    tenant: string,
    { measure, split, nowMs }: {
      readonly measure: CohortMeasure;
      /** Id of a question by whose answers all clients are told apart as well. */
      readonly split?: string | undefined;
      readonly nowMs: number;
    },
  ): Promise<FoundCohorts | undefined> {
    const { cohorts, splits } = await this.#kept.get(
      JSON.stringify([tenant, measure]),
      nowMs,
      () => this.#find(tenant, measure),
    );
    if (split === undefined) return cohorts;
    const asked = splits.get(split);
    return asked && { ...cohorts, split: asked };
  }

  async #find(tenant: string, measure: CohortMeasure): Promise<Found> {
    const { database, payloadsOf, questionnaire } = this.#parts;
    const { rows } = await database.read(statement(LATEST, { tenant }));
    const clients: CohortClient[] = [];
    for (let at = 0; at < rows.length; at += PAGE) {
      const page = rows.slice(at, at + PAGE);
      const payloads = await payloadsOf(page.map(({ id }) => String(id)));
      for (const row of page) {
        const payload = payloads.get(String(row.id));
        if (payload === undefined) continue;
        clients.push({
          answers: decodePayload(payload).answers,
          atMs: Number(row.created_at_ms),
          estimate: JSON.parse(String(row.estimate)),
          told: JSON.parse(String(row.told)),
        });
      }
    }
    return cohortsOf(clients, { measure, questionnaire });
  }
}

interface Found {
  readonly cohorts: FoundCohorts;
  /** By the question's id. */
  readonly splits: ReadonlyMap<string, ShownSplit>;
}

/** Pure. */
export function cohortsOf(
  clients: readonly CohortClient[],
  { measure, questionnaire }: {
    readonly measure: CohortMeasure;
    readonly questionnaire: Questionnaire;
  },
): Found {
  const judged = clients.filter(({ estimate, told }) =>
    measure === "decided" ? isDecided(told) : Object.keys(estimate.permille).length > 0
  );
  const columns = cohortColumns(questionnaire, judged);
  const target = Float64Array.from(
    judged,
    ({ estimate, told }) => measure === "decided" ? Number(isApproved(told)) : bestChance(estimate),
  );
  const population = { columns, target, members: Uint32Array.from(judged.keys()) };
  const found = (direction: "lower" | "higher") =>
    findCohorts(population, { direction, limit: MOST_SHOWN }).map((cohort) =>
      shown(cohort, { columns, target, judged })
    );
  return {
    cohorts: {
      measure,
      clients: judged.length,
      ...judged.length > 0 && { mean: mean(target) },
      fields: columns.map(({ field, title }) => ({ field, title })),
      lower: found("lower"),
      higher: found("higher"),
    },
    splits: new Map(columns.map(({ field, title }, column) => [field, {
      ...{ field, title },
      cells: cellsOf(population, column).map((cell) => shown(cell, { columns, target, judged })),
    }])),
  };
}

/**
 * Each answer, or part of what is in an order, with its clients. Those of fewer than five are left out, and where they are fewer than
 * five together the smallest other as well: else what is left out could be told from the sum.
 */
function cellsOf(
  population: Population,
  column: number,
): Pick<FoundCohort, "conditions" | "members">[] {
  const bins = population.columns[column]?.bins ?? 0;
  const cells = Array.from({ length: bins }, (_, bin) => {
    const conditions = [{ column, from: bin, to: bin }];
    return { conditions, members: membersOf(population, conditions) };
  }).filter(({ members }) => members.length > 0);
  const kept = cells.filter(({ members }) => members.length >= SMALL_CELL);
  const hidden = population.members.length -
    kept.reduce((sum, { members }) => sum + members.length, 0);
  if (hidden === 0 || hidden >= SMALL_CELL) return kept;
  const smallest = Math.min(...kept.map(({ members }) => members.length));
  const without = kept.findIndex(({ members }) => members.length === smallest);
  return kept.filter((_, at) => at !== without);
}

function shown(
  { conditions, members }: Pick<FoundCohort, "conditions" | "members">,
  { columns, target, judged }: {
    readonly columns: readonly CohortColumn[];
    readonly target: Float64Array;
    readonly judged: readonly CohortClient[];
  },
): ShownCohort {
  const own = [...members].flatMap((member) => judged[member] ?? []);
  const inside = new Set(members);
  const values = Float64Array.from(members, (member) => target[member] ?? 0);
  const decided = own.filter(({ told }) => isDecided(told));
  const approved = decided.filter(({ told }) => isApproved(told)).length;
  const rate = decided.length >= SMALL_CELL ? wilson(approved, decided.length) : undefined;
  return {
    conditions: conditions.flatMap((condition) => columns[condition.column]?.show(condition) ?? []),
    clients: members.length,
    value: mean(values),
    others: mean(target.filter((_, at) => !inside.has(at))),
    expected: mean(Float64Array.from(own, ({ estimate }) => bestChance(estimate))),
    ...rate && { decided: decided.length, rate },
    uplift: own.reduce((sum, { estimate }) => sum + upliftOf(estimate), 0),
  };
}

/** By how much the best offer beats the best chance of the loan as asked, in [0, 1]. */
function upliftOf(estimate: Estimate): number {
  const offered = Object.entries(estimate.levers).filter(([code]) => code.startsWith("offer."));
  const best = Math.max(0, ...offered.map(([, permille]) => permille / 1000));
  return Math.max(0, best - bestChance(estimate));
}

function bestChance({ permille }: Estimate): number {
  return Math.max(0, ...Object.values(permille)) / 1000;
}

function isDecided(told: Told): boolean {
  return Object.values(told).some(isDecision);
}

function isApproved(told: Told): boolean {
  return Object.values(told).some(isApproval);
}

function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
