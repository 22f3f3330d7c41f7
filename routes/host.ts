/** Before all routes: the path that was asked for is the one that is answered. */
import type { Context, Next } from "hono";
import { isV1 } from "./access.ts";
import { problem } from "./problems.ts";
import { problemResponse } from "./v1/problems.ts";

/** The request's URL is made of this header: with a slash or a question mark in it the client would choose another path. */
export async function refuseStrangeHosts(c: Context, next: Next): Promise<Response | void> {
  const host = c.req.header("host");
  if (host === undefined || /^[\w.:[\]-]*$/.test(host)) return await next();
  return isV1(c) ? problemResponse(c, "strange-host") : problem(c, "strangeHost");
}
