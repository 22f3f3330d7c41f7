/**
 * Writes JSON as the reference's answers are written: no spaces, non-ASCII as it is, floats as
 * Python prints them, so that an echoed 180000.0 keeps its ".0".
 *
 * Two departures keep the answer valid where the reference fails with status 500: a float that is
 * not finite is written as null, and a lone surrogate as its \u escape.
 */

import { pythonFloatRepr } from "../scoring/python_repr.ts";
import { type JsonValue, PythonFloat } from "./python_json.ts";

/** The reference's encoder drops such keys, which it takes for an ORM's private state. */
const DROPPED_KEY_PREFIX = "_sa";

/** Nesting must be bounded, as it is in whatever `parsePythonJson` returns. */
export function pythonJsonText(value: JsonValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") return numberText(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof PythonFloat) {
    return Number.isFinite(value.value) ? pythonFloatRepr(value.value) : "null";
  }
  if (Array.isArray(value)) return `[${value.map(pythonJsonText).join(",")}]`;
  const members: string[] = [];
  for (const [key, member] of value) {
    if (key.startsWith(DROPPED_KEY_PREFIX)) continue;
    members.push(`${JSON.stringify(key)}:${pythonJsonText(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** A plain number outside the exact integers was never read from an integer. */
function numberText(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  return pythonJsonText(new PythonFloat(value));
}
