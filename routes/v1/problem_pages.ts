/** What a problem's type means, as a page. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { permit } from "../access.ts";
import { openProblemResponses } from "./problem_schema.ts";
import { Problem, type ProblemName, PROBLEMS } from "./problems.ts";

/** Adds `/problems/{name}`. */
export function addProblemPages(app: OpenAPIHono): void {
  const names = Object.keys(PROBLEMS) as ProblemName[];
  const route = createRoute({
    method: "get",
    path: "/problems/{name}",
    operationId: "explainProblem",
    tags: ["Service"],
    summary: "What a problem's type means",
    request: { params: z.object({ name: z.enum(names).openapi({ example: "upload-broken" }) }) },
    responses: {
      200: { description: "An explanation", content: { "text/plain": { schema: z.string() } } },
      ...openProblemResponses("not-found"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get("/problems/:name", permit("anyone"), (c) => {
    const name = names.find((each) => each === c.req.param("name"));
    if (name === undefined) throw new Problem("not-found");
    const { title, status, meaning } = PROBLEMS[name];
    return c.text(`${title} (status ${status})\n\n${meaning}\n`);
  });
}
