/** What every answer says to a browser: take it for what it says it is, show it in no other page, run nothing of it. */
import type { MiddlewareHandler } from "hono";

/** Of answers that are no page; a page says for itself what it may load. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
const HSTS = "max-age=31536000";

/** On every answer. */
export const SECURITY_HEADERS = {
  "Content-Security-Policy": NOTHING,
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** Set before the handler, which may say otherwise. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
  // Only where a proxy speaks TLS: over plain HTTP browsers do not listen to it.
  if (c.req.header("x-forwarded-proto") === "https") c.header("Strict-Transport-Security", HSTS);
  await next();
};
