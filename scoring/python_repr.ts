/**
 * Python's `repr` of the values that a questionnaire holds: None, strings, integers and floats.
 *
 * The task id is a hash over that text, so one differing character makes another task. The rules
 * are therefore stated here once, and the JSON writer in `routes/` uses the same float text.
 *
 * Known limit: which characters are printable is fixed at Unicode 14 (Python 3.11), so that an
 * upgrade of the runtime never changes the id of a known questionnaire.
 */

import type { Answer } from "./answers.ts";
import { isPythonPrintable } from "./python_printable.ts";

/** Characters whose text is the same inside quotes: ASCII less `'`, `\` and controls; Cyrillic. */
const PLAIN_TEXT = /^[ -&(-[\]-~\u0400-\u052f]*$/;

/**
 * Text of a float as Python's `repr` prints it: the shortest digits that read back to the same
 * number, with an exponent below 1e-4 and from 1e16 on.
 */
export function pythonFloatRepr(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (x === Infinity) return "inf";
  if (x === -Infinity) return "-inf";
  if (Object.is(x, -0)) return "-0.0";
  const size = Math.abs(x);
  if (x === 0 || (size >= 1e-4 && size < 1e16)) {
    // JavaScript prints this whole range without an exponent, except that it drops ".0".
    return Number.isInteger(x) ? `${x}.0` : String(x);
  }
  const [digits = "", exponent = "+0"] = x.toExponential().split("e");
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** Text of a string as Python's `repr` prints it, quotes included. */
export function pythonStringRepr(text: string): string {
  if (PLAIN_TEXT.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = "";
  for (const character of text) body += characterRepr(character, quote);
  return quote + body + quote;
}

/** Text of an answer: null is None, `asFloat` tells a float from an integer of the same value. */
export function pythonValueRepr(value: Answer, asFloat: boolean): string {
  if (value === null) return "None";
  if (typeof value === "string") return pythonStringRepr(value);
  return asFloat ? pythonFloatRepr(Number(value)) : String(value);
}

function characterRepr(character: string, quote: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    case "\\":
    case quote:
      return `\\${character}`;
  }
  const codePoint = character.codePointAt(0) ?? 0;
  if (isPythonPrintable(codePoint)) return character;
  const hex = codePoint.toString(16);
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  if (codePoint <= 0xffff) return `\\u${hex.padStart(4, "0")}`;
  return `\\U${hex.padStart(8, "0")}`;
}
