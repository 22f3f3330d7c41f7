/** `service.json`: where the service listens, what it stores in, and its limits. */
import { z } from "zod";
import { identifier, refuseRepeats } from "./text.ts";

const positive = z.int().min(1);

const backoff = z.strictObject({
  base: positive.describe("Upper bound of the delay before the second attempt"),
  max: positive.describe("Upper bound of any delay between attempts"),
});

/** Part of stored ids, after an @. */
export const tenantSchema = z.string().regex(/^[a-z0-9-]{0,23}$/, {
  error: "must be up to 23 lower case letters, digits and hyphens",
});

/** Where events are sent. Secrets stand outside the configuration. */
const endpointSchema = z.strictObject({
  id: identifier,
  url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }),
  secretEnv: z.string().min(1).optional().describe(
    "Environment variable with the secret: whsec_ and base64; several, apart by spaces, while one is replaced",
  ),
  secretFile: z.string().min(1).optional().describe("File with the secret, instead of a variable"),
  tenant: tenantSchema.default("").describe(
    "Whose events it is told; absent: those of keys without a tenant",
  ),
}).refine(({ secretEnv, secretFile }) => (secretEnv === undefined) !== (secretFile === undefined), {
  error: "must name its secret by secretEnv or by secretFile, and not by both",
});

/** `access` of a service that wants no keys although others can reach it. */
export const OPEN_TO_EVERYONE = "open to everyone who can reach it";

const rate = z.strictObject({
  perSecond: positive.max(1_000_000).describe("Requests that come back in a second"),
  burst: positive.max(1_000_000).describe("Requests that may come at once"),
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
  access: z.enum(["keys", OPEN_TO_EVERYONE]).optional().describe(
    "Who may use the service. keys: whoever has an API key. Absent: the same, but for a service on a loopback address for which " +
      "no key was ever made; on any other address it then does not start",
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
    jsonDepth: positive.max(900).default(32).describe("Arrays and objects inside one another"),
    jsonMembers: positive.default(1000).describe("Values of a JSON body, or of a row, in all"),
    requestsPerKey: rate.default({ perSecond: 500, burst: 1000 }),
    probesPerKeyAndHour: positive.max(3_600_000).default(20_000).describe(
      "What-if requests of one key",
    ),
    probesPerApplicantAndHour: positive.max(3_600_000).default(200).describe(
      "What-if requests of one key about one applicant, whatever the loan",
    ),
  }),
  timeouts: z.strictObject({
    headMs: positive.default(10_000).describe("How long the head of a request may take to come"),
    bodyMs: positive.default(10_000).describe(
      "How long a body may take to come; of a batch: how long nothing of it may come",
    ),
    idleMs: positive.default(75_000).describe("How long a connection may stay open unused"),
  }).prefault({}).describe("After which a slow connection is closed"),
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
    batchBytes: positive.max(2 ** 40).default(2 ** 29).describe("Bytes of a batch at most"),
    batchUploadMs: positive.default(3_600_000).describe("How long the upload of a batch may take"),
  }).prefault({}).describe("Limits of the v1 API"),
  retention: z.strictObject({
    days: positive.max(36_500).optional().describe(
      "How many days after it came an application is erased, with all that is stored of it; absent: it is kept",
    ),
  }).prefault({}).describe("How long what people answered is kept"),
  log: z.strictObject({
    requests: z.boolean().default(false).describe(
      "A line of JSON for each request on the standard error: its id, route, status and time",
    ),
  }).prefault({}).describe("What is logged besides failures"),
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
