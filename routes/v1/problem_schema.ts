/** What OpenAPI says of the refusals of the v1 API; apart from their table, which is there before a document is asked for. */
import { z } from "@hono/zod-openapi";
import {
  MEDIA_TYPE,
  problemBody,
  type ProblemDetails,
  type ProblemName,
  PROBLEMS,
} from "./problems.ts";

/** What is wrong with one value of a request. */
export const fieldErrorSchema = z.object({
  detail: z.string(),
  pointer: z.string().optional().openapi({
    description: "Which value of the body: a JSON pointer (RFC 6901) as a URI fragment",
  }),
  parameter: z.string().optional().openapi({ description: "Which parameter or header" }),
}).openapi("FieldError", {
  example: {
    detail: 'current value is "180000": must be a number, or null',
    pointer: "#/answers/monthprofit",
  },
});

export const problemSchema = z.object({
  type: z.string().openapi({ description: "Names the problem; a path of this service" }),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional().openapi({ description: "About this one request" }),
  errors: z.array(fieldErrorSchema).optional(),
  batch: z.object({ id: z.string(), rows: z.int() }).optional().openapi({
    description: "The batch whose upload broke off, and how many of its rows are stored",
  }),
}).openapi("ProblemDetails");

/** The responses of these problems, and of those that any request with a key may meet, for OpenAPI, each with its example. */
export function problemResponses(...special: ProblemName[]) {
  return openProblemResponses("no-key", "not-permitted", "too-many-requests", ...special);
}

/** The same for what needs no key. */
export function openProblemResponses(...special: ProblemName[]) {
  const names: ProblemName[] = ["strange-host", ...special, "internal"];
  const statuses = Map.groupBy(names, (name) => PROBLEMS[name].status);
  return Object.fromEntries(
    Array.from(statuses, ([status, names]) => [status, {
      description: names.map((name) => PROBLEMS[name].title).join("; "),
      content: {
        [MEDIA_TYPE]: {
          schema: problemSchema,
          examples: Object.fromEntries(
            names.map((name) => [name, { value: problemBody(name, EXAMPLES[name]) }]),
          ),
        },
      },
    }]),
  );
}

const EXAMPLES: Partial<Record<ProblemName, ProblemDetails>> = {
  "invalid-request": {
    errors: [
      {
        detail: 'current value is "180000": must be a number, or null',
        pointer: "#/answers/monthprofit",
      },
      { detail: "Unknown field", pointer: "#/answers/salary" },
    ],
  },
  "upload-broken": {
    detail: "the body ends before its JSON array does",
    batch: { id: "bat_2c26b46b68ffc68ff99b453c1d304134", rows: 12500 },
  },
};
