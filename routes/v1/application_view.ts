/** An application as it is shown: its status, and its decision when there is one. */
import { z } from "@hono/zod-openapi";
import type { DowngradedBand } from "../../analytics/mod.ts";
import { downgradedBandSchema } from "../../analytics/views.ts";
import type { Task } from "../../queue/store.ts";
import { decisionSchema } from "../../scoring/decision.ts";
import { decodeDecision } from "../../scoring/handler.ts";
import { Problem } from "./problems.ts";
import decisionExample from "./examples/decision.json" with { type: "json" };

/** What the ids of applications begin with; migration 3 tells their tasks by it. */
export const APPLICATION_PREFIX = "app_";

const STATUSES = {
  queued: "queued",
  leased: "scoring",
  done: "decided",
  dead: "failed",
} as const;

export { decisionExample };

const EXAMPLE_ID = `${APPLICATION_PREFIX}2c26b46b68ffc68ff99b453c1d304134`;

/** The same whether another tenant has such an application or nobody has. */
export function noApplication(id: string): Problem {
  return new Problem("not-found", { detail: `there is no application ${id.slice(0, 80)}` });
}

export const applicationIdSchema = z.string().openapi({ example: EXAMPLE_ID });

/** A copy: what was made before the library taught zod `openapi` has no such method. */
export const decisionView = decisionSchema.extend({}).openapi("Decision");

export const applicationViewSchema = z.object({
  id: applicationIdSchema,
  status: z.enum(Object.values(STATUSES)),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional().openapi({ description: "When it was decided, or failed" }),
  failure: z.string().optional().openapi({
    description: "Why it cannot be decided; banks that failed alone are named in the decision",
  }),
  decision: decisionView.optional(),
  downgraded: z.array(downgradedBandSchema.extend({}).openapi("DowngradedBand")).optional()
    .openapi({
      description: "Of the decision's bands those that the bank's later decisions show to be " +
        "overstated, as of the last minute: read `standing` instead of `band`. Absent where there is none",
    }),
}).openapi("Application");

export type ApplicationView = z.infer<typeof applicationViewSchema>;

export function statusOf({ state }: Pick<Task, "state">): ApplicationView["status"] {
  return STATUSES[state];
}

/** JSON text of the view: the stored decision goes in as it is, unread unless the tenant has bands that are downgraded. */
export function applicationText(task: Task, bands: readonly DowngradedBand[]): string {
  const text = JSON.stringify(viewWithoutDecision(task));
  if (task.result === null) return text;
  const mine = bands.length === 0 ? [] : downgradedIn(task.result, bands);
  const downgraded = mine.length === 0 ? "" : `,"downgraded":${JSON.stringify(mine)}`;
  return `${text.slice(0, -1)},"decision":${task.result}${downgraded}}`;
}

function downgradedIn(result: string, bands: readonly DowngradedBand[]): DowngradedBand[] {
  const { banks } = decodeDecision(result);
  return bands.filter(({ bank, band }) =>
    banks.some((one) => one.status === "decided" && one.bank === bank && one.odds.band === band)
  );
}

function viewWithoutDecision(task: Task): ApplicationView {
  const { id, attempt, error, createdAtMs, finishedAtMs } = task;
  return {
    id,
    status: statusOf(task),
    createdAt: new Date(createdAtMs).toISOString(),
    ...finishedAtMs !== null && { endedAt: new Date(finishedAtMs).toISOString() },
    ...task.state === "dead" && { failure: `after ${attempt} attempts: ${error}` },
  };
}

/** An application in a status, for the documentation. */
export function applicationExample(status: "queued" | "decided" | "failed"): object {
  const common = { id: EXAMPLE_ID, status, createdAt: "2026-01-31T09:00:00.000Z" };
  if (status === "queued") return common;
  const endedAt = "2026-01-31T09:00:00.007Z";
  return status === "failed"
    ? { ...common, endedAt, failure: "after 3 attempts: the worker died" }
    : { ...common, endedAt, decision: decisionExample };
}
