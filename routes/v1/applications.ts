/**
 * Applications: one is made, decided by the queue, and asked for. The id is made of the Idempotency-Key, so a request that is sent
 * again finds what the first one made; its stored payload tells whether it is the same request.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ClientAnalytics } from "../../analytics/mod.ts";
import type { Questionnaire } from "../../configs/mod.ts";
import type { NewTask, Task } from "../../queue/store.ts";
import type { QueueParts } from "../../queue/tenant.ts";
import { callerOf, own, permit } from "../access.ts";
import { actorOf } from "../../access/mod.ts";
import { encodePayload } from "../../scoring/handler.ts";
import {
  APPLICATION_PREFIX,
  applicationExample,
  applicationIdSchema,
  applicationText,
  applicationViewSchema,
  noApplication,
} from "./application_view.ts";
import { givenAnswers, newApplicationSchema } from "./application_schema.ts";
import type { Limits } from "../limits.ts";
import { readJson } from "./body.ts";
import { IDEMPOTENCY_KEY, newId } from "./idempotency_key.ts";
import { preferredWaitS } from "./prefer.ts";
import { problemResponses } from "./problem_schema.ts";
import { Problem } from "./problems.ts";
import { mustRead, type TermsOptions, termsReader } from "./terms.ts";

export interface ApplicationsOptions extends QueueParts, Limits, TermsOptions {
  readonly questionnaire: Questionnaire;
  readonly analytics: ClientAnalytics;
}

const headersSchema = z.object({
  "idempotency-key": z.string().regex(IDEMPOTENCY_KEY).optional().openapi({
    description: "Requests with the same key and the same body are one; with another body 409",
    example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  }),
  prefer: z.string().optional().openapi({
    description: "`wait=N`: answer when the decision is there, or after N seconds (RFC 7240)",
    example: "wait=5",
  }),
});

const preferHeader = headersSchema.pick({ prefer: true });

const answered = {
  Location: { schema: { type: "string" }, description: "Where the application is" },
  "Preference-Applied": { schema: { type: "string" }, description: "The wait that was kept to" },
} as const;

export function addApplications(app: OpenAPIHono, options: ApplicationsOptions): void {
  addCreate(app, options);
  addRead(app, options);
}

function addCreate(app: OpenAPIHono, options: ApplicationsOptions): void {
  const { questionnaire } = options;
  const schema = newApplicationSchema(questionnaire);
  const route = createRoute({
    method: "post",
    path: "/v1/applications",
    operationId: "createApplication",
    tags: ["Applications"],
    summary: "Have an application decided",
    description: "The answer means that it is on disk. An absent or null field is a missing " +
      "answer; a field that the questionnaire does not have is an error. Whose it is, and what " +
      "the person agreed to, may stand beside the answers: it is stored with them or not at all.",
    request: {
      headers: headersSchema,
      body: { required: true, content: { "application/json": { schema } } },
    },
    responses: {
      200: {
        description: "Decided within the wait that was asked for",
        headers: answered,
        content: viewContent("decided"),
      },
      202: {
        description: "Stored; the decision is not there yet",
        headers: answered,
        content: viewContent("queued"),
      },
      ...problemResponses(
        "unreadable-body",
        "invalid-idempotency-key",
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
    const mine = own(c, options);
    const sent = await readJson(c, schema, options);
    const caller = callerOf(c);
    const terms = mustRead(termsReader(options, caller.tenant), sent);
    const header = c.req.header("idempotency-key");
    const task = {
      id: newId({ prefix: APPLICATION_PREFIX, header }),
      payload: encodePayload(givenAnswers(sent), "decision", terms),
      ...terms && { terms: { ...terms, actor: actorOf(caller) } },
    };
    const found = await settled(c, task.id, mine, (waitMs) => take(task, waitMs, mine));
    c.header("Location", `/v1/applications/${task.id}`);
    return answer(c, found, options, isEnded(found) ? 200 : 202);
  });
}

function addRead(app: OpenAPIHono, options: ApplicationsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/applications/{id}",
    operationId: "getApplication",
    tags: ["Applications"],
    summary: "Read an application, and its decision when there is one",
    description: "With `Prefer: wait=N` the answer comes when it is decided, or after N seconds.",
    request: { params: z.object({ id: applicationIdSchema }), headers: preferHeader },
    responses: {
      200: {
        description: "The application",
        headers: { "Preference-Applied": answered["Preference-Applied"] },
        content: viewContent("decided", "queued", "failed"),
      },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get("/v1/applications/:id", permit("submit"), async (c) => {
    const id = c.req.param("id");
    const mine = own(c, options);
    const found = await settled(c, id, mine, async () => void await mustFind(id, mine));
    return answer(c, found, options, 200);
  });
}

/** The task with this id. Throws a `Problem` where it is none of an application. */
export async function mustFind(
  id: string,
  { store }: Pick<ApplicationsOptions, "store">,
): Promise<Task> {
  const task = id.startsWith(APPLICATION_PREFIX) ? await store.find(id) : undefined;
  if (task !== undefined) return task;
  throw noApplication(id);
}

export function isEnded({ state }: Task): boolean {
  return state === "done" || state === "dead";
}

/** Stores the task, or finds that it was stored before; throws a `Problem` where another has its id. */
async function take(
  task: Pick<NewTask, "id" | "payload" | "terms">,
  waitMs: number,
  { store, enqueue, express }: ApplicationsOptions,
): Promise<void> {
  let stored = await store.payload(task.id);
  if (stored === undefined) {
    if (waitMs > 0 && await express(task, waitMs)) return;
    if (await enqueue(task) === "refused") throw new Problem("too-many-waiting");
    // Of two that raced with one key the first is stored.
    stored = await store.payload(task.id);
  }
  if (stored !== task.payload) throw new Problem("idempotency-key-reused");
}

/** The task as it is after `act`, and after the wait that the request prefers; a wait begins before it is looked at, so no end is missed. */
async function settled(
  c: Context,
  id: string,
  options: ApplicationsOptions,
  act: (waitMs: number) => Promise<void>,
): Promise<Task> {
  const waitS = preferredWaitS(c.req.header("prefer"));
  if (waitS === undefined || waitS === 0) {
    await act(0);
    return await mustFind(id, options);
  }
  const unwanted = new AbortController();
  const timeoutMs = Math.min(waitS * 1000, options.limits.longestWaitMs);
  // A client that has gone waits for nothing.
  const signal = AbortSignal.any([unwanted.signal, c.req.raw.signal]);
  const ended = options.wait(id, { timeoutMs, signal });
  try {
    await act(timeoutMs);
    c.header("Preference-Applied", `wait=${Math.floor(timeoutMs / 1000)}`);
    const task = await mustFind(id, options);
    if (isEnded(task)) return task;
    await ended;
    return await mustFind(id, options);
  } finally {
    unwanted.abort();
  }
}

function answer(
  c: Context,
  task: Task,
  { analytics, now }: Pick<ApplicationsOptions, "analytics" | "now">,
  status: 200 | 202,
): Response {
  if (!isEnded(task)) c.header("Retry-After", "1");
  const downgraded = analytics.downgraded(callerOf(c).tenant, now());
  return c.body(applicationText(task, downgraded), status, { "Content-Type": "application/json" });
}

function viewContent(...statuses: ("decided" | "queued" | "failed")[]) {
  return {
    "application/json": {
      schema: applicationViewSchema,
      examples: Object.fromEntries(
        statuses.map((status) => [status, { value: applicationExample(status) }]),
      ),
    },
  };
}
