/**
 * Batches: many applications in one upload, scored behind those for which somebody waits. A row gets its probabilities, a hundred
 * bytes; a whole decision is two hundred times as much to compute and to keep, so it is given where it is asked for.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { stream } from "hono/streaming";
import type { Banks, Questionnaire } from "../../configs/mod.ts";
import type { Batch, Chunk } from "../../queue/batches.ts";
import type { QueueParts } from "../../queue/tenant.ts";
import type { Context } from "hono";
import { actorOf } from "../../access/mod.ts";
import { callerOf, own, permit } from "../access.ts";
import type { Limits } from "../limits.ts";
import { BodyTooLargeError, limitStream } from "../request_body.ts";
import { exampleAnswers, newApplicationSchema } from "./application_schema.ts";
import {
  BATCH_PREFIX,
  batchDetails,
  batchIdSchema,
  batchRows,
  batchRowSchema,
  batchView,
  batchViewSchema,
} from "./batch_view.ts";
import { uploadBatch } from "./batch_upload.ts";
import { mediaType } from "./body.ts";
import { csvHeader, csvLine } from "./csv_text.ts";
import { IDEMPOTENCY_KEY, newId } from "./idempotency_key.ts";
import { problemResponses } from "./problem_schema.ts";
import { fieldErrors, Problem } from "./problems.ts";
import { ROW_READERS } from "./rows.ts";
import { type TermsOptions, termsReader } from "./terms.ts";

export interface BatchesOptions extends QueueParts, Limits, TermsOptions {
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  /** What results depend on besides the rows: the models and the banks. */
  readonly revision: () => string;
  /** Tells the queue that there is something to do. */
  readonly wake: () => void;
}

const NDJSON = "application/x-ndjson";

const uploadQuery = z.object({
  detail: z.enum(batchDetails).default("probabilities").openapi({
    description: "What each row gets",
  }),
});

const resultsQuery = z.object({
  format: z.enum(["ndjson", "csv"]).default("ndjson"),
  from: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1).openapi({
    description: "The first row that is wanted",
  }),
});

export function addBatches(app: OpenAPIHono, options: BatchesOptions): void {
  addUpload(app, options);
  addProgress(app, options);
  addResults(app, options);
}

