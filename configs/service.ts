/** `service.json`: where the service listens, what it stores in, and its limits. */
import { z } from "zod";

const positive = z.int().min(1);

export const serviceSchema = z.strictObject({
  $schema: z.string().optional(),
  host: z.string().min(1).describe("Address to listen on"),
  port: z.int().min(0).max(65535).describe("TCP port to listen on; 0 takes a free one"),
  databaseUrl: z.string().regex(
    /^(file:.|libsql:\/\/.|https?:\/\/.|wss?:\/\/.)/,
    "must begin with file:, libsql://, http://, https://, ws:// or wss://",
  ).describe("libSQL database; a file: path is relative to the working directory"),
  workers: z.int().min(0).max(64).describe("Scoring workers; 0 scores in the main thread"),
  limits: z.strictObject({
    bodyBytes: positive.max(64 * 1024 * 1024).describe("Largest request body, in bytes"),
  }),
  queue: z.strictObject({
    batchRows: positive.max(10_000).describe("Tasks claimed and scored together"),
    maxAttempts: positive.max(100).describe("Attempts after which a task is dead"),
    leaseMs: positive.describe("How long a claimed task belongs to its claimer"),
    jobTimeoutMs: positive.describe("How long a worker may take for one batch"),
    rescueEveryMs: positive.describe("How often expired leases are looked for"),
    backoffMs: z.strictObject({
      base: positive.describe("Upper bound of the delay before the second attempt"),
      max: positive.describe("Upper bound of any delay between attempts"),
    }),
    drainMs: positive.describe("How long a stop waits for the batches at work"),
  }),
}).superRefine((service, ctx) => {
  const { leaseMs, jobTimeoutMs, backoffMs } = service.queue;
  if (leaseMs <= jobTimeoutMs) {
    ctx.addIssue({
      code: "custom",
      path: ["queue", "leaseMs"],
      input: leaseMs,
      message: `must be above queue.jobTimeoutMs (${jobTimeoutMs}), or a batch at work is rescued`,
    });
  }
  if (backoffMs.base > backoffMs.max) {
    ctx.addIssue({
      code: "custom",
      path: ["queue", "backoffMs", "base"],
      input: backoffMs.base,
      message: `must be at most queue.backoffMs.max (${backoffMs.max})`,
    });
  }
});

export type Service = z.infer<typeof serviceSchema>;
export type QueuePolicy = Service["queue"];
