/** `service.json`: where the service listens, what it stores in, and its limits. */
import { z } from "zod";
import { identifier, refuseRepeats } from "./text.ts";

const positive = z.int().min(1);

const backoff = z.strictObject({
  base: positive.describe("Upper bound of the delay before the second attempt"),
  max: positive.describe("Upper bound of any delay between attempts"),
});

/** Where events are sent. Secrets stand outside the configuration. */
const endpointSchema = z.strictObject({
  id: identifier,
  url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }),
  secretEnv: z.string().min(1).optional().describe(
    "Environment variable with the secret: whsec_ and base64; several, apart by spaces, while one is replaced",
  ),
  secretFile: z.string().min(1).optional().describe("File with the secret, instead of a variable"),
}).refine(({ secretEnv, secretFile }) => (secretEnv === undefined) !== (secretFile === undefined), {
  error: "must name its secret by secretEnv or by secretFile, and not by both",
});

const webhooksSchema = z.strictObject({
  endpoints: z.array(endpointSchema).max(20).default([]),
  timeoutMs: positive.default(10_000).describe("How long an address may take to answer"),
  maxAttempts: positive.max(100).default(20).describe(
    "Attempts after which a delivery is given up",
  ),
  backoffMs: backoff.default({ base: 5000, max: 6 * 3_600_000 }),
}).superRefine(({ endpoints }, ctx) => {
  refuseRepeats(endpoints, { ctx, path: ["endpoints"], of: ({ id }) => id });
});

export const serviceSchema = z.strictObject({
  $schema: z.string().optional(),
  host: z.string().min(1).describe("Address to listen on"),
  port: z.int("must be a whole number from 0 to 65535").min(0).max(65535).describe(
    "TCP port to listen on; 0 takes a free one",
  ),
  databaseUrl: z.string().regex(
    /^(file:(?!:memory:).|libsql:\/\/.|https?:\/\/.|wss?:\/\/.)/,
    "must begin with file: and a path, libsql://, http://, https://, ws:// or wss://",
  ).describe("libSQL database; a file: path is relative to the working directory"),
  role: z.enum(["all", "api", "worker"]).describe(
    "What this process does: api takes uploads and answers, worker scores, all does both; " +
      "processes that share the work share a database on a server",
  ),
  workers: z.int("must be a whole number from 0 to 64").min(0).max(64).describe(
    "Scoring workers; 0 scores in the main thread",
  ),
  limits: z.strictObject({
    bodyBytes: positive.max(64 * 1024 * 1024).describe("Largest request body, in bytes"),
    waitingUploads: positive.describe("Uploads that may wait for the disk; more are answered 429"),
    waitingTasks: positive.describe(
      "Tasks of one priority that may wait for their result; new ones are answered 429",
    ),
    waitingTasksPerTenant: positive.describe("Of these, tasks of one tenant"),
  }),
  pollEveryMs: positive.describe("How often tasks that another process uploaded are looked for"),
  edge: z.strictObject({
    uploadBudgetMs: positive.describe("How long an upload may score before it is answered"),
    pollBudgetMs: positive.describe("How long a question for an unfinished task may score"),
    sweepBudgetMs: positive.max(55_000).describe("How long the sweep of each minute may score"),
  }).describe("For platforms that run only while a request is answered"),
  queue: z.strictObject({
    batchRows: positive.max(10_000).describe("Tasks claimed and scored together"),
    maxAttempts: positive.max(100).describe("Attempts after which a task is dead"),
    leaseMs: positive.describe("How long a claimed task belongs to its claimer"),
    jobTimeoutMs: positive.describe("How long a worker may take for one batch"),
    rescueEveryMs: positive.describe("How often expired leases are looked for"),
    backoffMs: backoff,
    drainMs: positive.describe("How long a stop waits for the batches at work"),
  }),
  models: z.strictObject({
    followEveryMs: positive.default(1000).describe(
      "How often a process looks whether another has activated a version of the models",
    ),
  }).prefault({}).describe("The change from one version of the models to another"),
  v1: z.strictObject({
    longestWaitMs: positive.default(60_000).describe(
      "How long a request may wait for a decision at most",
    ),
    batchRows: positive.default(1_000_000).describe("Rows of a batch at most"),
  }).prefault({}).describe("Limits of the v1 API"),
  webhooks: webhooksSchema.prefault({}).describe("Who is told when something has ended"),
}).superRefine((service, ctx) => {
  const { leaseMs, jobTimeoutMs, backoffMs } = service.queue;
  if (service.role !== "all" && service.databaseUrl.startsWith("file:")) {
    ctx.addIssue({
      code: "custom",
      path: ["role"],
      input: service.role,
      message: `must be all with a database in a file (${service.databaseUrl.split("?")[0]}): ` +
        "processes that share the work need a database on a server",
    });
  }
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
