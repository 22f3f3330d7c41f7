/** The JSON reader and writer on their own: what the golden answers do not show. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  JsonSyntaxError,
  JsonUnreadableError,
  type JsonValue,
  MAX_DEPTH,
  parsePythonJson,
  PythonFloat,
} from "../../routes/python_json.ts";
import { pythonJsonText } from "../../routes/python_json_writer.ts";

const encoder = new TextEncoder();

Deno.test("parsePythonJson tells integers, big integers and floats apart", () => {
  const value = parse("[1, 1.0, 1e2, 9007199254740991, 9007199254740993, -0]");
  assert.deepEqual(value, [
    1,
    new PythonFloat(1),
    new PythonFloat(100),
    9007199254740991,
    9007199254740993n,
    0,
  ]);
});

Deno.test("parsePythonJson reads whatever JSON.stringify writes", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(plain(parse(JSON.stringify(value))), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("parsePythonJson refuses with its two errors alone, whatever the bytes", () => {
  const pieces = fc.constantFrom(...'{}[]:,"\\u0019.eE+-nul tr😀Я\n'.split(""), "NaN", "\\ud83d");
  const texts = fc.array(pieces, { maxLength: 40 }).map((list) => encoder.encode(list.join("")));
  fc.assert(fc.property(fc.oneof(texts, fc.uint8Array({ maxLength: 60 })), (bytes) => {
    try {
      parsePythonJson(bytes);
    } catch (error) {
      assert.ok(error instanceof JsonSyntaxError || error instanceof JsonUnreadableError);
    }
  }));
});

Deno.test("parsePythonJson reads to its depth limit and no deeper", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(pythonJsonText(parse(nested(MAX_DEPTH))), nested(MAX_DEPTH));
  assert.throws(() => parse(nested(MAX_DEPTH + 1)), JsonUnreadableError);
});

Deno.test("JsonSyntaxError counts its position in code points", () => {
  assert.throws(() => parse('["😀Я", x]'), { message: "Expecting value", position: 7 });
});

Deno.test("pythonJsonText keeps floats, key order and text, and drops what is not finite", () => {
  const text =
    '{"2":1e+16,"1":[180000.0,1e-05,-0.0],"__proto__":"Ё\\u0001","n":123456789012345678}';
  assert.equal(pythonJsonText(parse(text)), text);
  assert.equal(pythonJsonText(parse("[NaN,-Infinity]")), "[null,null]");
});

function parse(text: string): JsonValue {
  return parsePythonJson(encoder.encode(text));
}

/** The same value as JSON.parse would give it. */
function plain(value: JsonValue): unknown {
  if (value instanceof PythonFloat) return value.value;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
}
