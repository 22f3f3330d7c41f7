/** What OpenAPI says of the reference's three steps; `contract.ts` answers them. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type ContractOptions, contractSchema } from "./contract.ts";

const taskIdSchema = z.string().openapi({
  description: "SHA-1 of the questionnaire",
  example: "0bf47865db14802e29de4d4f769c00b97966a691",
});

const detailSchema = z.object({ detail: z.string() }).openapi("Problem");

/** What is answered to a Host header that is none, to a wrong key, or to one too often. */
const guardResponses = {
  400: { description: "The Host header is no name or address", content: json(detailSchema) },
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

/**
 * Puts the routes in the document. Their handlers are added apart: the library would validate a request before them, and answer in
 * words of its own.
 */
export function describeContract(app: OpenAPIHono, options: ContractOptions): void {
  app.openAPIRegistry.registerPath(createRoute({
    method: "post",
    path: "/upload_features",
    operationId: "uploadFeatures",
    tags: ["Reference contract"],
    summary: "Upload a questionnaire",
    description: "An absent or null field is a missing answer. The same answers are the same task.",
    request: {
      body: { required: true, content: json(contractSchema(options).openapi("FeaturesStructure")) },
    },
    responses: {
      201: { description: "The task, new or known", content: json(uploadedSchema) },
      ...guardResponses,
      400: {
        description: "The body cannot be read, or the Host header is no name or address",
        content: json(detailSchema),
      },
      408: { description: "The body did not come in time", content: json(detailSchema) },
      413: { description: "The body is too large", content: json(detailSchema) },
      422: { description: "The answers are not valid", content: json(validationSchema) },
      429: {
        description: "Too many uploads or tasks wait, or too many requests came with this key",
        content: json(detailSchema),
      },
      503: { description: "The database is not available", content: json(detailSchema) },
    },
  }));
  const summary = "Ask whether the result is there";
  for (
    const [path, operationId] of [["/check_task", "checkTask"], [
      "/check_state",
      "checkState",
    ]] as const
  ) {
    app.openAPIRegistry.registerPath(taskRoute(path, { operationId, summary, ok: z.boolean() }));
  }
  app.openAPIRegistry.registerPath(taskRoute("/get_result", {
    operationId: "getResult",
    summary: "Get the approval probability for each bank",
    ok: resultSchema(options),
  }));
}

function resultSchema({ banks }: ContractOptions) {
  const probability = z.string().openapi({ example: "0.40770822763442993" });
  return z.object({
    task_id: taskIdSchema,
    ...Object.fromEntries(banks.banks.map(({ id, title }) => [
      id,
      probability.openapi({ description: `Approval probability: ${title.ru} (${title.en})` }),
    ])),
  }).openapi("Result");
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
      ...guardResponses,
      404: { description: "No such task, or no result yet", content: json(detailSchema) },
      410: { description: "The task failed for good, with its cause", content: json(detailSchema) },
      422: { description: "The query is not valid", content: json(validationSchema) },
      503: { description: "The database is not available", content: json(detailSchema) },
    },
  });
}

function json<S extends z.ZodType>(schema: S) {
  return { "application/json": { schema } };
}
