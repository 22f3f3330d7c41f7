/** What became of applications: the ledger, changes of banks, and where applications are won and lost. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  bankChangesSchema,
  bankLedgerSchema,
  cohortsSchema,
  overviewSchema,
} from "../../analytics/views.ts";
import { COHORT_MEASURES, type Cohorts } from "../../analytics/mod.ts";
import type { Campaigns } from "../../campaigns/mod.ts";
import { campaignSchema } from "../../campaigns/views.ts";
import { callerOf, permit } from "../access.ts";
import type { OutcomesOptions } from "./outcomes.ts";
import { problemResponses } from "./problem_schema.ts";
import { fieldErrors, Problem } from "./problems.ts";

export interface AnalyticsOptions extends Pick<OutcomesOptions, "analytics" | "now"> {
  readonly campaigns: Pick<Campaigns, "list">;
  readonly cohorts: Pick<Cohorts, "find">;
  /** Of the models and rules in service. */
  readonly revision: () => string;
}

const ledgerSchema = z.object({
  banks: z.array(bankLedgerSchema.extend({}).openapi("BankLedger")),
}).openapi("Ledger");

const LEDGER_EXAMPLE = {
  banks: [{
    bank: "bank_a",
    title: { ru: "Банк А", en: "Bank A" },
    ...{ outcomes: 120, approved: 66, expected: 0.56, brier: 0.21 },
    rate: { value: 0.55, low: 0.461, high: 0.636 },
    auc: { value: 0.72, low: 0.63, high: 0.81 },
    bands: [{
      band: "good",
      title: { ru: "Средние шансы", en: "Good" },
      ...{ from: 0.4, to: 0.6, outcomes: 120, approved: 66, expected: 0.56 },
      rate: { value: 0.55, low: 0.461, high: 0.636 },
      ...{ state: "holds" as const, standing: "good" },
      standingTitle: { ru: "Средние шансы", en: "Good" },
    }],
  }],
};

const cohortSchema = z.object({
  split: z.string().max(64).optional().openapi({
    description: "Id of a question with a list of answers",
    example: "employment_status",
  }),
  bin: z.string().max(64).optional().openapi({
    description:
      "Place of the answer in the questionnaire, from 0; `none`: no answer, `other`: one that is not listed",
    example: "6",
  }),
});

const driftSchema = z.object({
  banks: z.array(bankChangesSchema.extend({}).openapi("BankChanges")),
}).openapi("Drift");

const DRIFT_EXAMPLE = {
  banks: [{
    bank: "bank_a",
    title: { ru: "Банк А", en: "Bank A" },
    ...{ decisions: 2140, watched: 1640 },
    changes: [{
      direction: "tightened" as const,
      since: "2026-05-12T09:00:00.000Z",
      foundAt: "2026-05-19T16:30:00.000Z",
      ...{ decisions: 131, expected: 0.57, approved: 0.38 },
      text: {
        ru: "Банк А: с 12 мая 2026 г. одобряет реже",
        en: "Bank A has tightened since May 12, 2026",
      },
    }],
  }],
};

export function addAnalytics(app: OpenAPIHono, options: AnalyticsOptions): void {
  addLedger(app, options);
  addOverview(app, options);
  addDrift(app, options);
  addCohorts(app, options);
  addCampaign(app, options);
}

function addLedger(app: OpenAPIHono, { analytics }: AnalyticsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/analytics/ledger",
    operationId: "getLedger",
    tags: ["Outcomes"],
    summary: "What was estimated beside what banks then decided, by bank and band",
    description: "With `split` and `bin` of one cohort: the clients who gave one answer to one " +
      "question, among each bank's latest 5,000 decisions. It covers what was told alone: who tells of approvals more " +
      "readily than of refusals makes every band look better than it is.",
    request: { query: cohortSchema },
    responses: {
      200: {
        description: "Of the decisions that were told",
        content: { "application/json": { schema: ledgerSchema, example: LEDGER_EXAMPLE } },
      },
      ...problemResponses("invalid-request", "not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("read"), async (c) => {
    const { tenant } = callerOf(c);
    const { split, bin } = readCohort(c);
    if (split === undefined || bin === undefined) {
      return c.json({ banks: await analytics.ledger(tenant) }, 200);
    }
    const banks = await analytics.cohortLedger(tenant, { split, bin });
    if (banks !== undefined) return c.json({ banks }, 200);
    throw noCohort(split, bin);
  });
}

