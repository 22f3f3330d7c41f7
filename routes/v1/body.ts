/** Bodies of the v1 API: JSON within a limit, held to a schema, or a problem that says what is wrong where. */
import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Limits } from "../limits.ts";
import { readBytes } from "../request_body.ts";
import { tooMuchJson } from "./json_limits.ts";
import { fieldErrors, Problem } from "./problems.ts";

/** The media type of a Content-Type header, without its parameters; the empty one where there is none. */
export function mediaType(c: Context): string {
  return (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The body, checked. Throws `Problem`, or what `readBytes` does. */
export async function readJson<S extends z.ZodType>(
  c: Context,
  schema: S,
  { limits, after }: Pick<Limits, "limits" | "after">,
): Promise<z.infer<S>> {
  if (mediaType(c) !== "application/json") {
    throw new Problem("unsupported-media-type", {
      detail: "Content-Type must be application/json",
    });
  }
  const bytes = await readBytes(c.req.raw, {
    ...{ maxBytes: limits.bodyBytes, timeoutMs: limits.bodyMs, after },
  });
  const tooMuch = tooMuchJson(bytes, limits);
  if (tooMuch !== undefined) {
    throw new Problem("invalid-request", { errors: [{ detail: tooMuch }] });
  }
  const parsed = schema.safeParse(parseJson(bytes));
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
