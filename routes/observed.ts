/** Gives each request an id, which its answer carries, tells of it when it is answered, and says to browsers what an answer is. */
import type { Context, MiddlewareHandler } from "hono";
import { requestId } from "hono/request-id";
import { routePath } from "hono/route";
import type { Clock } from "../clock.ts";
import { securityHeaders } from "./security_headers.ts";

/** A request that was answered. `route` is as it is registered, and `unmatched` where there is none. */
export interface SeenRequest {
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface TelemetryOptions extends Pick<Clock, "after"> {
  /** Told of every request when its answer begins. */
  readonly seen: (request: SeenRequest) => void;
  /** Metrics in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** What the service cannot work without: each resolves where it works, and rejects with the cause. */
  readonly parts: Readonly<Record<string, () => Promise<unknown>>>;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const UNMATCHED = "unmatched";

/** What stands before all routes. */
export function observed({ seen }: Pick<TelemetryOptions, "seen">): readonly MiddlewareHandler[] {
  const observe: MiddlewareHandler = async (c, next) => {
    const start = performance.now();
    await next();
    const { method } = c.req;
    seen({
      requestId: c.get("requestId"),
      // What a client may write as it likes names no series.
      method: METHODS.includes(method) ? method : "other",
      route: routeName(c),
      status: c.res.status,
      milliseconds: performance.now() - start,
    });
  };
  return [requestId(), observe, securityHeaders];
}

/** The route that answered, not the address that was asked for. */
function routeName(c: Context): string {
  const path = routePath(c);
  return path === "/*" || path === "*" ? UNMATCHED : path;
}
