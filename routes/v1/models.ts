/** The models' life over HTTP: their versions, the steps from one to another, what a trial has shown, and the audit log. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { actorOf } from "../../access/mod.ts";
import { LifecycleError, type ModelLifecycle, VERSION } from "../../lifecycle/mod.ts";
import {
  auditPageSchema,
  comparisonSchema,
  modelsSchema,
  servingSchema,
} from "../../lifecycle/views.ts";
import { callerOf, permit } from "../access.ts";
import type { Limits } from "../limits.ts";
import { readJson } from "./body.ts";
import { MODEL_EXAMPLES as EXAMPLES } from "./model_examples.ts";
import { problemResponses } from "./problem_schema.ts";
import { fieldErrors, Problem } from "./problems.ts";

export interface ModelsOptions extends Limits {
  readonly lifecycle: ModelLifecycle;
}

// The models and the record are the whole service's, and no tenant's.
const READ = permit("read", { wholeService: true });
const OPERATE = permit("operate", { wholeService: true });

const versionSchema = z.string().regex(VERSION).openapi({
  description: "The name of its folder in models/",
  example: "2",
});
const versionParams = z.object({ version: versionSchema });

const challengeSchema = z.strictObject({
  version: versionSchema,
  share: z.number().min(0).max(1).openapi({
    description: "Share of applications that it answers; 0: it only scores beside the active one",
  }),
}).openapi("Challenge", { example: { version: "2", share: 0.1 } });

const auditQuery = z.object({
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "Entries before this sequence alone: `next` of the page before",
    example: 120,
  }),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  subject: z.string().max(200).optional().openapi({
    description: "Entries about this alone",
    example: "models/2",
  }),
});

const served = servingSchema.extend({}).openapi("ModelServing");

export function addModels(app: OpenAPIHono, options: ModelsOptions): void {
  addReads(app, options);
  addSteps(app, options);
  addChallenger(app, options);
  addAudit(app, options);
}

function addReads(app: OpenAPIHono, { lifecycle }: ModelsOptions): void {
  const list = createRoute({
    method: "get",
    path: "/v1/models",
    operationId: "listModels",
    tags: ["Models"],
    summary: "The versions of the models, and which of them answers",
    responses: {
      200: {
        description: "Every version in the folder of models, and every registered one",
        content: json(modelsSchema.extend({}).openapi("Models"), EXAMPLES.models),
      },
      ...problemResponses("unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(list);
  app.get(list.path, READ, async (c) => c.json(await lifecycle.models(), 200));

  const card = createRoute({
    method: "get",
    path: "/v1/models/{version}/card",
    operationId: "getModelCard",
    tags: ["Models"],
    summary: "A version's model card",
    request: { params: versionParams },
    responses: {
      200: {
        description: "Markdown",
        content: { "text/markdown": { schema: z.string(), example: EXAMPLES.card } },
      },
      ...problemResponses("invalid-request", "not-found"),
    },
  });
  app.openAPIRegistry.registerPath(card);
  app.get("/v1/models/:version/card", READ, async (c) => {
    const text = await lifecycle.card(versionOf(c));
    if (text === undefined) throw new Problem("not-found", { detail: "it has no model card" });
    return c.body(text, 200, { "Content-Type": "text/markdown; charset=utf-8" });
  });

  const comparison = createRoute({
    method: "get",
    path: "/v1/models/comparison",
    operationId: "compareModels",
    tags: ["Models"],
    summary: "What the latest trial of a challenger has shown",
    responses: {
      200: {
        description: "On the latest applications that both versions scored",
        content: json(comparisonSchema.extend({}).openapi("ModelComparison"), EXAMPLES.comparison),
      },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(comparison);
  app.get(comparison.path, READ, async (c) => {
    const found = await lifecycle.comparison();
    if (found === undefined) {
      throw new Problem("not-found", { detail: "no version was tried, or nothing was scored yet" });
    }
    return c.json(found, 200);
  });
}

/** The steps that name a version, and the one that names none. */
function addSteps(app: OpenAPIHono, { lifecycle }: ModelsOptions): void {
  const steps = [
    ["register", "registerModels", "Put the hashes of a version's files on record"],
    [
      "activate",
      "activateModels",
      "Have a version answer from now on, once it has passed its checks",
    ],
  ] as const;
  for (const [step, operationId, summary] of steps) {
    app.openAPIRegistry.registerPath(createRoute({
      method: "post",
      path: `/v1/models/{version}/${step}`,
      ...{ operationId, summary, tags: ["Models"] },
      request: { params: versionParams },
      responses: stepResponses("invalid-request"),
    }));
    app.post(`/v1/models/:version/${step}`, OPERATE, async (c) =>
      c.json(
        await refusing(() => lifecycle[step](versionOf(c), actorOf(callerOf(c)))),
        200,
      ));
  }
  const rollback = createRoute({
    method: "post",
    path: "/v1/models/rollback",
    operationId: "rollBackModels",
    tags: ["Models"],
    summary: "Activate the version that was active before",
    responses: stepResponses(),
  });
  app.openAPIRegistry.registerPath(rollback);
  app.post(
    rollback.path,
    OPERATE,
    async (c) => c.json(await refusing(() => lifecycle.rollback(actorOf(callerOf(c)))), 200),
  );
}

