/** What operators and their tools ask of the service: whether it lives, whether it can work, and what it has counted. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../clock.ts";
import { permit } from "./access.ts";
import type { TelemetryOptions } from "./observed.ts";

/** A part that does not answer within this time does not work. */
const PART_WAIT_MS = 2000;
export function addTelemetry(app: OpenAPIHono, options: TelemetryOptions): void {
  addAlive(app);
  addReady(app, options);
  addMetrics(app, options);
}

function addAlive(app: OpenAPIHono): void {
  const route = createRoute({
    method: "get",
    path: "/healthz",
    operationId: "alive",
    tags: ["Service"],
    summary: "Ask whether the process lives",
    description: "It looks at nothing: a supervisor restarts what does not answer.",
    responses: {
      200: {
        description: "It does",
        content: { "application/json": { schema: z.object({ status: z.literal("ok") }) } },
      },
      400: { description: "The Host header is no name or address" },
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("anyone"), (c) => c.json({ status: "ok" }));
}

function addReady(app: OpenAPIHono, { parts, after }: TelemetryOptions): void {
  const schema = z.object({
    ready: z.boolean(),
    parts: z.record(z.string(), z.enum(["ok", "failed", "slow"])).openapi({
      example: { database: "ok", scoring: "ok" },
    }),
  }).openapi("Readiness");
  const content = { "application/json": { schema } };
  const route = createRoute({
    method: "get",
    path: "/readyz",
    operationId: "ready",
    tags: ["Service"],
    summary: "Ask whether the service can do its work now",
    description:
      "Every part is tried: the database is written to, an application is scored by the models, " +
      "in the workers where there are some. The causes of what fails stand in the log.",
    responses: {
      200: { description: "It can", content },
      400: { description: "The Host header is no name or address" },
      503: { description: "It cannot; balancers should ask another", content },
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, permit("anyone"), async (c) => {
    const tried = await Promise.all(
      Object.entries(parts).map(async ([name, works]) =>
        [name, await tryPart(works, after)] as const
      ),
    );
    const ready = tried.every(([, state]) => state === "ok");
    return c.json({ ready, parts: Object.fromEntries(tried) }, ready ? 200 : 503);
  });
}

async function tryPart(
  works: () => Promise<unknown>,
  after: Clock["after"],
): Promise<"ok" | "failed" | "slow"> {
  let cancel = () => {};
  const late = new Promise<"slow">((resolve) => {
    cancel = after(PART_WAIT_MS, () => resolve("slow"));
  });
  try {
    return await Promise.race([works().then(() => "ok" as const, () => "failed" as const), late]);
  } finally {
    cancel();
  }
}

function addMetrics(app: OpenAPIHono, { metrics }: TelemetryOptions): void {
  const route = createRoute({
    method: "get",
    path: "/metrics",
    operationId: "metrics",
    tags: ["Service"],
    summary: "Read what the service has counted",
    responses: {
      200: {
        description: "In the text format of Prometheus",
        content: { "text/plain": { schema: z.string() } },
      },
      400: { description: "The Host header is no name or address" },
      401: { description: "A valid API key is needed" },
      403: { description: "The role of the key does not allow it" },
      429: { description: "Too many requests with this key" },
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(
    route.path,
    permit("operate", { wholeService: true }),
    async (c) =>
      c.text(await metrics(), 200, {
        "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
        "Cache-Control": "no-store",
      }),
  );
}
