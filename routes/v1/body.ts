/** Bodies of the v1 API: JSON within a limit, held to a schema, or a problem that says what is wrong where. */
import type { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { fieldErrors, Problem, problemResponse } from "./problems.ts";

/** The media type of a Content-Type header, without its parameters; the empty one where there is none. */
export function mediaType(c: Context): string {
  return (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

export function limitBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: (c) => problemResponse(c, "body-too-large", { detail: `at most ${maxBytes} bytes` }),
  });
}

/** The body, checked. Throws `Problem`. */
export async function readJson<S extends z.ZodType>(c: Context, schema: S): Promise<z.infer<S>> {
  if (mediaType(c) !== "application/json") {
    throw new Problem("unsupported-media-type", {
      detail: "Content-Type must be application/json",
    });
  }
  const parsed = schema.safeParse(parseJson(new Uint8Array(await c.req.arrayBuffer())));
  if (parsed.success) return parsed.data;
  throw new Problem("invalid-request", { errors: fieldErrors(parsed.error) });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Problem("unreadable-body", {
      detail: error instanceof SyntaxError ? error.message : "the bytes must be UTF-8",
    });
  }
}
