/**
 * A JSON reader that accepts and refuses what Python's `json.loads` does, with its messages and
 * positions, because the reference shows them to clients.
 *
 * `JSON.parse` will not do: it loses 180000.0 against 180000 and integers beyond 2^53, refuses NaN,
 * and reports errors in its own words. Objects become Maps, so keys such as `__proto__` or "1" are
 * ordinary and keep their order.
 *
 * Known limit: the greatest depth is a constant here; in Python it depends on the caller's stack.
 */

import { decodeJsonBytes, TextDecodeError } from "./python_json_bytes.ts";

/** A number that was written as a float, so that 180000.0 is not taken for an integer. */
export class PythonFloat {
  constructor(readonly value: number) {}
}

/** An integer is a number up to 2^53 and a bigint beyond. */
export type JsonValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | PythonFloat
  | JsonValue[]
  | Map<string, JsonValue>;

/** The text is not JSON; `position` counts code points from 0. */
export class JsonSyntaxError extends Error {
  constructor(message: string, readonly position: number) {
    super(message);
  }
}

/** The reader gives up for another reason than syntax: encoding, depth, or a too long integer. */
export class JsonUnreadableError extends Error {}

/** Nested lists and objects that the reference can read under its default recursion limit. */
export const MAX_DEPTH = 970;

/** Python's own limit for turning decimal text into an integer. */
export const MAX_INTEGER_DIGITS = 4300;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LOWER_U = 0x75;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}$/;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

const CONSTANTS: readonly (readonly [text: string, value: JsonValue])[] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", new PythonFloat(NaN)],
  ["Infinity", new PythonFloat(Infinity)],
  ["-Infinity", new PythonFloat(-Infinity)],
];

/** Throws JsonSyntaxError or JsonUnreadableError. */
export function parsePythonJson(bytes: Uint8Array): JsonValue {
  try {
    return new Reader(decodeJsonBytes(bytes)).readDocument();
  } catch (error) {
    if (error instanceof TextDecodeError) throw new JsonUnreadableError(error.message);
    throw error;
  }
}

class Reader {
  #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): JsonValue {
    this.#skipSpace();
    const value = this.#readValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#syntaxError("Extra data");
    return value;
  }

  #readValue(): JsonValue {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#readString();
      case "{":
        return this.#nested(() => this.#readObject());
      case "[":
        return this.#nested(() => this.#readList());
      default: {
        const constant = this.#readConstant();
        return constant === undefined ? this.#readNumber() : constant;
      }
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new JsonUnreadableError(`Cannot read JSON as its depth must be at most ${MAX_DEPTH}`);
    }
    this.#at++;
    this.#skipSpace();
    const value = read();
    this.#depth--;
    return value;
  }

  #readObject(): Map<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    if (this.#take("}")) return members;
    while (true) {
      if (this.#text.charCodeAt(this.#at) !== QUOTE) {
        throw this.#syntaxError("Expecting property name enclosed in double quotes");
      }
      const key = this.#readString();
      this.#skipSpace();
      this.#expect(COLON, "Expecting ':' delimiter");
      members.set(key, this.#readValue());
      this.#skipSpace();
      if (this.#take("}")) return members;
      this.#expect(COMMA, "Expecting ',' delimiter");
    }
  }

  #readList(): JsonValue[] {
    const items: JsonValue[] = [];
    if (this.#take("]")) return items;
    while (true) {
      items.push(this.#readValue());
      this.#skipSpace();
      if (this.#take("]")) return items;
      this.#expect(COMMA, "Expecting ',' delimiter");
    }
  }

  #readString(): string {
    const opening = this.#at;
    let from = opening + 1;
    let decoded = "";
    for (let at = from; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return decoded + this.#text.slice(from, at);
      }
      if (code < 0x20) throw this.#syntaxError("Invalid control character at", at);
      if (code !== BACKSLASH) continue;
      decoded += this.#text.slice(from, at);
      if (at + 1 === this.#text.length) break;
      const isUnicode = this.#text.charCodeAt(at + 1) === LOWER_U;
      decoded += isUnicode ? this.#unicodeEscape(at) : this.#shortEscape(at);
      at += isUnicode ? 5 : 1;
      from = at + 1;
    }
    throw this.#syntaxError("Unterminated string starting at", opening);
  }

  #shortEscape(backslash: number): string {
    const character = ESCAPES.get(this.#text[backslash + 1] ?? "");
    if (character === undefined) throw this.#syntaxError("Invalid \\escape", backslash);
    return character;
  }

  /** One UTF-16 unit; the two halves of a pair meet in the string by themselves. */
  #unicodeEscape(backslash: number): string {
    const end = backslash + 6;
    const digits = this.#text.slice(backslash + 2, end);
    if (end >= this.#text.length || !FOUR_HEX_DIGITS.test(digits)) {
      throw this.#syntaxError("Invalid \\uXXXX escape", backslash + 1);
    }
    return String.fromCharCode(parseInt(digits, 16));
  }

  #readConstant(): JsonValue | undefined {
    const code = this.#text.charCodeAt(this.#at);
    if (code >= 0x30 && code <= 0x39) return undefined;
    for (const [text, value] of CONSTANTS) {
      if (!this.#text.startsWith(text, this.#at)) continue;
      this.#at += text.length;
      return value;
    }
    return undefined;
  }

  #readNumber(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#syntaxError("Expecting value");
    const [text, fraction, exponent] = match;
    this.#at += text.length;
    if (fraction !== undefined || exponent !== undefined) return new PythonFloat(Number(text));
    if (text.length <= 15) return Number(text) + 0; // "+ 0" makes -0 the integer 0
    if (text.replace("-", "").length > MAX_INTEGER_DIGITS) {
      throw new JsonUnreadableError(
        `Cannot read JSON as an integer must have at most ${MAX_INTEGER_DIGITS} digits`,
      );
    }
    return narrowInteger(BigInt(text));
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Reads one delimiter and the space after it. */
  #expect(code: number, message: string): void {
    if (this.#text.charCodeAt(this.#at) !== code) throw this.#syntaxError(message);
    this.#at++;
    this.#skipSpace();
  }

  #skipSpace(): void {
    while (true) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #syntaxError(message: string, at = this.#at): JsonSyntaxError {
    return new JsonSyntaxError(message, countCodePoints(this.#text, at));
  }
}

/** A number where it is exact, else the bigint itself. */
export function narrowInteger(integer: bigint): number | bigint {
  const narrow = Number(integer);
  return Number.isSafeInteger(narrow) ? narrow : integer;
}

function countCodePoints(text: string, end: number): number {
  let count = 0;
  for (let at = 0; at < end; count++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return count;
}