function noCohort(split = "", bin = ""): Problem {
  return new Problem("not-found", { detail: `there is no cohort ${split}, ${bin}` });
}

/** Both or none. Throws a `Problem`. */
function readCohort(c: Context): z.infer<typeof cohortSchema> {
  const parsed = cohortSchema.safeParse(c.req.query());
  if (!parsed.success) throw new Problem("invalid-request", { errors: fieldErrors(parsed.error) });
  const { split, bin } = parsed.data;
  if ((split === undefined) === (bin === undefined)) return parsed.data;
  throw new Problem("invalid-request", { detail: "split and bin name a cohort together" });
}

function addDrift(app: OpenAPIHono, { analytics, now }: AnalyticsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/analytics/drift",
    operationId: "getDrift",
    tags: ["Outcomes"],
    summary: "When each bank began to decide otherwise, and on whom",
    description: "Of the decisions that were told, the latest 5,000 of each bank, as of the last " +
      "minute: a risk-adjusted CUSUM over all clients and over each answer of the questionnaire.",
    responses: {
      200: {
        description: "Every bank, with the changes that were found",
        content: { "application/json": { schema: driftSchema, example: DRIFT_EXAMPLE } },
      },
      ...problemResponses("unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(
    route.path,
    permit("read"),
    async (c) => c.json({ banks: await analytics.changes(callerOf(c).tenant, now()) }, 200),
  );
}

const periodSchema = z.object({
  days: z.coerce.number().int().min(1).max(366)
    .default(90).openapi({
      description: "How many days back, today with them",
      example: 30,
    }),
});

const COUNTED = { applied: 120, scored: 120, recommended: 80, sent: 60, approved: 33, funded: 21 };

const OVERVIEW_EXAMPLE = {
  ...{ from: "2026-01-02", to: "2026-01-31" },
  days: [{ date: "2026-01-31", ...COUNTED }],
  funnel: COUNTED,
  banks: [{
    bank: "bank_a",
    title: { ru: "Банк А", en: "Bank A" },
    ...{ ...COUNTED, decided: 60, expected: 0.56 },
    rate: { value: 0.55, low: 0.425, high: 0.669 },
  }],
  losses: [{
    code: "refused",
    text: { ru: "Отказали банки", en: "Refused by the banks" },
    clients: 27,
  }],
  levers: [{
    code: "offer.amount",
    text: { ru: "Другая сумма", en: "Another amount" },
    ...{ clients: 12, expectedApprovals: 8.1 },
  }],
};

function addOverview(app: OpenAPIHono, { analytics, now }: AnalyticsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/analytics/overview",
    operationId: "getOverview",
    tags: ["Outcomes"],
    summary: "Where applications are won and lost",
    description:
      "From application to money, by day and bank; why clients are lost, and what would have won them. " +
      "Counted in the background, a little behind; rows of batches are not in it.",
    request: { query: periodSchema },
    responses: {
      200: {
        description: "Of the applications that were made in these days",
        content: {
          "application/json": {
            schema: overviewSchema.extend({}).openapi("Overview"),
            example: OVERVIEW_EXAMPLE,
          },
        },
      },
      ...problemResponses("invalid-request", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("read"), async (c) => {
    const period = periodSchema.safeParse(c.req.query());
    if (!period.success) {
      throw new Problem("invalid-request", { errors: fieldErrors(period.error) });
    }
    const { tenant } = callerOf(c);
    return c.json(await analytics.overview(tenant, { ...period.data, nowMs: now() }), 200);
  });
}

const campaignQuerySchema = cohortSchema.extend({
  lapsedAfterDays: z.coerce.number().int().min(0).max(366).default(30).openapi({
    description:
      "How old an application is, of which no decision is known, until its client counts as lapsed",
    example: 30,
  }),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "`next` of the part before; absent: from the latest application on",
    example: 18_250,
  }),
});

