/**
 * Zod schemas that coerce and refuse values as pydantic 2.5 does in its lax mode, and its errors.
 *
 * The reference validates with pydantic 2.5.3 and sends its errors to clients word by word; so the
 * rules here follow what it was seen to do (`tests/routes/golden/`), odd ones included: no spaces
 * around numbers in text, underscores between digits, "77.0" an integer but "1_0.0" not.
 *
 * Wanted differences: null is a missing answer, and numbers that are not finite are refused.
 */

import { z } from "zod";
import { type JsonValue, narrowInteger, PythonFloat } from "./python_json.ts";
import { pythonJsonText } from "./python_json_writer.ts";

const MESSAGES = {
  finite_number: "Input should be a finite number",
  float_parsing: "Input should be a valid number, unable to parse string as a number",
  float_type: "Input should be a valid number",
  int_from_float: "Input should be a valid integer, got a number with a fractional part",
  int_parsing: "Input should be a valid integer, unable to parse string as an integer",
  int_parsing_size: "Unable to parse input string as an integer, exceeded maximum size",
  int_type: "Input should be a valid integer",
  missing: "Field required",
  model_attributes_type: "Input should be a valid dictionary or object to extract fields from",
  string_type: "Input should be a valid string",
} as const;

export type PydanticErrorType = keyof typeof MESSAGES;

/** One entry of an answer's `detail`. */
export interface PydanticError {
  readonly type: PydanticErrorType;
  readonly loc: readonly (string | number)[];
  readonly input: JsonValue;
}

/** Longest text, in bytes of UTF-8, that pydantic tries to read as an integer. */
const MAX_INTEGER_TEXT_BYTES = 4300;
/** From this length on pydantic reads an integer with its big integer parser, which is laxer. */
const BIG_INTEGER_TEXT_BYTES = 19;
const MAX_INT64 = 2 ** 63;

const SMALL_INTEGER = /^[+-]?[0-9]+$/;
const BIG_INTEGER = /^[+-]?[0-9][0-9_]*$/;
const DECIMAL_ZEROS = /^([^.]*)\.0*$/;
/** Each digit can match in one place only, so a long text costs linear time. */
const FLOAT = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const NOT_FINITE = /^[+-]?(?:inf|infinity|nan)$/i;

const utf8Encoder = new TextEncoder();

/** What a coercion returns instead of a value. */
class Refusal {
  constructor(readonly type: PydanticErrorType) {}
}

interface FieldOptions<T> {
  readonly openApiType: "string" | "integer" | "number";
  readonly coerce: (input: JsonValue) => T | Refusal;
}

/** A string or null; nothing is coerced to a string. */
export function pydanticString() {
  return pydanticField({ openApiType: "string", coerce: coerceString });
}

/** An integer or null: a number where it is exact, a bigint beyond 2^53. */
export function pydanticInteger() {
  return pydanticField({ openApiType: "integer", coerce: coerceInteger });
}

/** A finite number or null. */
export function pydanticNumber() {
  return pydanticField({ openApiType: "number", coerce: coerceNumber });
}

/** Errors in the order of the schema's fields, from what `schema.safeParse` returned. */
export function pydanticErrors(error: z.ZodError): PydanticError[] {
  return error.issues.map((issue): PydanticError => {
    const loc = ["body", ...issue.path.map((step) => typeof step === "symbol" ? "" : step)];
    const params = issue.code === "custom" ? issue.params : undefined;
    if (!isPydanticParams(params)) throw error;
    return { type: params.pydanticType, loc, input: params.input };
  });
}

/** The reference's text of an answer that lists errors. */
export function pydanticErrorBody(errors: readonly PydanticError[]): string {
  return detailText(errors.map(({ type, loc, input }) =>
    new Map<string, JsonValue>([
      ["type", type],
      ["loc", [...loc]],
      ["msg", MESSAGES[type]],
      ["input", input],
      ["url", `https://errors.pydantic.dev/2.5/v/${type}`],
    ])
  ));
}

