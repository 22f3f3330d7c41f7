/** A batch as it is shown, and its results row by row. */
import { z } from "@hono/zod-openapi";
import type { Batch, Chunk } from "../../queue/batches.ts";
import { decodeChunkResult, type RowResult } from "../../scoring/chunk.ts";
import { decisionView } from "./application_view.ts";
import { fieldErrorSchema } from "./problem_schema.ts";

export const BATCH_PREFIX = "bat_";
const EXAMPLE_ID = `${BATCH_PREFIX}2c26b46b68ffc68ff99b453c1d304134`;
/** An upload that stored nothing for so long is taken for broken off; one that goes on after all is taken back for going on. */
const SILENT_MS = 60_000;

export const batchIdSchema = z.string().openapi({ example: EXAMPLE_ID });
export const batchDetails = ["probabilities", "decisions"] as const;

export const batchViewSchema = z.object({
  id: batchIdSchema,
  status: z.enum(["receiving", "interrupted", "running", "finished"]).openapi({
    description:
      "receiving: rows still come; interrupted: they ceased to, and the body can be sent " +
      "again with its key; running: all are stored; finished: all have a result",
  }),
  detail: z.enum(batchDetails),
  rows: z.object({
    stored: z.int().openapi({ description: "Rows that are on disk" }),
    refused: z.int().openapi({ description: "Those of them that are no application" }),
    done: z.int().openapi({ description: "Those whose result can be read" }),
  }),
  interruption: z.string().optional().openapi({ description: "Why the upload broke off" }),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
}).openapi("Batch", {
  example: {
    id: EXAMPLE_ID,
    status: "running",
    detail: "probabilities",
    rows: { stored: 100_000, refused: 3, done: 41_250 },
    createdAt: "2026-01-31T09:00:00.000Z",
  },
});

export type BatchView = z.infer<typeof batchViewSchema>;

export function batchView(batch: Batch, nowMs: number): BatchView {
  const { id, detail, broken, createdAtMs, finishedAtMs } = batch;
  const status = statusOf(batch, nowMs);
  return {
    id,
    status,
    detail,
    rows: { stored: batch.rows, refused: batch.refusedRows, done: batch.endedRows },
    ...status === "interrupted" && { interruption: broken ?? "no rows came for a minute" },
    createdAt: new Date(createdAtMs).toISOString(),
    ...finishedAtMs !== null && { finishedAt: new Date(finishedAtMs).toISOString() },
  };
}

function statusOf(batch: Batch, nowMs: number): BatchView["status"] {
  if (batch.finishedAtMs !== null) return "finished";
  if (batch.receivedAtMs !== null) return "running";
  const silent = nowMs - batch.changedAtMs > SILENT_MS;
  return batch.broken !== null || silent ? "interrupted" : "receiving";
}

const row = z.int().openapi({ description: "The row's number, from 1" });

const scoreSchema = z.object({
  probabilities: z.record(z.string(), z.number().min(0).max(1)).openapi({
    description: "By bank",
    example: { bank_a: 0.5096, bank_b: 0.9575 },
  }),
  model: z.string().openapi({ description: "Version of the models", example: "1" }),
  withoutEvidence: z.array(z.string()).optional().openapi({
    description: "Banks whose models are served although training found no signal",
  }),
  failed: z.record(z.string(), z.string()).optional().openapi({
    description: "Why the other banks have no probability",
    example: { bank_c: "engine.wasm trapped" },
  }),
});

/** A line of a batch's results. */
export const batchRowSchema = z.discriminatedUnion("status", [
  scoreSchema.extend({ row, status: z.literal("scored") }),
  z.object({ row, status: z.literal("decided"), decision: decisionView }),
  z.object({ row, status: z.literal("refused"), errors: z.array(fieldErrorSchema) }),
  z.object({ row, status: z.literal("failed"), failure: z.string() }),
]).openapi("BatchRow");

export type BatchRow = z.infer<typeof batchRowSchema>;

/** The rows of a chunk that has ended, from row `from` on. */
export function batchRows(
  chunk: Chunk,
  { from, detail }: { readonly from: number; readonly detail: Batch["detail"] },
): BatchRow[] {
  const results: readonly RowResult[] = chunk.result === null
    ? Array.from(
      { length: chunk.rows },
      () => ({ failure: chunk.error ?? "the cause is not known" }),
    )
    : decodeChunkResult(chunk.result);
  return results.map((result, index) => rowView(result, { row: chunk.firstRow + index, detail }))
    .filter(({ row }) => row >= from);
}

function rowView(
  outcome: RowResult,
  { row, detail }: { readonly row: number; readonly detail: Batch["detail"] },
): BatchRow {
  if ("failure" in outcome) return { row, status: "failed", failure: outcome.failure };
  if ("errors" in outcome) {
    return { row, status: "refused", errors: outcome.errors as z.infer<typeof fieldErrorSchema>[] };
  }
  return detail === "decisions"
    ? { row, status: "decided", decision: outcome.result as z.infer<typeof decisionView> }
    : { row, status: "scored", ...outcome.result as z.infer<typeof scoreSchema> };
}
