/** An application is removed, with all that is stored of it. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { actorOf } from "../../access/mod.ts";
import type { Erased } from "../../privacy/mod.ts";
import { storedId } from "../../queue/tenant.ts";
import { callerOf, permit } from "../access.ts";
import { applicationIdSchema, noApplication } from "./application_view.ts";
import { problemResponses } from "./problem_schema.ts";
import { Problem } from "./problems.ts";

export interface ErasureOptions {
  /** By the id as it is stored; resolves when nothing of it is left. */
  readonly erase: (id: string, actor: string) => Promise<Erased>;
}

export function addErasure(app: OpenAPIHono, { erase }: ErasureOptions): void {
  const route = createRoute({
    method: "delete",
    path: "/v1/applications/{id}",
    operationId: "eraseApplication",
    tags: ["Applications"],
    summary: "Remove an application, with all that is stored of it",
    description:
      "Its answers, its result, what banks decided, and what is still to be told. Tasks of the " +
      "reference's contract are removed by their task ids. Backups keep what they have.",
    request: { params: z.object({ id: applicationIdSchema }) },
    responses: {
      204: { description: "Nothing of it is left in the database" },
      ...problemResponses("not-found", "being-scored", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.delete("/v1/applications/:id", permit("operate"), async (c) => {
    const caller = callerOf(c);
    const id = c.req.param("id");
    const erased = await erase(storedId(caller.tenant, id), actorOf(caller));
    if (erased === "erased") return c.body(null, 204);
    if (erased === "at work") throw new Problem("being-scored");
    throw noApplication(id);
  });
}
