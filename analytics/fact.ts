/** What one application came to, and what it adds to the sums of its day. Pure: sums taken step by step are those taken at once. */
import { decodeProbabilities, decodeResult } from "../scoring/handler.ts";
import type { Decision } from "../scoring/decision.ts";
import { type OutcomeEvent, STEPS } from "./events.ts";

/** What was estimated of an application. */
export interface Estimate {
  /** Whether it has a result: it has none where scoring failed for good. */
  readonly scored: boolean;
  readonly recommended: boolean;
  /** The chance by bank, in thousandths. */
  readonly permille: Readonly<Record<string, number>>;
  /** Why it was not recommended. */
  readonly cause?: string;
  /** The best chance, in thousandths, by what would bring it over the target: `offer.CHANGES`, `answer.FIELD`. */
  readonly levers: Readonly<Record<string, number>>;
}

/** How far each bank is known to have come; a bank that decided was asked. */
export type Told = Readonly<Record<string, OutcomeEvent>>;

export interface Fact {
  readonly tenant: string;
  /** Since the epoch, UTC. */
  readonly day: number;
  readonly estimate: Estimate;
  readonly told: Told;
}

const FAILED: Estimate = { scored: false, recommended: false, permille: {}, levers: {} };

/**
 * From a stored result. Of one that holds chances alone no rule was asked: it counts as recommended where a chance reaches
 * `leastProbability`.
 */
export function estimateOf(
  result: string | null,
  { leastProbability }: { readonly leastProbability: number },
): Estimate {
  if (result === null) return FAILED;
  const permille = Object.fromEntries(
    [...decodeProbabilities(result).probabilities].map((
      [bank, chance],
    ) => [bank, thousandths(chance)]),
  );
  const read: object = decodeResult(result);
  if ("recommendation" in read) {
    const { recommendation: { recommended, causes: [first] }, banks } = read as Decision;
    return {
      ...{ scored: true, recommended, permille, levers: leversOf(banks) },
      ...!recommended && first && { cause: first.code },
    };
  }
  const recommended = Math.max(0, ...Object.values(permille)) >= thousandths(leastProbability);
  const cause = Object.keys(permille).length === 0 ? "no_estimate" : "low_chances";
  return { scored: true, recommended, permille, levers: {}, ...!recommended && { cause } };
}

function leversOf(banks: Decision["banks"]): Record<string, number> {
  const levers: Record<string, number> = {};
  const add = (code: string, chance: number) =>
    levers[code] = Math.max(levers[code] ?? 0, thousandths(chance));
  for (const bank of banks) {
    if (bank.status !== "decided") continue;
    for (const { changed, probability } of bank.offers.found) {
      add(`offer.${changed.length === 0 ? "as_asked" : changed.toSorted().join("+")}`, probability);
    }
    for (const { reachesTarget, field, probability } of bank.recourse) {
      if (reachesTarget) add(`answer.${field}`, probability);
    }
  }
  return levers;
}

function thousandths(chance: number): number {
  return Math.round(chance * 1000);
}

export interface ToldEvent {
  readonly bank: string;
  readonly event: OutcomeEvent;
  readonly decidedAtMs: number;
}

/** The latest decision of each bank, of those at one time the furthest step; `sent` only where a bank decided nothing. */
export function toldBy(events: readonly ToldEvent[]): Told {
  const told: Record<string, OutcomeEvent> = {};
  const rank = ({ event, decidedAtMs }: ToldEvent) =>
    [Number(isDecision(event)), decidedAtMs, STEPS[event] ?? 0] as const;
  const rising = events.toSorted((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    return first[0] - second[0] || first[1] - second[1] || first[2] - second[2];
  });
  for (const { bank, event } of rising) told[bank] = event;
  return told;
}

export const DAY_COUNTS = [
  ...["applied", "scored", "recommended", "sent"] as const,
  ...["decided", "approved", "funded", "expectedPermille"] as const,
] as const;
export type DayCounts = Readonly<Record<typeof DAY_COUNTS[number], number>>;

