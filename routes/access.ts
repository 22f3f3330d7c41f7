/**
 * Who may use a route, declared beside it: `app.get(path, permit("read"), handler)`. The declaration is the check, so there is no
 * second list of routes; `seal` finds every route that has none, and writes into the OpenAPI document what each needs.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Handler, MiddlewareHandler } from "hono";
import { findTargetHandler } from "hono/utils/handler";
import {
  type Action,
  type Allowance,
  bearerKey,
  type Buckets,
  type Caller,
  type Keyring,
  mayDo,
  type Rate,
  ROLE_NAMES,
} from "../access/mod.ts";
import { ANYONE } from "../access/mod.ts";
import { forTenant, type QueueParts } from "../queue/tenant.ts";
import { problem } from "./problems.ts";
import { problemResponse } from "./v1/problems.ts";

export interface AccessOptions {
  readonly keyring: Pick<Keyring, "callerOf">;
  /** Whether a request without a key is taken. */
  readonly needsNoKey: () => boolean | Promise<boolean>;
  readonly buckets: Buckets;
  /** Of a key that has no rate of its own. */
  readonly rate: Rate;
}

/** `anyone` needs no key: what is there holds nothing about anybody. */
export type Needed = Action | "anyone";

export interface Declared {
  readonly needed: Needed;
  /** Whether it is about the whole service, so that a caller of any but the default tenant may not. */
  readonly wholeService: boolean;
}

const ACCESS = "access";
const CALLER = "caller";
const declarations = new WeakMap<Handler | MiddlewareHandler, Declared>();

/** Before all routes: what `permit` asks. */
export function accessControl(access: AccessOptions): MiddlewareHandler {
  return (c, next) => {
    c.set(ACCESS, access);
    return next();
  };
}

/** The first handler of a route: lets those pass who may do this. */
export function permit(
  needed: Needed,
  { wholeService = false }: Partial<Pick<Declared, "wholeService">> = {},
): MiddlewareHandler {
  const guard: MiddlewareHandler = needed === "anyone" ? (_, next) => next() : async (c, next) => {
    const access = accessOf(c);
    const identified = identify(c.req.header("authorization"), access);
    const caller = identified instanceof Promise ? await identified : identified;
    if (caller === undefined) return refuse(c, "no-key");
    if (!mayDo(caller.role, needed) || (wholeService && caller.tenant !== "")) {
      return refuse(c, "not-permitted");
    }
    c.set(CALLER, caller);
    if (caller.keyId === undefined) return await next();
    const rate = rateOf(caller, access);
    const taken = access.buckets.take(caller.keyId, rate);
    const allowance = taken instanceof Promise ? await taken : taken;
    if (allowance.waitMs > 0) return tooMany(c, { policy: "requests", rate, allowance });
    sayRate(c, { policy: "requests", rate, allowance });
    await next();
  };
  return declare(guard, { needed, wholeService });
}

/** Marks a guard of another kind, such as the console's, as what decides over its routes. */
export function declare(guard: MiddlewareHandler, declared: Declared): MiddlewareHandler {
  declarations.set(guard, declared);
  return guard;
}

/** Who asks, behind `permit`. */
export function callerOf(c: Context): Caller {
  const caller = c.get(CALLER) as Caller | undefined;
  if (caller === undefined) throw new Error(`${c.req.path} asks for its caller without a permit`);
  return caller;
}

export function setCaller(c: Context, caller: Caller): void {
  c.set(CALLER, caller);
}

export function accessOf(c: Context): AccessOptions {
  const access = c.get(ACCESS) as AccessOptions | undefined;
  if (access === undefined) throw new Error(`${c.req.path} has no access control before it`);
  return access;
}

const views = new WeakMap<QueueParts, Map<string, QueueParts>>();

/** The options of a route as its caller's tenant may see them. There are no more tenants than keys. */
export function own<P extends QueueParts>(c: Context, parts: P): P {
  const { tenant } = callerOf(c);
  const known = views.get(parts) ?? new Map<string, QueueParts>();
  views.set(parts, known);
  const view = known.get(tenant) ?? forTenant(parts, tenant);
  known.set(tenant, view);
  return view as P;
}

/** Who asks, by the Authorization header; `undefined` for one who needs a key that is good. */
export function identify(
  header: string | undefined,
  { keyring, needsNoKey }: AccessOptions,
): Caller | undefined | Promise<Caller | undefined> {
  const key = header === undefined ? undefined : bearerKey(header);
  if (key !== undefined) return keyring.callerOf(key);
  const open = needsNoKey();
  if (typeof open === "boolean") return open ? ANYONE : undefined;
  return open.then((open) => open ? ANYONE : undefined);
}

