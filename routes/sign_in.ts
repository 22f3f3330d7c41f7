/**
 * Signing in at the console, and what stands before its pages. Whoever has a key that may read shows it once and gets a session: a
 * cookie that no script can read and no other site can use. What changes something must also carry the session's token, in the form
 * field `csrf_token` or the header `X-CSRF-Token`.
 *
 * The console's own application asks `viewerOf(request)` who looks at a page; behind the guard there always is one.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { csrf } from "hono/csrf";
import {
  type Action,
  actorOf,
  ANYONE,
  bearerKey,
  type Caller,
  isCsrfTokenOf,
  mayDo,
  type Rate,
  type Session,
  type Sessions,
} from "../access/mod.ts";
import { accessOf, declare, permit, rateOf, retryAfter, setCaller } from "./access.ts";
import type { Limits } from "./limits.ts";
import { readBytes } from "./request_body.ts";
import { refusalPage, signInPage } from "./sign_in_page.ts";
import { MOST_BYTES } from "./v1/outcomes.ts";

export const CSRF_FIELD = "csrf_token";
const COOKIE = "prescore_session";
const HOME = "/console";
const SIGN_IN = "/console/login";
const SIGN_OUT = "/console/logout";
const SAFE = ["GET", "HEAD"];
const KEY_FORM_BYTES = 65_536;
/** A table of outcomes with what a form puts around it. */
const FORM_BYTES = MOST_BYTES + 65_536;
/** Of everyone together: keys cannot be guessed, but a flood must not fill the record. */
const ATTEMPTS: Rate = { perSecond: 5, burst: 30 };
const RECORDED_REFUSALS: Rate = { perSecond: 60 / 3600, burst: 20 };

export interface SignInOptions {
  readonly sessions: Pick<Sessions, "open" | "find" | "close">;
  /** Puts on record who signed in, and who was refused. */
  readonly record: (entry: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
  }) => Promise<unknown>;
}

/** Who looks at a page, as the console sees it. */
export interface Viewer {
  readonly name?: string;
  readonly tenant: string;
  readonly may: (action: Action) => boolean;
  /** A hidden field of every form. */
  readonly formToken?: { readonly name: string; readonly value: string };
  readonly signOutPath?: string;
}

const viewers = new WeakMap<Request, Viewer>();

/** Who looks at a page. Throws for a request that came past no guard. */
export function viewerOf(request: Request): Viewer {
  const viewer = viewers.get(request);
  if (viewer === undefined) throw new Error(`${request.url} asks for its viewer without a guard`);
  return viewer;
}

type Options = SignInOptions & Pick<Limits, "limits" | "after">;

/** Adds `/console/login` and `/console/logout`, and the guard over `/console`; before the console's own routes. */
export function addSignIn(app: OpenAPIHono, options: Options): void {
  app.use(`${HOME}/*`, csrf({ origin: isOwnOrigin }), quiet);
  app.get(SIGN_IN, permit("anyone"), (c) => c.html(signInPage()));
  app.post(SIGN_IN, permit("anyone"), (c) => signIn(c, options));
  app.use(`${HOME}/*`, declare(guard(options), { needed: "read", wholeService: false }));
  app.post(SIGN_OUT, async (c) => {
    const token = getCookie(c, COOKIE);
    if (token !== undefined) await options.sessions.close(token);
    deleteCookie(c, COOKIE, { path: HOME });
    return c.redirect(SIGN_IN, 303);
  });
}

