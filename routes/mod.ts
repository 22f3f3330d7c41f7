/** The whole HTTP surface as one Hono app, without a socket: tests call `app.request()`. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Next } from "hono";
import { type ContractOptions, contractRoutes } from "./contract.ts";
import { addDocs } from "./docs.ts";
import { addHealth, type HealthOptions } from "./health.ts";
import { errorHandler, problem } from "./problems.ts";

/** Told of every failure that is not the client's doing. */
interface Reporting {
  readonly report: (error: unknown) => void;
}

export function createApp(options: ContractOptions & Reporting): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(errorHandler(options.report));
  app.use(refuseStrangeHosts);
  app.route("/", contractRoutes(options));
  addHealth(app, options);
  addDocs(app);
  app.notFound((c) => {
    const { path } = c.req;
    const trimmed = path.replace(/\/+$/, "");
    if (trimmed !== path && app.routes.some((route) => route.path === trimmed)) {
      // As the reference does; the query goes along.
      return c.redirect(`${trimmed}${/\?.*/.exec(c.req.url)?.[0] ?? ""}`, 307);
    }
    const allowed = app.routes.filter(({ path, method }) => path === c.req.path && method !== "ALL")
      .map(({ method }) => method);
    return allowed.length === 0
      ? problem(c, "notFound")
      : problem(c, "methodNotAllowed", { headers: { Allow: [...new Set(allowed)].join(", ") } });
  });
  return app;
}

/** What a process serves that only scores: whether it is well. */
export function createHealthApp(options: HealthOptions & Reporting): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(errorHandler(options.report));
  app.use(refuseStrangeHosts);
  addHealth(app, options);
  app.notFound((c) => problem(c, "notFound"));
  return app;
}

/** The request's URL is made of this header: with a slash or a question mark in it the client would choose another path. */
async function refuseStrangeHosts(c: Context, next: Next): Promise<Response | void> {
  const host = c.req.header("host");
  if (host !== undefined && !/^[\w.:[\]-]*$/.test(host)) return problem(c, "strangeHost");
  return await next();
}