/** Of a caller with a key. */
export function rateOf({ perSecond }: Caller, { rate }: AccessOptions): Rate {
  return perSecond === undefined ? rate : { perSecond, burst: 2 * perSecond };
}

export interface Limited {
  /** The quota's name. */
  readonly policy: "requests" | "probes";
  readonly rate: Rate;
  readonly allowance: Allowance;
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-11: the quota over the time in which it comes back, and what is left of it. */
export function rateHeaders({ policy, rate, allowance }: Limited): Record<string, string> {
  const { perSecond, burst } = rate;
  const windowS = Math.max(1, Math.ceil(burst / perSecond));
  const fullInS = Math.ceil(allowance.fullInMs / 1000);
  return {
    "RateLimit-Policy": `"${policy}";q=${burst};w=${windowS}`,
    "RateLimit": `"${policy}";r=${allowance.remaining};t=${fullInS}`,
  };
}

/** The header's whole seconds. */
export function retryAfter(waitMs: number): string {
  return String(Math.max(1, Math.ceil(waitMs / 1000)));
}

function sayRate(c: Context, limited: Limited): void {
  for (const [name, value] of Object.entries(rateHeaders(limited))) c.header(name, value);
}

export function tooMany(c: Context, limited: Limited): Response {
  const headers = {
    ...rateHeaders(limited),
    "Retry-After": retryAfter(limited.allowance.waitMs),
  };
  if (!isV1(c)) return problem(c, "tooManyRequests", { headers });
  return problemResponse(
    c,
    limited.policy === "probes" ? "too-many-probes" : "too-many-requests",
    { headers },
  );
}

function refuse(c: Context, why: "no-key" | "not-permitted"): Response {
  const given = c.req.header("authorization") !== undefined;
  const scope = why === "not-permitted" ? "insufficient_scope" : "invalid_token";
  const challenge = 'Bearer realm="prescore"' + (given ? `, error="${scope}"` : "");
  const headers = { "WWW-Authenticate": challenge, "Cache-Control": "no-store" };
  if (isV1(c)) return problemResponse(c, why, { headers });
  return problem(c, why === "no-key" ? "noKey" : "notPermitted", { headers });
}

export function isV1(c: Context): boolean {
  return c.req.path.startsWith("/v1/");
}

export interface DeclaredRoute extends Declared {
  readonly method: string;
  readonly path: string;
}

/**
 * What each route of the application needs. Throws where one does not say, or says it after a handler that runs before: such a
 * service must not start. A guard over `/path/*` speaks for every route below it that comes later.
 */
export function declaredRoutes({ routes }: Pick<OpenAPIHono, "routes">): DeclaredRoute[] {
  const declared = new Map<string, DeclaredRoute>();
  const areas: { readonly prefix: string; readonly declared: Declared }[] = [];
  for (const { method, path, handler } of routes) {
    const found = declarations.get(findTargetHandler(handler) as Handler);
    if (method === "ALL") {
      if (found && path.endsWith("/*")) areas.push({ prefix: path.slice(0, -1), declared: found });
      continue;
    }
    const name = `${method} ${path}`;
    if (declared.has(name)) continue;
    const said = found ?? areas.find(({ prefix }) => `${path}/`.startsWith(prefix))?.declared;
    if (said === undefined) {
      throw new Error(
        `Cannot start: ${name} does not say who may use it: its first handler must be permit(...)`,
      );
    }
    declared.set(name, { method, path, ...said });
  }
  return [...declared.values()];
}

/** Refuses an application with a route that does not say who may use it, and documents what the others need. */
export function seal(app: OpenAPIHono): void {
  const routes = declaredRoutes(app);
  app.openAPIRegistry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "psk_<id>_<secret>",
    description:
      "An API key. Only a service on a loopback address for which no key was ever made, or one that is " +
      "configured to be open, takes requests without. The roles are submit, read, operate and admin, each with the rights of " +
      "the one before.",
  });
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { route } = definition;
    const path = route.path.replaceAll(/{(\w+)}/g, ":$1");
    const found = routes.find((each) =>
      each.method === route.method.toUpperCase() && each.path === path
    );
    if (found) route.security = found.needed === "anyone" ? [] : [{ apiKey: [leastRole(found)] }];
  }
}

/** The first role that may. */
export function leastRole({ needed }: Declared): string {
  return needed === "anyone" ? "" : ROLE_NAMES.find((role) => mayDo(role, needed)) ?? "";
}
