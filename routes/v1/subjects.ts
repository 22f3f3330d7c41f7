/**
 * A person's rights: to see what is stored, to have it erased, to take back what was agreed to. The reference of the person stands
 * in bodies alone, for addresses end up in logs.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { actorOf } from "../../access/mod.ts";
import { EVENTS } from "../../analytics/mod.ts";
import type { StoredApplication, Subjects } from "../../privacy/mod.ts";
import { visibleId } from "../../queue/tenant.ts";
import { decodeRow } from "../../scoring/chunk.ts";
import { decodePayload } from "../../scoring/handler.ts";
import { callerOf, permit } from "../access.ts";
import type { Limits } from "../limits.ts";
import { readJson } from "./body.ts";
import { agreementSchema, agreementView } from "./consent.ts";
import { problemResponses } from "./problem_schema.ts";
import { Problem } from "./problems.ts";
import { mustRead, subjectSchema, type TermsOptions, termsReader } from "./terms.ts";

export interface SubjectsOptions extends Limits, TermsOptions {
  readonly subjects: Pick<Subjects, "report" | "erase" | "withdraw">;
}

const EXAMPLE_ID = "app_2c26b46b68ffc68ff99b453c1d304134";
const time = z.iso.datetime();

const personSchema = z.strictObject({ subject: subjectSchema }).openapi("Person", {
  example: { subject: "client-4711" },
});

const askedSchema = z.strictObject({
  subject: subjectSchema,
  after: z.int().min(1).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "`next` of the part before; absent: from the beginning",
  }),
}).openapi("ReportRequest", { example: { subject: "client-4711" } });

const storedSchema = z.object({
  id: z.string().openapi({ description: "The application's; of a row, the batch's" }),
  row: z.int().optional().openapi({ description: "Of a batch: from 1" }),
  status: z.enum(["queued", "leased", "done", "dead"]),
  createdAt: time,
  endedAt: time.optional(),
  answers: z.record(z.string(), z.union([z.string(), z.number()])).openapi({
    description: "As they were sent",
  }),
  result: z.unknown().optional().openapi({
    description: "The decision with its reasons, or the probabilities, as it was given",
  }),
  agreements: z.array(agreementSchema),
  outcomes: z.array(z.object({
    bank: z.string(),
    decision: z.enum(EVENTS),
    decidedAt: time,
    recordedAt: time,
    amount: z.number().optional(),
    term: z.int().optional(),
  })).openapi({ description: "What banks are said to have decided" }),
  trials: z.array(z.object({
    at: time,
    champion: z.string(),
    challenger: z.string(),
    banks: z.array(z.string()),
    scores: z.array(z.number().nullable()).openapi({
      description: "The champion's of each bank, then the challenger's",
    }),
  })).openapi({ description: "What models on trial gave beside the answer" }),
  derived: z.object({ estimate: z.unknown(), told: z.unknown() }).optional().openapi({
    description: "What the overview counts it by",
  }),
  notices: z.array(z.object({ type: z.string(), endpoint: z.string(), at: time })).openapi({
    description: "Who was told, or will be, that it has ended; nothing of the answers is",
  }),
  record: z.array(z.object({
    at: time,
    actor: z.string(),
    action: z.string(),
    details: z.unknown(),
  })).openapi({ description: "Its entries in the audit log, the latest first" }),
}).openapi("StoredApplication");

const reportSchema = z.object({
  applications: z.array(storedSchema),
  next: z.int().optional().openapi({
    description: "`after` of the next part; absent on the last one",
  }),
}).openapi("PersonReport", {
  example: {
    applications: [{
      id: EXAMPLE_ID,
      status: "queued",
      createdAt: "2026-01-31T09:00:00.000Z",
      answers: { monthprofit: 180_000, loan_amount: 137_000 },
      ...{ agreements: [], outcomes: [], trials: [], notices: [], record: [] },
    }],
  },
});

const erasedSchema = z.object({
  applications: z.int().openapi({ description: "Those of which nothing is left" }),
  rows: z.int().openapi({
    description: "Rows of batches of which nothing is left but their place",
  }),
  beingScored: z.array(z.object({ id: z.string(), row: z.int().optional() })).openapi({
    description:
      "Applications and rows of which nothing was removed: ask again when they have ended",
  }),
}).openapi("PersonErasure", { example: { applications: 3, rows: 0, beingScored: [] } });

const PROBLEMS = [
  ...["unreadable-body", "request-timeout", "body-too-large"] as const,
  ...["unsupported-media-type", "invalid-request", "not-found", "unavailable"] as const,
] as const;

function bodyOf<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

export function addSubjects(app: OpenAPIHono, options: SubjectsOptions): void {
  addReport(app, options);
  addErasure(app, options);
  addWithdrawal(app, options);
}

function addReport(app: OpenAPIHono, options: SubjectsOptions): void {
  const route = createRoute({
    method: "post",
    path: "/v1/subjects/report",
    operationId: "reportSubject",
    tags: ["Persons"],
    summary: "Read all that is stored of a person",
    description:
      "Of the applications and rows that came with this reference, in parts; that it was read is put on record.",
    request: bodyOf(askedSchema),
    responses: {
      200: {
        description: "A part of it",
        content: { "application/json": { schema: reportSchema } },
      },
      ...problemResponses(...PROBLEMS),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("read"), async (c) => {
    const { subject, after } = await readJson(c, askedSchema, options);
    const report = await options.subjects.report(
      hashOf(c, subject, options),
      actorOf(callerOf(c)),
      after,
    );
    if (report === undefined) throw nothing();
    c.header("Cache-Control", "no-store");
    return c.json({
      applications: report.applications.map((each) => storedView(each, options.now())),
      ...report.next !== undefined && { next: report.next },
    }, 200);
  });
}

function addErasure(app: OpenAPIHono, options: SubjectsOptions): void {
  const route = createRoute({
    method: "post",
    path: "/v1/subjects/erasure",
    operationId: "eraseSubject",
    tags: ["Persons"],
    summary: "Remove all applications of a person",
    description:
      "Each as `DELETE /v1/applications/{id}` does. Rows of batches keep their places, as refused ones.",
    request: bodyOf(personSchema),
    responses: {
      200: {
        description: "What is gone, and what is not",
        content: { "application/json": { schema: erasedSchema } },
      },
      ...problemResponses(...PROBLEMS),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("operate"), async (c) => {
    const { subject } = await readJson(c, personSchema, options);
    const erasure = await options.subjects.erase(
      hashOf(c, subject, options),
      actorOf(callerOf(c)),
    );
    if (erasure === undefined) throw nothing();
    return c.json({
      applications: erasure.applications,
      rows: erasure.rows,
      beingScored: erasure.atWork.map(({ id, ...row }) => ({ id: visibleId(id), ...row })),
    }, 200);
  });
}

function addWithdrawal(app: OpenAPIHono, options: SubjectsOptions): void {
  const route = createRoute({
    method: "post",
    path: "/v1/subjects/withdrawal",
    operationId: "withdrawSubject",
    tags: ["Persons"],
    summary: "Withdraw all that a person agreed to",
    description: "For every application and row that came with this reference.",
    request: bodyOf(personSchema),
    responses: {
      204: { description: "Nothing is in force any more, and that is on record" },
      ...problemResponses(...PROBLEMS),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("submit"), async (c) => {
    const { subject } = await readJson(c, personSchema, options);
    const hash = hashOf(c, subject, options);
    if (await options.subjects.withdraw(hash, actorOf(callerOf(c)), options.now())) {
      return c.body(null, 204);
    }
    throw nothing();
  });
}

/** The same whether another tenant has such a person or nobody has. */
function nothing(): Problem {
  return new Problem("not-found", { detail: "nothing is stored of such a person" });
}

