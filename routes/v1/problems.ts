/**
 * Every refusal of the v1 API in one table, answered as RFC 9457 has it. A problem's `type` is a path of this service, where its
 * meaning can be read. Inner causes stay in the log.
 */
import type { z } from "zod";
import type { Context, ErrorHandler } from "hono";
import { QueueFullError, StoreError } from "../../queue/store.ts";
import { BodyTimeoutError, BodyTooLargeError } from "../request_body.ts";
import { IdempotencyKeyError } from "./idempotency_key.ts";
import type { fieldErrorSchema, problemSchema } from "./problem_schema.ts";

export const MEDIA_TYPE = "application/problem+json";
const LATER = { "Retry-After": "1" };

export const PROBLEMS = {
  "unreadable-body": {
    status: 400,
    title: "The body cannot be read",
    meaning: "It is not the format that its Content-Type names.",
  },
  "invalid-request": {
    status: 422,
    title: "The request is not valid",
    meaning: "`errors` names each value that is wrong by a JSON pointer into the body, or by a " +
      "parameter's name.",
  },
  "invalid-idempotency-key": {
    status: 400,
    title: "The Idempotency-Key cannot be used",
    meaning: "It must be 1 to 255 printable ASCII characters, in quotes.",
  },
  "idempotency-key-reused": {
    status: 409,
    title: "The Idempotency-Key was used for something else",
    meaning: "An earlier request with this key had another body. What that one made is unchanged.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The Content-Type is not taken here",
    meaning: "The operation's documentation lists what it takes.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "`detail` says what is allowed. Many applications go into one batch.",
  },
  "upload-broken": {
    status: 400,
    title: "The upload broke off",
    meaning: "What came before is stored and will be scored: `batch` says which rows. The whole " +
      "body sent again with the same Idempotency-Key goes on after them.",
  },
  "strange-host": {
    status: 400,
    title: "The Host header is no name or address",
    meaning: "It would change the path that was asked for.",
  },
  "not-found": {
    status: 404,
    title: "There is no such thing",
    meaning: "The id, or the path, is not known here.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not allowed here",
    meaning: "The Allow header lists those that are.",
  },
  "step-refused": {
    status: 409,
    title: "The step is refused",
    meaning: "`detail` says why. Nothing was changed, and the refusal is in the audit log.",
  },
  "being-scored": {
    status: 409,
    title: "The application is being scored",
    meaning: "Nothing was removed. Send it again in a second.",
    headers: LATER,
  },
  "too-many-waiting": {
    status: 429,
    title: "Too much waits already",
    meaning: "Nothing was stored. Send it again, no earlier than Retry-After says.",
    headers: LATER,
  },
  "no-key": {
    status: 401,
    title: "A valid API key is needed",
    meaning: "Send one as `Authorization: Bearer psk_...`. It may have expired or been revoked.",
  },
  "not-permitted": {
    status: 403,
    title: "The role of this API key does not allow it",
    meaning: "The operation's documentation says which role does.",
  },
  "too-many-requests": {
    status: 429,
    title: "Too many requests with this API key",
    meaning:
      "Nothing was done. Send it again, no earlier than Retry-After says; RateLimit says what is left.",
    headers: LATER,
  },
  "too-many-probes": {
    status: 429,
    title: "Too many what-if requests",
    meaning:
      "With this API key, or about this applicant, in an hour. Retry-After says when to come back.",
    headers: LATER,
  },
  "request-timeout": {
    status: 408,
    title: "The body did not come in time",
    meaning: "Nothing was stored. Send it again, over a faster connection.",
    headers: { Connection: "close" },
  },
  unavailable: {
    status: 503,
    title: "The database cannot be reached",
    meaning: "Nothing is known to be stored. Send it again, with the same Idempotency-Key.",
    headers: LATER,
  },
  internal: {
    status: 500,
    title: "The service failed",
    meaning: "The cause stands in its log.",
  },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

export type FieldError = z.infer<typeof fieldErrorSchema>;
export type ProblemBody = z.infer<typeof problemSchema>;
export type ProblemDetails = Partial<Pick<ProblemBody, "detail" | "errors" | "batch">>;

/** Ends a request with a problem of the table. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly problem: ProblemName;
  readonly details: ProblemDetails;

  constructor(problem: ProblemName, details: ProblemDetails = {}) {
    super(details.detail ?? PROBLEMS[problem].title);
    this.problem = problem;
    this.details = details;
  }
}

export function problemBody(name: ProblemName, details: ProblemDetails = {}): ProblemBody {
  const { title, status } = PROBLEMS[name];
  return { type: `/problems/${name}`, title, status, ...details };
}

export function problemResponse(
  c: Context,
  name: ProblemName,
  { headers, ...details }: ProblemDetails & { readonly headers?: Record<string, string> } = {},
): Response {
  const entry = PROBLEMS[name];
  return c.body(JSON.stringify(problemBody(name, details)), entry.status, {
    "Content-Type": MEDIA_TYPE,
    ..."headers" in entry ? entry.headers : {},
    ...headers,
  });
}

/** The problem of a body that broke a limit; any other error as it is. */
export function bodyProblem(error: unknown): unknown {
  if (error instanceof BodyTooLargeError) {
    return new Problem("body-too-large", { detail: error.message });
  }
  if (error instanceof BodyTimeoutError) {
    return new Problem("request-timeout", { detail: error.message });
  }
  return error;
}

/** What a request ends with when its handler threw; what is not the client's doing is reported. */
export function problemHandler(report: (error: unknown) => void): ErrorHandler {
  return (thrown, c) => {
    const error = bodyProblem(thrown);
    if (error instanceof Problem) return problemResponse(c, error.problem, error.details);
    if (error instanceof IdempotencyKeyError) {
      return problemResponse(c, "invalid-idempotency-key", { detail: error.message });
    }
    if (error instanceof QueueFullError) return problemResponse(c, "too-many-waiting");
    // The client went away in mid-request: nobody reads the answer.
    if (!c.req.raw.signal.aborted) report(error);
    return problemResponse(c, error instanceof StoreError ? "unavailable" : "internal");
  };
}

/** Zod's issues -> one error for each value that is wrong, unknown keys each on its own. */
export function fieldErrors({ issues }: z.ZodError): FieldError[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") {
      return [{ detail: issue.message, pointer: pointer(issue.path) }];
    }
    return issue.keys.map((key) => ({
      detail: "Unknown field",
      pointer: pointer([...issue.path, key]),
    }));
  });
}

/** RFC 6901, section 6. A lone surrogate, which no URI can hold, stands as U+FFFD. */
export function pointer(path: readonly PropertyKey[]): string {
  const tokens = path.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1"));
  return `#${tokens.map((token) => `/${encodeURIComponent(token.toWellFormed())}`).join("")}`;
}