const CAMPAIGN_EXAMPLE = {
  clients: [{
    application: "app_2c26b46b68ffc68ff99b453c1d304134",
    ...{ appliedOn: "2026-01-31", why: "refused" as const, bank: "bank_c" },
    title: { ru: "Банк В", en: "Bank C" },
    ...{ product: "standard", amount: 90_000, term: 24, downPayment: 0, probability: 0.71 },
    interval: { low: 0.62, high: 0.79, level: 0.9 },
  }],
  ...{ expectedApprovals: 0.71, looked: 1 },
};

function addCampaign(app: OpenAPIHono, { campaigns, revision, now }: AnalyticsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/analytics/campaign",
    operationId: "getCampaign",
    tags: ["Outcomes"],
    summary: "Whom to call back, and with which offer",
    description:
      "Of the latest 20,000 applications those that were refused, or lapsed, and for whom an offer clears the target by the " +
      "models and rules in service; only clients whose consent to `marketing` is in force, each person once. Rows of " +
      "batches are not in it.",
    request: { query: campaignQuerySchema },
    responses: {
      200: {
        description: "A part of the list",
        content: {
          "application/json": {
            schema: campaignSchema.extend({}).openapi("Campaign"),
            example: CAMPAIGN_EXAMPLE,
          },
        },
      },
      ...problemResponses("invalid-request", "not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("read"), async (c) => {
    const { split, bin } = readCohort(c);
    const query = campaignQuerySchema.safeParse(c.req.query());
    if (!query.success) throw new Problem("invalid-request", { errors: fieldErrors(query.error) });
    const { lapsedAfterDays, limit, before } = query.data;
    const campaign = await campaigns.list({
      ...{ tenant: callerOf(c).tenant, revision: revision(), nowMs: now() },
      ...{ lapsedAfterDays, limit, before },
      ...split !== undefined && bin !== undefined && { cohort: { split, bin } },
    });
    if (campaign === undefined) throw noCohort(split, bin);
    c.header("Cache-Control", "no-store");
    return c.json(campaign, 200);
  });
}

const measureSchema = z.object({
  by: z.enum(COHORT_MEASURES).default("decided").openapi({
    description:
      "decided: the share that a bank approved, of clients on whom one decided; estimated: the best chance, of all clients",
  }),
  split: z.string().max(64).optional().openapi({
    description: "Id of a question by whose answers all clients are told apart as well",
    example: "monthprofit",
  }),
});

const COHORTS_EXAMPLE = {
  ...{ measure: "decided" as const, clients: 4210, mean: 0.52, higher: [] },
  fields: [{ field: "employment_status", title: { ru: "Занятость", en: "Employment" } }],
  lower: [{
    conditions: [{
      field: "employment_status",
      text: { ru: "Занятость: Собственное дело", en: "Employment: Own business" },
    }],
    ...{ clients: 214, value: 0.27, others: 0.53, expected: 0.51, decided: 214, uplift: 12.4 },
    rate: { value: 0.27, low: 0.215, high: 0.333 },
  }],
};

function addCohorts(app: OpenAPIHono, { cohorts, now }: AnalyticsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/analytics/cohorts",
    operationId: "getCohorts",
    tags: ["Outcomes"],
    summary: "Which clients are approved less, or more, than the others",
    description:
      "Found among the latest 5,000 applications, as of the last ten minutes: clients for whom up to three conditions on their " +
      "answers hold together and who differ beyond chance. Fewer than 5 clients are never told apart. Rows of batches are not in it.",
    request: { query: measureSchema },
    responses: {
      200: {
        description: "What was found",
        content: {
          "application/json": {
            schema: cohortsSchema.extend({}).openapi("Cohorts"),
            example: COHORTS_EXAMPLE,
          },
        },
      },
      ...problemResponses("invalid-request", "not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("read"), async (c) => {
    const query = measureSchema.safeParse(c.req.query());
    if (!query.success) throw new Problem("invalid-request", { errors: fieldErrors(query.error) });
    const { by: measure, split } = query.data;
    const found = await cohorts.find(callerOf(c).tenant, { measure, split, nowMs: now() });
    if (found !== undefined) return c.json(found, 200);
    throw new Problem("not-found", {
      detail: `there is no question ${split} to tell clients apart by`,
    });
  });
}