/** The text of `{"detail": ...}`. */
export function detailText(detail: JsonValue): string {
  return pythonJsonText(new Map([["detail", detail]]));
}

function pydanticField<T>({ openApiType, coerce }: FieldOptions<T>) {
  return z.unknown().optional().transform((input, context): T | null => {
    if (input === undefined || input === null) return null;
    const result = coerce(input as JsonValue);
    if (!(result instanceof Refusal)) return result;
    const { type } = result;
    const params = { pydanticType: type, input };
    context.addIssue({ code: "custom", message: MESSAGES[type], params });
    return z.NEVER;
  }).meta({ type: [openApiType, "null"] });
}

function isPydanticParams(
  params: unknown,
): params is { pydanticType: PydanticErrorType; input: JsonValue } {
  return typeof params === "object" && params !== null && "pydanticType" in params;
}

function coerceString(input: JsonValue): string | Refusal {
  return typeof input === "string" ? input : new Refusal("string_type");
}

function coerceInteger(input: JsonValue): number | bigint | Refusal {
  if (typeof input === "boolean") return Number(input);
  if (typeof input === "bigint") return input;
  if (typeof input === "string") return integerFromText(input);
  const float = floatOf(input);
  if (float !== undefined) return integerFromFloat(float);
  return typeof input === "number" ? input : new Refusal("int_type");
}

function coerceNumber(input: JsonValue): number | Refusal {
  if (typeof input === "boolean") return Number(input);
  if (typeof input === "string") return numberFromText(input);
  if (typeof input === "bigint") {
    const number = Number(input);
    return Number.isFinite(number) ? number : new Refusal("float_type");
  }
  const number = floatOf(input) ?? input;
  return typeof number === "number" ? finite(number) : new Refusal("float_type");
}

/** Plain numbers count as integers when exact, so the schemas also take `JSON.parse`'s values. */
function floatOf(input: JsonValue): number | undefined {
  if (input instanceof PythonFloat) return input.value;
  return typeof input === "number" && !Number.isSafeInteger(input) ? input : undefined;
}

function finite(number: number): number | Refusal {
  return Number.isFinite(number) ? number : new Refusal("finite_number");
}

function integerFromFloat(float: number): number | bigint | Refusal {
  if (!Number.isFinite(float)) return new Refusal("finite_number");
  if (!Number.isInteger(float)) return new Refusal("int_from_float");
  if (Math.abs(float) >= MAX_INT64) return new Refusal("int_parsing_size");
  return narrowInteger(BigInt(float));
}

function integerFromText(text: string): number | bigint | Refusal {
  const size = byteLength(text);
  if (size > MAX_INTEGER_TEXT_BYTES) return new Refusal("int_parsing_size");
  const syntax = size < BIG_INTEGER_TEXT_BYTES ? SMALL_INTEGER : BIG_INTEGER;
  for (const candidate of [text, DECIMAL_ZEROS.exec(text)?.[1], withoutUnderscores(text)]) {
    if (candidate === undefined || !syntax.test(candidate)) continue;
    // BigInt knows no "+" and no "_".
    return narrowInteger(BigInt(candidate.replace("+", "").replaceAll("_", "")));
  }
  return new Refusal("int_parsing");
}

function numberFromText(text: string): number | Refusal {
  for (const candidate of [text, withoutUnderscores(text)]) {
    if (candidate === undefined) continue;
    if (FLOAT.test(candidate)) return finite(Number(candidate));
    if (NOT_FINITE.test(candidate)) return new Refusal("finite_number");
  }
  return new Refusal("float_parsing");
}

/** Underscores may stand singly inside a number, not at its ends. */
function withoutUnderscores(text: string): string | undefined {
  if (!text.includes("_") || text.includes("__")) return undefined;
  if (text.startsWith("_") || text.endsWith("_")) return undefined;
  return text.replaceAll("_", "");
}

function byteLength(text: string): number {
  return text.length > MAX_INTEGER_TEXT_BYTES ? text.length : utf8Encoder.encode(text).length;
}
