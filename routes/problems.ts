/** Every refusal of the reference's contract in one table: status, text, headers. Inner causes stay in the log. */
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { QueueFullError, StoreError } from "../queue/store.ts";
import { refusalPage } from "./sign_in_page.ts";
import { BodyTimeoutError, BodyTooLargeError } from "./request_body.ts";

const PROBLEMS = {
  taskNotFound: { status: 404, detail: "Task not found" },
  taskNotFinished: {
    status: 404,
    detail: "Task not finished yet: ask /check_task until it answers true",
    headers: { "Retry-After": "1" },
  },
  taskFailed: { status: 410, detail: "Task failed" },
  strangeHost: { status: 400, detail: "The Host header must be a name or an address" },
  notFound: { status: 404, detail: "Not Found" },
  methodNotAllowed: { status: 405, detail: "Method Not Allowed" },
  queueFull: {
    status: 429,
    detail: "Too many uploads or tasks wait; this one was not stored, try again",
    headers: { "Retry-After": "1" },
  },
  noKey: { status: 401, detail: "An API key is needed: Authorization: Bearer psk_..." },
  notPermitted: { status: 403, detail: "The role of this API key does not allow it" },
  tooManyRequests: { status: 429, detail: "Too many requests with this API key" },
  requestTimeout: {
    status: 408,
    detail: "The body did not come in time",
    headers: { "Connection": "close" },
  },
  bodyTooLarge: { status: 413, detail: "Request body is too large" },
  unavailable: {
    status: 503,
    detail: "The database cannot be written or read now, try again",
    headers: { "Retry-After": "1" },
  },
  internal: { status: 500, detail: "Internal Server Error" },
} as const;

export interface ProblemOptions {
  /** Said after the table's text. */
  readonly cause?: string;
  readonly headers?: Record<string, string>;
}

/** Answers with `{"detail": text}`. */
export function problem(
  c: Context,
  name: keyof typeof PROBLEMS,
  { cause, headers }: ProblemOptions = {},
): Response {
  const entry = PROBLEMS[name];
  const detail = cause === undefined ? entry.detail : `${entry.detail}: ${cause}`;
  return c.json(
    { detail },
    entry.status,
    { ...headersOf(name), ...headers },
  );
}

/** What a request ends with when its handler threw; what is not the client's doing is reported. */
export function errorHandler(report: (error: unknown) => void): ErrorHandler {
  return (error, c) => {
    if (error instanceof HTTPException) {
      return isPage(c)
        ? c.html(refusalPage("refused"), error.status)
        : c.json({ detail: error.message }, error.status);
    }
    const name = nameOf(error);
    // Of a client that went away in mid-request nobody reads the answer.
    if (isOurs(name) && !c.req.raw.signal.aborted) report(error);
    if (isPage(c)) return c.html(refusalPage(name), PROBLEMS[name].status, headersOf(name));
    return problem(c, name, isOurs(name) || name === "queueFull" ? {} : { cause: error.message });
  };
}

type Failure = "queueFull" | "bodyTooLarge" | "requestTimeout" | "unavailable" | "internal";

function nameOf(error: Error): Failure {
  if (error instanceof QueueFullError) return "queueFull";
  if (error instanceof BodyTooLargeError) return "bodyTooLarge";
  if (error instanceof BodyTimeoutError) return "requestTimeout";
  return error instanceof StoreError ? "unavailable" : "internal";
}

/** Whether it is not the client's doing. */
function isOurs(name: Failure): boolean {
  return name === "unavailable" || name === "internal";
}

/** Whether a person looks at the answer. */
function isPage({ req: { path } }: Context): boolean {
  return path === "/console" || path.startsWith("/console/");
}

function headersOf(name: keyof typeof PROBLEMS): Record<string, string> {
  const entry = PROBLEMS[name];
  return "headers" in entry ? entry.headers : {};
}
