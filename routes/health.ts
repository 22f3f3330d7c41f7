/** Whether the process can do its work now: the question of load balancers, containers and supervisors. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { permit } from "./access.ts";
import type { TaskStore } from "../queue/store.ts";

export interface HealthOptions {
  readonly store: Pick<TaskStore, "find">;
}

/** Adds `/health`: 200 when the database answers, else 503 by the application's error handler. */
export function addHealth(app: OpenAPIHono, { store }: HealthOptions): void {
  const status = z.object({ status: z.literal("ok") }).openapi("Health");
  const route = createRoute({
    method: "get",
    path: "/health",
    middleware: permit("anyone"),
    operationId: "health",
    tags: ["Service"],
    summary: "Ask whether the service and its database answer",
    responses: {
      200: { description: "They do", content: { "application/json": { schema: status } } },
      400: { description: "The Host header is no name or address" },
      503: { description: "The database is not available" },
    },
  });
  app.openapi(route, async (c) => {
    // Any read proves the way to the database; one by a key that no task has costs the least.
    await store.find("");
    return c.json({ status: "ok" as const }, 200);
  });
}
