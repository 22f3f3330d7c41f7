/**
 * Whom to call back, and with what: the clients whom banks refused, or who were never decided on, and for whom an offer of another bank
 * or another loan clears the policy's target, with that offer. Only who agreed to be told of offers is on a list, and only by a
 * decision of the models and rules in service, so that what it promises holds now.
 *
 * Known limit: a chance was estimated before the bank's refusal was known; who was refused once is refused again more often.
 */
import {
  binsReader,
  type Cohort,
  cohortTest,
  type Split,
  splitsOf,
  STEPS,
  type Told,
} from "../analytics/mod.ts";
import type { Questionnaire } from "../configs/mod.ts";
import { consentCovers } from "../consent/mod.ts";
import { type Database, statement } from "../database/database.ts";
import type { TaskStore } from "../queue/store.ts";
import { visibleId } from "../queue/tenant.ts";
import type { Decision } from "../scoring/decision.ts";
import { isoDay } from "../scoring/dates.ts";
import { DAY_MS } from "../scoring/features.ts";
import { decodeDecision, decodePayload } from "../scoring/handler.ts";
import type { Campaign, CampaignClient } from "./views.ts";

/** How many of a tenant's latest applications lists are made of. */
const CAMPAIGN_WINDOW = 20_000;

/** Decisions that are read for one part of a list: about 0.1 ms each. */
const MOST_READ = 1000;
const PAGE = 200;

const APPROVALS = JSON.stringify(
  Object.entries(STEPS).flatMap(([event, step]) => step > 0 ? [event] : []),
);

/** A person who applied again since then is asked by the later application, or not at all. */
const CANDIDATES = `
  SELECT facts.number, tasks.id, tasks.created_at_ms, facts.told
  FROM facts JOIN tasks USING (number)
  WHERE facts.tenant = :tenant AND facts.number < :before AND facts.number > coalesce(
      (SELECT number FROM facts WHERE tenant = :tenant ORDER BY number DESC LIMIT 1 OFFSET ${CAMPAIGN_WINDOW}), 0)
    AND tasks.revision = :revision
    AND EXISTS (SELECT 1 FROM json_each(facts.estimate, '$.levers') WHERE key GLOB 'offer.*')
    AND NOT EXISTS (SELECT 1 FROM json_each(facts.told) WHERE value IN (SELECT value FROM json_each(:approvals)))
    AND (tasks.created_at_ms <= :lapsed OR EXISTS (SELECT 1 FROM json_each(facts.told) WHERE value = 'refused'))
    AND ${consentCovers("facts.number")}
    AND NOT EXISTS (
      SELECT 1 FROM application_subjects AS own JOIN application_subjects AS later USING (subject)
      WHERE own.number = facts.number AND own.row = 0 AND later.number > facts.number)
  ORDER BY facts.number DESC LIMIT ${PAGE}`;

/** The statements that pages use. */
export const CAMPAIGN_STATEMENTS = [CANDIDATES] as const;

export interface CampaignQuery {
  readonly tenant: string;
  readonly nowMs: number;
  /** Of the models and rules in service. */
  readonly revision: string;
  /** How old an application is of which no decision is known until its client counts as lapsed, in days. */
  readonly lapsedAfterDays: number;
  /** The most clients of one part. */
  readonly limit: number;
  /** `next` of the part before; absent: from the latest application on. */
  readonly before?: number | undefined;
  /** Absent: all clients. */
  readonly cohort?: Cohort | undefined;
}

interface Candidate {
  readonly number: number;
  readonly id: string;
  readonly createdAtMs: number;
  readonly told: Told;
}

interface CampaignParts {
  readonly database: Pick<Database, "read">;
  readonly store: Pick<TaskStore, "findEach" | "payloadEach">;
  readonly questionnaire: Questionnaire;
}

export class Campaigns {
  readonly #parts: CampaignParts;
  readonly #splits: readonly Split[];
  readonly #binsOf: ReturnType<typeof binsReader>;

  constructor(parts: CampaignParts) {
    this.#parts = parts;
    this.#splits = splitsOf(parts.questionnaire);
    this.#binsOf = binsReader(parts.questionnaire);
  }

