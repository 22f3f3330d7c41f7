/** The whole HTTP surface as one Hono app, without a socket: tests call `app.request()`. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { type ContractOptions, contractRoutes } from "./contract.ts";
import { addDocs } from "./docs.ts";
import { onError, problem } from "./problems.ts";

export function createApp(options: ContractOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(onError);
  app.route("/", contractRoutes(options));
  addDocs(app);
  app.notFound((c) => {
    const allowed = app.routes.filter(({ path, method }) => path === c.req.path && method !== "ALL")
      .map(({ method }) => method);
    return allowed.length === 0
      ? problem(c, "notFound")
      : problem(c, "methodNotAllowed", { headers: { Allow: [...new Set(allowed)].join(", ") } });
  });
  return app;
}
