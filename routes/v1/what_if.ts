/** What would be decided: at once, through no queue, and stored nowhere. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Questionnaire } from "../../configs/mod.ts";
import { type Curve, curveSchema, type Decision } from "../../scoring/decision.ts";
import type { Application } from "../../scoring/score.ts";
import { permit } from "../access.ts";
import { applicationSchema, givenAnswers } from "./application_schema.ts";
import { decisionExample, decisionView } from "./application_view.ts";
import type { Limits } from "../limits.ts";
import { readJson } from "./body.ts";
import { refuseProbes } from "./probes.ts";
import { problemResponses } from "./problem_schema.ts";

export interface WhatIfOptions extends Limits {
  readonly questionnaire: Questionnaire;
  /** Decides without the queue, and gives each bank's chance over all amounts at the term asked for. */
  readonly explore: (
    application: Application,
  ) => Promise<{ readonly decision: Decision; readonly curves: readonly Curve[] }>;
}

const whatIfSchema = z.object({
  decision: decisionView,
  curves: z.array(curveSchema.extend({}).openapi("AmountCurve")).openapi({
    description: "Of each bank that could be asked; none where no term is given",
  }),
}).openapi("WhatIf");

const WHAT_IF_EXAMPLE = {
  decision: decisionExample,
  curves: [{
    bank: "bank_a",
    term: 18,
    pieces: [
      { from: 5000, to: 120_000, probability: 0.62 },
      { from: 121_000, to: 500_000, probability: 0.44 },
    ],
  }],
};

export function addWhatIf(app: OpenAPIHono, options: WhatIfOptions): void {
  const { questionnaire, now, explore } = options;
  const schema = applicationSchema(questionnaire);
  const route = createRoute({
    method: "post",
    path: "/v1/what-if",
    operationId: "whatIf",
    tags: ["What-if"],
    summary: "Ask what would be decided, and how each bank's chance depends on the amount",
    description: "Answered at once and stored nowhere.",
    request: { body: { required: true, content: { "application/json": { schema } } } },
    responses: {
      200: {
        description: "What would be decided",
        content: {
          "application/json": { schema: whatIfSchema, example: WHAT_IF_EXAMPLE },
        },
      },
      ...problemResponses(
        "unreadable-body",
        "request-timeout",
        "body-too-large",
        "unsupported-media-type",
        "invalid-request",
        "too-many-probes",
      ),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("submit"), async (c) => {
    const answers = givenAnswers(await readJson(c, schema, options));
    const refused = await refuseProbes(c, answers, options);
    if (refused !== undefined) return refused;
    const { decision, curves } = await explore({ answers, atMs: now() });
    return c.json({ decision, curves }, 200);
  });
}