  /** A part of the list, the latest application first; `undefined` where there is no such cohort. */
  async list(query: CampaignQuery): Promise<Campaign | undefined> {
    const isIn = this.#membership(query.cohort);
    if (isIn === undefined) return undefined;
    const clients: CampaignClient[] = [];
    let { before = Number.MAX_SAFE_INTEGER } = query;
    let looked = 0;
    while (clients.length < query.limit && looked < MOST_READ) {
      const page = await this.#candidates({ ...query, before });
      const ids = page.map(({ id }) => id);
      const [tasks, payloads] = [
        await this.#parts.store.findEach(ids),
        query.cohort === undefined ? undefined : await this.#parts.store.payloadEach(ids),
      ];
      for (const candidate of page) {
        if (clients.length === query.limit) break;
        before = candidate.number;
        looked += 1;
        const payload = payloads?.get(candidate.id);
        if (payloads !== undefined && (payload === undefined || !isIn(candidate, payload))) {
          continue;
        }
        const result = tasks.get(candidate.id)?.result ?? null;
        const offer = result === null
          ? undefined
          : bestOffer(decodeDecision(result), candidate.told);
        if (offer !== undefined) clients.push({ ...clientOf(candidate), ...offer });
      }
      const isLast = page.length < PAGE && page.at(-1)?.number === before;
      if (page.length === 0 || isLast) return campaignOf(clients, { looked });
    }
    return campaignOf(clients, { looked, next: before });
  }

  /** Whether an application belongs to the cohort; `undefined` where there is no such one. */
  #membership(
    cohort: Cohort | undefined,
  ): ((candidate: Candidate, payload: string) => boolean) | undefined {
    if (cohort === undefined) return () => true;
    const isIn = cohortTest(this.#splits, cohort);
    return isIn &&
      (({ createdAtMs: atMs }, payload) =>
        isIn(this.#binsOf({ answers: decodePayload(payload).answers, atMs })));
  }

  async #candidates(
    { tenant, revision, nowMs, lapsedAfterDays, before }: CampaignQuery & {
      readonly before: number;
    },
  ): Promise<Candidate[]> {
    const { rows } = await this.#parts.database.read(statement(CANDIDATES, {
      ...{ tenant, revision, before, now: nowMs, approvals: APPROVALS, purpose: "marketing" },
      lapsed: nowMs - lapsedAfterDays * DAY_MS,
    }));
    return rows.map((row) => ({
      number: Number(row.number),
      id: String(row.id),
      createdAtMs: Number(row.created_at_ms),
      told: JSON.parse(String(row.told)) as Told,
    }));
  }
}

/**
 * The likeliest offer that no rule of the policy warns of, of a bank that has not refused; of equally likely ones the first, which
 * changes least. `undefined` where there is none.
 */
export function bestOffer(
  { banks }: Pick<Decision, "banks">,
  told: Told,
): Omit<CampaignClient, "application" | "appliedOn" | "why"> | undefined {
  const open = banks.flatMap((bank) =>
    bank.status === "decided" && told[bank.bank] !== "refused"
      ? bank.offers.found.filter(({ rules }) => rules.length === 0)
        .map((offer) => ({ bank: bank.bank, title: bank.title, offer }))
      : []
  );
  const [first, ...others] = open;
  if (first === undefined) return undefined;
  const { bank, title, offer } = others.reduce(
    (best, next) => next.offer.probability > best.offer.probability ? next : best,
    first,
  );
  const { product, amount, term, downPayment, probability, interval } = offer;
  return { bank, title, product, amount, term, downPayment, probability, interval };
}

function clientOf({ id, createdAtMs, told }: Candidate) {
  return {
    application: visibleId(id),
    appliedOn: isoDay(createdAtMs),
    why: Object.values(told).includes("refused") ? "refused" as const : "lapsed" as const,
  };
}

function campaignOf(
  clients: CampaignClient[],
  { looked, next }: { readonly looked: number; readonly next?: number },
): Campaign {
  return {
    clients,
    expectedApprovals: clients.reduce((sum, { probability }) => sum + probability, 0),
    looked,
    ...next !== undefined && { next },
  };
}
