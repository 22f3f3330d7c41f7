/**
 * The body of `POST /upload_features`: bytes -> answers, or the reference's own refusal.
 *
 * The reference (FastAPI 0.104.1) reads the body as JSON only under a JSON media type or none at
 * all; else the bytes themselves are validated and refused. The order of its checks shows in the
 * errors, so it is kept. This file knows no web framework: the route passes bytes in, text out.
 *
 * Known limit: where the reference fails with status 500 while it writes an error (NaN or a lone
 * surrogate in the echo, a body that is not UTF-8), a readable 422 stands here.
 */

import { z } from "zod";
import type { Answers } from "../scoring/answers.ts";
import type { AnswerField } from "../scoring/task_id.ts";
import {
  detailText,
  type PydanticError,
  pydanticErrorBody,
  pydanticErrors,
  pydanticInteger,
  pydanticNumber,
  pydanticString,
} from "./pydantic.ts";
import {
  JsonSyntaxError,
  JsonUnreadableError,
  type JsonValue,
  parsePythonJson,
} from "./python_json.ts";

/** A field of the questionnaire with what its documentation shows. */
export interface UploadField extends AnswerField {
  readonly description: string;
  readonly example: string | number;
}

/** Every value is a string, number, bigint or null; unknown fields are dropped. */
export type AnswersSchema = ReturnType<typeof answersSchema>;

export type UploadReading =
  | { readonly ok: true; readonly answers: Answers }
  | UploadRefusal;

/** `body` is the answer's text, to be sent as application/json. */
export interface UploadRefusal {
  readonly ok: false;
  readonly status: 400 | 422;
  readonly body: string;
}

export interface ReadUploadOptions {
  /** The request's Content-Type header. */
  readonly contentType: string | undefined;
  readonly schema: AnswersSchema;
}

const UNREADABLE_DETAIL = "There was an error parsing the body";

const FIELD_SCHEMAS = {
  string: pydanticString,
  integer: pydanticInteger,
  number: pydanticNumber,
};

/** The schema of a questionnaire, ready for OpenAPI; errors come in the order of `fields`. */
export function answersSchema(fields: readonly UploadField[]) {
  return z.object(Object.fromEntries(
    fields.map(({ id, type, description, example }) => [
      id,
      FIELD_SCHEMAS[type]().meta({ description, example }),
    ]),
  ));
}

export function readUpload(
  bytes: Uint8Array,
  { contentType, schema }: ReadUploadOptions,
): UploadReading {
  if (bytes.length === 0) return refuse({ type: "missing", loc: ["body"], input: null });
  try {
    const body = isJsonMediaType(contentType) ? parsePythonJson(bytes) : lossyText(bytes);
    return readAnswers(body, schema);
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return { ok: false, status: 422, body: jsonSyntaxBody(error) };
    }
    if (error instanceof JsonUnreadableError) {
      return { ok: false, status: 400, body: detailText(UNREADABLE_DETAIL) };
    }
    throw error;
  }
}

function readAnswers(body: JsonValue, schema: AnswersSchema): UploadReading {
  if (body === null) return refuse({ type: "missing", loc: ["body"], input: null });
  if (!(body instanceof Map)) {
    return refuse({ type: "model_attributes_type", loc: ["body"], input: body });
  }
  const known = Object.keys(schema.shape).map((id) => [id, body.get(id)]);
  const result = schema.safeParse(Object.fromEntries(known));
  if (!result.success) return refuse(...pydanticErrors(result.error));
  return { ok: true, answers: result.data };
}

function refuse(...errors: PydanticError[]): UploadRefusal {
  return { ok: false, status: 422, body: pydanticErrorBody(errors) };
}

function jsonSyntaxBody(error: JsonSyntaxError): string {
  return detailText([
    new Map<string, JsonValue>([
      ["type", "json_invalid"],
      ["loc", ["body", error.position]],
      ["msg", "JSON decode error"],
      ["input", new Map()],
      ["ctx", new Map([["error", error.message]])],
    ]),
  ]);
}

/** No header, or `application/json`, or `application/<anything>+json`; parameters do not matter. */
function isJsonMediaType(contentType: string | undefined): boolean {
  if (!contentType) return true;
  const [mediaType = ""] = contentType.split(";");
  const [main, subtype, ...rest] = mediaType.trim().toLowerCase().split("/");
  if (main !== "application" || subtype === undefined || rest.length > 0) return false;
  return subtype === "json" || subtype.endsWith("+json");
}

/** Bytes that are not UTF-8 are replaced: this text is only echoed. */
function lossyText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
