/**
 * The reference's contract from the first moment, and the whole surface behind it: the v1 API, the documentation and the console take
 * longer to load than the service takes to start, and are loaded when one of them is first asked for, or when the service has time.
 * A request that comes meanwhile waits.
 */
import { Hono } from "hono";
import { accessControl } from "./access.ts";
import { contractRoutes } from "./contract.ts";
import { refuseStrangeHosts } from "./host.ts";
import type { AppOptions, HealthAppOptions } from "./mod.ts";
import { observed } from "./observed.ts";
import { errorHandler } from "./problems.ts";
import { quickly, type QuickOptions } from "./quick.ts";

export interface Front {
  fetch(request: Request): Response | Promise<Response>;
  /** Loads what is not loaded yet. Rejects where a route does not say who may use it. */
  load(): Promise<void>;
}

export function createFront(options: AppOptions & QuickOptions): Front {
  const whole = once(async () => (await import("./mod.ts")).createApp(options));
  const app = new Hono();
  const contract = contractRoutes(options);
  app.onError(errorHandler(options.report));
  // Whatever else is asked is told of by the whole surface.
  const watched = observed(options.telemetry);
  const paths = Map.groupBy(contract.routes, ({ path }) => path);
  for (const [path, routes] of paths) {
    app.on([...new Set(routes.map(({ method }) => method))], [path], ...watched);
  }
  app.use(refuseStrangeHosts);
  app.use(accessControl(options.access));
  app.route("/", contract);
  app.all("*", async (c) => (await whole()).fetch(c.req.raw));
  return {
    fetch: quickly(options, (request) => app.fetch(request)),
    load: async () => void await whole(),
  };
}

/** What a process serves that only scores. */
export function createHealthFront(options: HealthAppOptions): Front {
  const whole = once(async () => (await import("./mod.ts")).createHealthApp(options));
  return {
    fetch: async (request) => (await whole()).fetch(request),
    load: async () => void await whole(),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}
