/**
 * The reference's three steps: upload the answers, ask whether the task is finished, get the probabilities. Bodies and errors
 * are the reference's to the letter; what it leaves open (a task that failed for good) says so instead of waiting for ever.
 */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, Handler } from "hono";
import type { Banks, Questionnaire } from "../configs/mod.ts";
import type { Task } from "../queue/store.ts";
import type { QueueParts } from "../queue/tenant.ts";
import { decodeResult, encodePayload } from "../scoring/handler.ts";
import { pythonFloatRepr } from "../scoring/python_repr.ts";
import { taskId } from "../scoring/task_id.ts";
import { own, permit } from "./access.ts";
import type { Limits } from "./limits.ts";
import { problem } from "./problems.ts";
import { readBytes } from "./request_body.ts";
import { readTaskQuery } from "./task_query.ts";
import { answersSchema, readUpload } from "./upload_body.ts";

export interface ContractOptions extends QueueParts, Limits {
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
}

const taskIdSchema = z.string().openapi({
  description: "SHA-1 of the questionnaire",
  example: "0bf47865db14802e29de4d4f769c00b97966a691",
});

/** Tasks of the v1 API, whose results are of another kind. */
const OF_V1 = /^(app|chk)_/;

const detailSchema = z.object({ detail: z.string() }).openapi("Problem");

/** What is answered to a wrong key, or to one too often. */
const keyResponses = {
  401: { description: "A valid API key is needed", content: json(detailSchema) },
  403: { description: "The role of the key does not allow it", content: json(detailSchema) },
  429: { description: "Too many requests with this key", content: json(detailSchema) },
};

const validationSchema = z.object({
  detail: z.array(z.object({
    type: z.string().openapi({ example: "string_type" }),
    loc: z.array(z.union([z.string(), z.int()])).openapi({ example: ["body", "goods_category"] }),
    msg: z.string().openapi({ example: "Input should be a valid string" }),
    input: z.unknown().openapi({ description: "What was sent" }),
    url: z.string().optional(),
    ctx: z.record(z.string(), z.unknown()).optional(),
  })),
}).openapi("ValidationProblem");

const uploadedSchema = z.object({
  task_id: taskIdSchema,
  is_complete: z.boolean().openapi({ description: "Whether the result can be fetched now" }),
}).openapi("UploadedTask");

export function contractRoutes(options: ContractOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  addUpload(app, options);
  addCheck(app, options);
  addResult(app, options);
  return app;
}

function addUpload(app: OpenAPIHono, options: ContractOptions): void {
  const { questionnaire, limits, after } = options;
  const schema = answersSchema(questionnaire.fields.map(({ id, type, label, example }) => ({
    id,
    type,
    description: `${label.ru} (${label.en})`,
    example,
  })));
  const route = createRoute({
    method: "post",
    path: "/upload_features",
    operationId: "uploadFeatures",
    tags: ["Reference contract"],
    summary: "Upload a questionnaire",
    description: "An absent or null field is a missing answer. The same answers are the same task.",
    request: {
      body: { required: true, content: json(schema.openapi("FeaturesStructure")) },
    },
    responses: {
      201: { description: "The task, new or known", content: json(uploadedSchema) },
      400: { description: "The body cannot be read", content: json(detailSchema) },
      ...keyResponses,
      408: { description: "The body did not come in time", content: json(detailSchema) },
      413: { description: "The body is too large", content: json(detailSchema) },
      422: { description: "The answers are not valid", content: json(validationSchema) },
      429: {
        description: "Too many uploads or tasks wait, or too many requests came with this key",
        content: json(detailSchema),
      },
      503: { description: "The database is not available", content: json(detailSchema) },
    },
  });
  describe(app, route);
  app.post(route.path, permit("submit"), async (c) => {
    const bytes = await readBytes(c.req.raw, {
      ...{ maxBytes: limits.bodyBytes, timeoutMs: limits.bodyMs, after },
    });
    const read = readUpload(bytes, { contentType: c.req.header("content-type"), schema });
    if (!read.ok) return jsonText(c, read);
    const id = taskId(read.answers, questionnaire.fields);
    const state = await own(c, options).enqueue({ id, payload: encodePayload(read.answers) });
    if (state === "refused") return problem(c, "queueFull");
    return c.json({ task_id: id, is_complete: state === "done" }, 201);
  });
}