export interface DayRow extends DayCounts {
  readonly tenant: string;
  readonly day: number;
  readonly bank: string;
}

export interface LossRow {
  readonly tenant: string;
  readonly day: number;
  readonly kind: "cause" | "lever";
  readonly code: string;
  readonly clients: number;
  readonly permille: number;
}

/** The sums of facts, or what changes in them. */
export class Sums {
  readonly #days = new Map<
    string,
    Record<keyof DayCounts, number> & Omit<DayRow, keyof DayCounts>
  >();
  readonly #losses = new Map<
    string,
    Omit<LossRow, "clients" | "permille"> & { clients: number; permille: number }
  >();

  get days(): readonly DayRow[] {
    return [...this.#days.values()];
  }

  get losses(): readonly LossRow[] {
    return [...this.#losses.values()];
  }

  /** Adds a fact; `times` -1 takes it away. */
  add(fact: Fact, times: 1 | -1 = 1): void {
    const { estimate: { scored, recommended, permille }, told } = fact;
    const events = Object.values(told);
    const approved = events.filter(isApproval).length;
    const decided = events.filter(isDecision).length;
    this.#addDay(fact, "", {
      ...{ applied: times, scored: times * Number(scored) },
      recommended: times * Number(recommended),
      sent: times * Number(events.length > 0),
      decided: times * Number(decided > 0),
      approved: times * Number(approved > 0),
      funded: times * Number(events.includes("funded")),
      expectedPermille: 0,
    });
    for (const bank of new Set([...Object.keys(permille), ...Object.keys(told)])) {
      const event = told[bank];
      const over = event !== undefined && isDecision(event);
      this.#addDay(fact, bank, {
        applied: times,
        scored: times * Number(bank in permille),
        recommended: times * Number(recommended),
        sent: times * Number(event !== undefined),
        decided: times * Number(over),
        approved: times * Number(event !== undefined && isApproval(event)),
        funded: times * Number(event === "funded"),
        expectedPermille: times * (over ? permille[bank] ?? 0 : 0),
      });
    }
    this.#addLosses(fact, {
      times,
      refused: decided > 0 && approved === 0,
      approved: approved > 0,
    });
  }

  #addDay({ tenant, day }: Fact, bank: string, counts: DayCounts): void {
    const key = JSON.stringify([tenant, day, bank]);
    const row = this.#days.get(key);
    if (row === undefined) {
      this.#days.set(key, { tenant, day, bank, ...counts });
      return;
    }
    for (const name of DAY_COUNTS) row[name] += counts[name];
  }

  /** Lost is who was refused by all banks that decided, and who was not recommended unless a bank approved all the same. */
  #addLosses(
    { tenant, day, estimate: { scored, cause, levers } }: Fact,
    { times, refused, approved }: { times: number; refused: boolean; approved: boolean },
  ): void {
    if (approved) return;
    const why = !scored ? "not_scored" : refused ? "refused" : cause;
    if (why === undefined) return;
    this.#addLoss({ tenant, day, kind: "cause", code: why, clients: times, permille: 0 });
    for (const [code, permille] of Object.entries(levers)) {
      this.#addLoss({
        ...{ tenant, day, kind: "lever", code, clients: times, permille: times * permille },
      });
    }
  }

  #addLoss(loss: LossRow): void {
    const key = JSON.stringify([loss.tenant, loss.day, loss.kind, loss.code]);
    const row = this.#losses.get(key) ?? { ...loss, clients: 0, permille: 0 };
    row.clients += loss.clients;
    row.permille += loss.permille;
    this.#losses.set(key, row);
  }
}

export function isDecision(event: OutcomeEvent): boolean {
  return STEPS[event] !== undefined;
}

export function isApproval(event: OutcomeEvent): boolean {
  return (STEPS[event] ?? 0) > 0;
}