/** Where a page says nothing else: nothing of it stays in a cache, comes from elsewhere, or runs. */
const quiet: MiddlewareHandler = async (c, next) => {
  c.header("Cache-Control", "no-store");
  c.header(
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  await next();
};

async function signIn(c: Context, { sessions, record, ...limits }: Options): Promise<Response> {
  const { keyring, buckets } = accessOf(c);
  if ((await buckets.take("console:attempts", ATTEMPTS)).waitMs > 0) {
    c.header("Retry-After", "1");
    return c.html(signInPage("busy"), 429);
  }
  const text = String((await formOf(c, limits, KEY_FORM_BYTES))?.get("key") ?? "").trim();
  const key = bearerKey(`Bearer ${text}`);
  const caller = key === undefined ? undefined : await keyring.callerOf(key);
  if (caller?.keyId === undefined || !mayDo(caller.role, "read")) {
    const refusal = { action: "console.refuse", subject: "console/login" };
    if ((await buckets.take("console:refusals", RECORDED_REFUSALS)).waitMs === 0) {
      await record({ ...refusal, actor: caller === undefined ? "unknown" : actorOf(caller) });
    }
    return c.html(signInPage(caller === undefined ? "wrong" : "forbidden"), 403);
  }
  await record({ actor: actorOf(caller), action: "console.login", subject: "console/login" });
  show(c, await sessions.open(caller.keyId));
  return c.redirect(HOME, 303);
}

function guard(options: Options): MiddlewareHandler {
  return async (c, next) => {
    const token = getCookie(c, COOKIE);
    const session = token === undefined ? undefined : await options.sessions.find(token);
    if (session === undefined) {
      if (!await accessOf(c).needsNoKey()) {
        return SAFE.includes(c.req.method)
          ? c.redirect(SIGN_IN, 303)
          : c.html(signInPage("ended"), 401);
      }
      admit(c, ANYONE);
      return await next();
    }
    const { caller } = session;
    if (!mayDo(caller.role, "read")) return c.html(signInPage("forbidden"), 403);
    const waitMs = await takeToken(c, caller);
    if (waitMs > 0) {
      c.header("Retry-After", retryAfter(waitMs));
      return c.html(refusalPage("tooMany"), 429);
    }
    if (!SAFE.includes(c.req.method) && !await isOurs(c, session, options)) {
      return c.html(signInPage("stale"), 403);
    }
    admit(c, caller, session);
    await next();
    if (session.newToken !== undefined && c.req.path !== SIGN_OUT) show(c, session.newToken);
  };
}

/** Of the same bucket as what the key asks of the API; how long to wait where it is empty. */
async function takeToken(c: Context, caller: Caller): Promise<number> {
  const access = accessOf(c);
  if (caller.keyId === undefined) return 0;
  return (await access.buckets.take(caller.keyId, rateOf(caller, access))).waitMs;
}

function admit(c: Context, caller: Caller, session?: Session): void {
  setCaller(c, caller);
  viewers.set(c.req.raw, {
    tenant: caller.tenant,
    may: (action) => mayDo(caller.role, action),
    ...session && {
      name: caller.keyId ?? "",
      formToken: { name: CSRF_FIELD, value: session.csrfToken },
      signOutPath: SIGN_OUT,
    },
  });
}

async function isOurs(
  c: Context,
  session: Session,
  limits: Pick<Limits, "limits" | "after">,
): Promise<boolean> {
  const header = c.req.header("x-csrf-token");
  if (header !== undefined) return isCsrfTokenOf(session, header);
  const field = (await formOf(c, limits))?.get(CSRF_FIELD);
  return typeof field === "string" && isCsrfTokenOf(session, field);
}

/** The form of the body, which whoever comes after can read as well. */
export async function formOf(
  c: Context,
  { limits, after }: Pick<Limits, "limits" | "after">,
  maxBytes = FORM_BYTES,
): Promise<FormData | undefined> {
  const body = await readBytes(c.req.raw.clone(), { maxBytes, timeoutMs: limits.bodyMs, after });
  const headers = { "Content-Type": c.req.header("content-type") ?? "" };
  return await new Response(new Uint8Array(body), { headers }).formData().catch(() => undefined);
}

function show(c: Context, token: string): void {
  setCookie(c, COOKIE, token, {
    path: HOME,
    httpOnly: true,
    sameSite: "Strict",
    // Whoever says falsely that a proxy speaks TLS has himself a cookie that is sent less often.
    secure: c.req.url.startsWith("https:") || c.req.header("x-forwarded-proto") === "https",
  });
}

/** Only the host is compared: a proxy may speak TLS in the service's place. */
function isOwnOrigin(origin: string, c: Context): boolean {
  return URL.canParse(origin) && new URL(origin).host === c.req.header("host");
}