function addCheck(app: OpenAPIHono, options: ContractOptions): void {
  const handler = taskHandler(options, (c, task) => c.json(task.state === "done"));
  const summary = "Ask whether the result is there";
  for (
    const [path, operationId] of [["/check_task", "checkTask"], [
      "/check_state",
      "checkState",
    ]] as const
  ) {
    describe(app, taskRoute(path, { operationId, summary, ok: z.boolean() }));
    app.get(path, permit("submit"), handler);
  }
}

function addResult(app: OpenAPIHono, options: ContractOptions): void {
  const probability = z.string().openapi({ example: "0.40770822763442993" });
  const ok = z.object({
    task_id: taskIdSchema,
    ...Object.fromEntries(options.banks.banks.map(({ id, title }) => [
      id,
      probability.openapi({ description: `Approval probability: ${title.ru} (${title.en})` }),
    ])),
  }).openapi("Result");
  const path = "/get_result";
  const summary = "Get the approval probability for each bank";
  describe(app, taskRoute(path, { operationId: "getResult", summary, ok }));
  app.get(
    path,
    permit("submit"),
    taskHandler(options, (c, { id, result }) => {
      if (result === null) return problem(c, "taskNotFinished");
      const { probabilities, withoutEvidence } = decodeResult(result);
      const texts = Object.entries(probabilities)
        .map(([bank, value]) => [bank, pythonFloatRepr(value)]);
      if (withoutEvidence) c.header("Prescore-No-Evidence", withoutEvidence.join(", "));
      return c.json({ task_id: id, ...Object.fromEntries(texts) });
    }),
  );
}

/** Finds the task that the query names; one that is not there, or dead, is answered here. */
function taskHandler(
  options: ContractOptions,
  answer: (c: Context, task: Task) => Response,
): Handler {
  return async (c) => {
    const query = readTaskQuery(c.req.url);
    if (!query.ok) return jsonText(c, query);
    const task = OF_V1.test(query.taskId)
      ? undefined
      : await own(c, options).store.find(query.taskId);
    if (task === undefined) return problem(c, "taskNotFound");
    if (task.state === "dead") {
      return problem(c, "taskFailed", { cause: `after ${task.attempt} attempts: ${task.error}` });
    }
    return answer(c, task);
  };
}

function taskRoute(
  path: string,
  { ok, ...described }: { operationId: string; summary: string; ok: z.ZodType },
) {
  return createRoute({
    method: "get",
    path,
    tags: ["Reference contract"],
    ...described,
    request: { query: z.object({ task_id: taskIdSchema }) },
    responses: {
      200: { description: "The answer", content: json(ok) },
      ...keyResponses,
      404: { description: "No such task, or no result yet", content: json(detailSchema) },
      410: { description: "The task failed for good, with its cause", content: json(detailSchema) },
      422: { description: "The query is not valid", content: json(validationSchema) },
      503: { description: "The database is not available", content: json(detailSchema) },
    },
  });
}

/**
 * Puts a route in the OpenAPI document. Its handler is added apart: the library would validate the request before it, and
 * answer in words of its own.
 */
function describe(
  app: OpenAPIHono,
  route: Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0],
): void {
  app.openAPIRegistry.registerPath(route);
}

function json<S extends z.ZodType>(schema: S) {
  return { "application/json": { schema } };
}

function jsonText(
  c: Context,
  { status, body }: { readonly status: 400 | 422; readonly body: string },
): Response {
  return c.body(body, status, { "Content-Type": "application/json" });
}