function addUpload(app: OpenAPIHono, options: BatchesOptions): void {
  const { questionnaire, limits } = options;
  const schema = newApplicationSchema(questionnaire);
  const answers = exampleAnswers(questionnaire);
  const line = JSON.stringify({ answers });
  const csv = [Object.keys(answers), Object.values(answers)].map((cells) => cells.join(";"))
    .join("\n");
  const route = createRoute({
    method: "post",
    path: "/v1/batches",
    operationId: "createBatch",
    tags: ["Batches"],
    summary: "Upload many applications",
    description: "A JSON array, a line of JSON each, or a table. A row that is no application is " +
      "refused alone and keeps its place. Rows are stored as they come; where the upload breaks " +
      "off, the whole body sent again with the same Idempotency-Key goes on after them.",
    request: {
      headers: z.object({
        "idempotency-key": z.string().regex(IDEMPOTENCY_KEY).optional().openapi({
          description: "The same key and body are one batch; with another body 409",
          example: '"2026-01-31-night"',
        }),
      }),
      query: uploadQuery,
      body: {
        required: true,
        content: {
          "application/json": { schema: z.array(schema).min(1), example: [{ answers }] },
          [NDJSON]: { schema: z.string(), example: `${line}\n${line}\n` },
          "text/csv": { schema: z.string(), example: `${csv}\n` },
        },
      },
    },
    responses: {
      202: {
        description: "Every row is stored",
        headers: { Location: { schema: { type: "string" }, description: "Where the batch is" } },
        content: { "application/json": { schema: batchViewSchema } },
      },
      ...problemResponses(
        "unreadable-body",
        "invalid-idempotency-key",
        "upload-broken",
        "idempotency-key-reused",
        "request-timeout",
        "body-too-large",
        "unsupported-media-type",
        "invalid-request",
        "too-many-waiting",
        "unavailable",
      ),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("submit"), async (c) => {
    const { detail } = readQuery(uploadQuery, c.req.query());
    const id = newId({ prefix: BATCH_PREFIX, header: c.req.header("idempotency-key") });
    const read = Object.hasOwn(ROW_READERS, mediaType(c)) ? ROW_READERS[mediaType(c)] : undefined;
    if (read === undefined) {
      throw new Problem("unsupported-media-type", {
        detail: `Content-Type must be ${Object.keys(ROW_READERS).join(", ")}`,
      });
    }
    const caller = callerOf(c);
    const rows = read(batchBody(c, options), {
      ...{ schema, questionnaire, limits, maxRowBytes: limits.bodyBytes },
      readTerms: termsReader(options, caller.tenant),
    });
    const batch = await uploadBatch({ id, detail }, rows, {
      ...own(c, options),
      maxRows: limits.batchRows,
      actor: actorOf(caller),
    });
    c.header("Location", `/v1/batches/${id}`);
    return c.json(batchView(batch, options.now()), 202);
  });
}

function addProgress(app: OpenAPIHono, options: BatchesOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/batches/{id}",
    operationId: "getBatch",
    tags: ["Batches"],
    summary: "Ask how far a batch is",
    request: { params: z.object({ id: batchIdSchema }) },
    responses: {
      200: {
        description: "The batch",
        content: { "application/json": { schema: batchViewSchema } },
      },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get("/v1/batches/:id", permit("submit"), async (c) => {
    const batch = await mustFind(c.req.param("id"), own(c, options));
    return c.json(batchView(batch, options.now()), 200);
  });
}

function addResults(app: OpenAPIHono, options: BatchesOptions): void {
  const banks = options.banks.banks.map(({ id }) => id);
  const scored = { status: "scored", probabilities: { bank_a: 0.5096 }, model: "1" };
  const route = createRoute({
    method: "get",
    path: "/v1/batches/{id}/results",
    operationId: "getBatchResults",
    tags: ["Batches"],
    summary: "Read the results, in the order of the rows",
    description: "As far as they are there without a gap: while a batch is running, ask again " +
      "`from` the row after the last. Each line of NDJSON is a `BatchRow`; CSV has a column of " +
      "probabilities for each bank.",
    request: { params: z.object({ id: batchIdSchema }), query: resultsQuery },
    responses: {
      200: {
        description: "A row each",
        headers: {
          "Prescore-Batch-Status": {
            schema: { type: "string" },
            description: "The batch's status before the first row was read",
          },
        },
        content: {
          [NDJSON]: {
            schema: batchRowSchema,
            example: { row: 1, ...scored },
          },
          "text/csv": {
            schema: z.string(),
            example: "row,status,bank_a,problem\r\n1,scored,0.5096,\r\n",
          },
        },
      },
      ...problemResponses("not-found", "invalid-request", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get("/v1/batches/:id/results", permit("submit"), async (c) => {
    const { format, from } = readQuery(resultsQuery, c.req.query());
    const mine = own(c, options);
    const batch = await mustFind(c.req.param("id"), mine);
    c.header("Prescore-Batch-Status", batchView(batch, options.now()).status);
    c.header("Content-Type", format === "csv" ? "text/csv; charset=utf-8" : NDJSON);
    return stream(c, async (body) => {
      if (format === "csv") await body.write(csvHeader(banks));
      for await (const chunk of endedChunks(batch, from, mine)) {
        if (body.aborted) return;
        const rows = batchRows(chunk, { from, detail: batch.detail });
        const lines = rows.map((row) =>
          format === "csv" ? csvLine(row, banks) : `${JSON.stringify(row)}\n`
        );
        await body.write(lines.join(""));
      }
    });
  });
}

/** The chunks from a row on, up to the first that has not ended. */
async function* endedChunks(
  { id }: Batch,
  from: number,
  { batches }: BatchesOptions,
): AsyncGenerator<Chunk> {
  for (let row = from;;) {
    const chunk = await batches.chunkFrom(id, row);
    if (chunk === undefined || (chunk.state !== "done" && chunk.state !== "dead")) return;
    yield chunk;
    row = chunk.firstRow + chunk.rows;
  }
}

async function mustFind(id: string, { batches }: BatchesOptions): Promise<Batch> {
  const batch = await batches.find(id);
  if (batch !== undefined) return batch;
  throw new Problem("not-found", { detail: `there is no batch ${id.slice(0, 80)}` });
}

/** The body, as long and as slow as a batch may be. */
function batchBody(c: Context, { limits, now, after }: Limits): ReadableStream<Uint8Array> {
  const { body } = c.req.raw;
  if (Number(c.req.header("content-length") ?? 0) > limits.batchBytes) {
    throw new BodyTooLargeError(`at most ${limits.batchBytes} bytes`);
  }
  if (body === null) return new Blob([]).stream();
  return limitStream(body, {
    ...{ maxBytes: limits.batchBytes, timeoutMs: limits.bodyMs, wholeMs: limits.batchUploadMs },
    ...{ now, after },
  });
}

function readQuery<S extends z.ZodType>(schema: S, query: Record<string, string>): z.infer<S> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new Problem("invalid-request", {
    errors: fieldErrors(parsed.error).map(({ detail, pointer = "" }) => ({
      detail,
      parameter: pointer.slice("#/".length),
    })),
  });
}
