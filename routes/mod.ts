/** The whole HTTP surface as one Hono app, without a socket: tests call `app.request()`. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { type ContractOptions, contractRoutes } from "./contract.ts";
import { describeContract } from "./contract_document.ts";
import { accessControl, type AccessOptions, isV1, seal } from "./access.ts";
import { addConsole, type KeysOptions } from "./console.ts";
import { addDocs } from "./docs.ts";
import { addHealth, type HealthOptions } from "./health.ts";
import { refuseStrangeHosts } from "./host.ts";
import { errorHandler, problem } from "./problems.ts";
import { addSignIn, type SignInOptions } from "./sign_in.ts";
import { type V1Options, v1Routes } from "./v1/mod.ts";
import { problemResponse } from "./v1/problems.ts";
import { observed, type TelemetryOptions } from "./observed.ts";
import { addTelemetry } from "./telemetry.ts";

/** Told of every failure that is not the client's doing. */
interface Reporting {
  readonly report: (error: unknown) => void;
}

export interface AppOptions extends ContractOptions, V1Options, KeysOptions {
  readonly access: AccessOptions;
  /** How one signs in at the console; absent where there is none. */
  readonly signIn?: SignInOptions;
  readonly store: V1Options["store"];
  readonly telemetry: TelemetryOptions;
}

/** Throws where a route does not say who may use it. */
export function createApp(options: AppOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(errorHandler(options.report));
  app.use(...observed(options.telemetry));
  app.use(refuseStrangeHosts);
  app.use(accessControl(options.access));
  app.route("/", contractRoutes(options));
  describeContract(app, options);
  app.route("/", v1Routes(options));
  addHealth(app, options);
  addTelemetry(app, options.telemetry);
  addDocs(app);
  if (options.signIn) {
    addSignIn(app, { ...options, ...options.signIn });
    addConsole(app, options);
  }
  seal(app);
  app.notFound((c) => {
    const { path } = c.req;
    const trimmed = path.replace(/\/+$/, "");
    if (trimmed !== path && app.routes.some((route) => route.path === trimmed)) {
      // As the reference does; the query goes along.
      return c.redirect(`${trimmed}${/\?.*/.exec(c.req.url)?.[0] ?? ""}`, 307);
    }
    const allowed = app.routes.filter((route) =>
      route.method !== "ALL" && matches(route.path, path)
    )
      .map(({ method }) => method);
    const headers: Record<string, string> = allowed.length === 0
      ? {}
      : { Allow: [...new Set(allowed)].join(", ") };
    if (isV1(c)) {
      return problemResponse(c, allowed.length === 0 ? "not-found" : "method-not-allowed", {
        headers,
      });
    }
    return problem(c, allowed.length === 0 ? "notFound" : "methodNotAllowed", { headers });
  });
  return app;
}

/** Whether a path fits a route's, where `:name` stands for one segment. */
function matches(route: string, path: string): boolean {
  const [wanted, given] = [route.split("/"), path.split("/")];
  return wanted.length === given.length &&
    wanted.every((segment, at) => segment.startsWith(":") || segment === given[at]);
}

export interface HealthAppOptions
  extends HealthOptions, Reporting, Pick<AppOptions, "access" | "telemetry"> {}

/** What a process serves that only scores: whether it is well, and what it has counted. */
export function createHealthApp(options: HealthAppOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(errorHandler(options.report));
  app.use(...observed(options.telemetry));
  app.use(refuseStrangeHosts);
  app.use(accessControl(options.access));
  addHealth(app, options);
  addTelemetry(app, options.telemetry);
  app.notFound((c) => problem(c, "notFound"));
  return app;
}