function hashOf(c: Context, subject: string, options: TermsOptions): string {
  return mustRead(termsReader(options, callerOf(c).tenant), { subject })?.subject ?? "";
}

function storedView(
  { id, row, task, payload, ...stored }: StoredApplication,
  nowMs: number,
): z.infer<typeof storedSchema> {
  const sent = row === undefined
    ? { answers: decodePayload(payload).answers, result: JSON.parse(task.result ?? "null") }
    : decodeRow(payload, task.result, row.place);
  return {
    id: visibleId(id),
    ...row && { row: row.number },
    status: task.state as z.infer<typeof storedSchema>["status"],
    createdAt: isoOf(task.createdAtMs),
    ...task.finishedAtMs !== null && { endedAt: isoOf(task.finishedAtMs) },
    answers: Object.fromEntries(
      Object.entries(sent.answers).flatMap(([field, answer]) =>
        typeof answer === "string" || typeof answer === "number" ? [[field, answer]] : []
      ),
    ),
    ...sent.result !== null && { result: sent.result },
    agreements: stored.agreements.map((agreement) => agreementView(agreement, nowMs)),
    outcomes: stored.outcomes.map(({ bank, event, decidedAtMs, recordedAtMs, ...loan }) => ({
      bank,
      decision: event as z.infer<typeof storedSchema>["outcomes"][number]["decision"],
      decidedAt: isoOf(decidedAtMs),
      recordedAt: isoOf(recordedAtMs),
      ...loan.amount !== null && { amount: loan.amount },
      ...loan.termMonths !== null && { term: loan.termMonths },
    })),
    trials: stored.trials.map(({ atMs, champion, challenger, banks, scores }) => ({
      ...{ at: isoOf(atMs), champion, challenger, banks: [...banks] },
      scores: scores.map((score) => Number.isNaN(score) ? null : score),
    })),
    ...stored.derived && { derived: stored.derived },
    notices: stored.notices.map(({ atMs, ...notice }) => ({ ...notice, at: isoOf(atMs) })),
    record: stored.entries.map(({ atMs, actor, action, details }) => ({
      ...{ at: isoOf(atMs), actor, action, details: JSON.parse(details) },
    })),
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