function addChallenger(app: OpenAPIHono, options: ModelsOptions): void {
  const { lifecycle } = options;
  const put = createRoute({
    method: "put",
    path: "/v1/models/challenger",
    operationId: "challengeModels",
    tags: ["Models"],
    summary: "Try a version beside the active one",
    description: "It scores what the active one answers, after the answer. With a share it also " +
      "answers that share of the applications, always the same ones.",
    request: {
      body: { required: true, content: { "application/json": { schema: challengeSchema } } },
    },
    responses: {
      ...stepResponses(),
      ...problemResponses(
        "step-refused",
        "unreadable-body",
        "request-timeout",
        "body-too-large",
        "unsupported-media-type",
        "invalid-request",
        "unavailable",
      ),
    },
  });
  app.openAPIRegistry.registerPath(put);
  app.put(put.path, OPERATE, async (c) => {
    const { version, share } = await readJson(c, challengeSchema, options);
    return c.json(
      await refusing(() => lifecycle.challenge(version, { share, actor: actorOf(callerOf(c)) })),
      200,
    );
  });
  const end = createRoute({
    method: "delete",
    path: "/v1/models/challenger",
    operationId: "endChallenge",
    tags: ["Models"],
    summary: "End the trial",
    responses: stepResponses(),
  });
  app.openAPIRegistry.registerPath(end);
  app.delete(
    end.path,
    OPERATE,
    async (c) => c.json(await refusing(() => lifecycle.endChallenge(actorOf(callerOf(c)))), 200),
  );
}

function addAudit(app: OpenAPIHono, { lifecycle }: ModelsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/audit",
    operationId: "listAudit",
    tags: ["Service"],
    summary: "Who did what, the latest first",
    request: { query: auditQuery },
    responses: {
      200: {
        description: "A page of the audit log",
        content: json(auditPageSchema.extend({}).openapi("AuditPage"), EXAMPLES.audit),
      },
      ...problemResponses("invalid-request", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, OPERATE, async (c) => {
    const read = auditQuery.safeParse(c.req.query());
    if (!read.success) throw wrongParameters(read.error);
    const { before, subject, limit } = read.data;
    return c.json(
      await lifecycle.audit({
        limit,
        ...before !== undefined && { before },
        ...subject !== undefined && { subject },
      }),
      200,
    );
  });
}

/** The version that the path names. */
function versionOf(c: Context): string {
  const read = versionParams.safeParse(c.req.param());
  if (!read.success) throw wrongParameters(read.error);
  return read.data.version;
}

function wrongParameters(error: z.ZodError): Problem {
  return new Problem("invalid-request", {
    errors: fieldErrors(error).map(({ detail, pointer = "" }) => ({
      detail,
      parameter: pointer.slice(2),
    })),
  });
}

function stepResponses(...special: "invalid-request"[]) {
  return {
    200: { description: "What is served now", content: json(served, EXAMPLES.serving) },
    ...problemResponses(...special, "step-refused", "unavailable"),
  };
}

function json<S extends z.ZodType>(schema: S, example: unknown) {
  return { "application/json": { schema, example } };
}

async function refusing<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    throw new Problem("step-refused", { detail: error.message });
  }
}
