/** Every refusal of the reference's contract in one table: status, text, headers. Inner causes stay in the log. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";

const PROBLEMS = {
  taskNotFound: { status: 404, detail: "Task not found" },
  taskNotFinished: {
    status: 404,
    detail: "Task not finished yet: ask /check_task until it answers true",
    headers: { "Retry-After": "1" },
  },
  taskFailed: { status: 410, detail: "Task failed" },
  notFound: { status: 404, detail: "Not Found" },
  methodNotAllowed: { status: 405, detail: "Method Not Allowed" },
  bodyTooLarge: { status: 413, detail: "Request body is too large" },
  unavailable: {
    status: 503,
    detail: "The database cannot be written or read now; nothing was stored, try again",
    headers: { "Retry-After": "1" },
  },
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
    { ...("headers" in entry ? entry.headers : {}), ...headers },
  );
}

/** What a request ends with when its handler threw. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof HTTPException) return c.json({ detail: error.message }, error.status);
  console.error("A request failed:", error);
  return problem(c, "unavailable");
}
