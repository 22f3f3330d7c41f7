/**
 * What happens to one application, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): each
 * state as it is reached, the last with the decision. An event's id is the state itself, so one who comes back with
 * `Last-Event-ID` is told only what is new to him.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { callerOf, own, permit } from "../access.ts";
import type { Task } from "../../queue/store.ts";
import { applicationIdSchema, applicationText, statusOf } from "./application_view.ts";
import { type ApplicationsOptions, isEnded, mustFind } from "./applications.ts";
import { problemResponses } from "./problem_schema.ts";

/** Proxies close a connection that says nothing for a minute, some for less. */
const HEARTBEAT_MS = 15_000;
/** How soon a state that is no end is noticed. */
const LOOK_EVERY_MS = 250;

/** One event of the stream. */
const eventSchema = z.object({
  event: z.enum(["queued", "scoring", "decided", "failed"]),
  id: z.string(),
  data: z.string().openapi({ description: "The application, as JSON" }),
}).openapi("ApplicationEvent");

export function addApplicationEvents(app: OpenAPIHono, options: ApplicationsOptions): void {
  const route = createRoute({
    method: "get",
    path: "/v1/applications/{id}/events",
    operationId: "streamApplication",
    tags: ["Applications"],
    summary: "Follow an application until it is decided",
    description: "Server-sent events named by the status that was reached: `queued`, `scoring`, " +
      "then `decided` or `failed`, after which the stream ends. The data of each is the " +
      "application. A comment is sent every 15 seconds in which nothing happens.",
    request: {
      params: z.object({ id: applicationIdSchema }),
      headers: z.object({
        "last-event-id": z.string().optional().openapi({
          description: "The last event that was seen: only later ones are sent",
          example: "0-queued",
        }),
      }),
    },
    responses: {
      200: {
        description: "The events",
        content: {
          "text/event-stream": {
            schema: eventSchema,
            example: {
              event: "queued",
              id: "0-queued",
              data: '{"id":"app_0bf4","status":"queued"}',
            },
          },
        },
      },
      204: { description: "The last event was seen already: do not ask again" },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get("/v1/applications/:id/events", permit("submit"), async (c) => {
    const id = c.req.param("id");
    const mine = own(c, options);
    const seen = c.req.header("last-event-id");
    const first = await mustFind(id, mine);
    if (isEnded(first) && eventId(first) === seen) return c.body(null, 204);
    const { tenant } = callerOf(c);
    const downgraded = () => options.analytics.downgraded(tenant, options.now());
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      for await (const task of changes(id, { ...mine, seen, signal: gone.signal })) {
        if (task === undefined) await stream.write(": nothing new\n\n");
        else {
          await stream.writeSSE({
            id: eventId(task),
            event: statusOf(task),
            data: applicationText(task, downgraded()),
          });
        }
      }
    });
  });
}

/** The task each time that its state is another than the one seen, up to its end; `undefined` where nothing happens for long. */
async function* changes(
  id: string,
  options: ApplicationsOptions & {
    readonly seen: string | undefined;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Task | undefined> {
  let { seen } = options;
  for (let quietMs = 0;; quietMs += LOOK_EVERY_MS) {
    const ended = options.wait(id, { timeoutMs: LOOK_EVERY_MS, signal: options.signal });
    const task = await mustFind(id, options);
    if (eventId(task) !== seen) {
      seen = eventId(task);
      quietMs = 0;
      yield task;
    } else if (quietMs >= HEARTBEAT_MS) {
      quietMs = 0;
      yield undefined;
    }
    if (isEnded(task) || await ended === "closed") return;
  }
}

function eventId({ state, attempt }: Task): string {
  return `${attempt}-${statusOf({ state })}`;
}
