import assert from "node:assert/strict";
import fc from "fast-check";
import {
  IdempotencyKeyError,
  newId,
  parseIdempotencyKey,
} from "../../../routes/v1/idempotency_key.ts";

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 255,
});

Deno.test("parseIdempotencyKey reads any printable key in quotes", () => {
  fc.assert(fc.property(printable, (key) => {
    assert.equal(parseIdempotencyKey(` "${key.replace(/["\\]/g, "\\$&")}" `), key);
  }));
});

Deno.test("parseIdempotencyKey takes a bare key for the same one", () => {
  const key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
  assert.equal(parseIdempotencyKey(key), key);
  assert.equal(
    newId({ prefix: "app_", header: key }),
    newId({ prefix: "app_", header: `"${key}"` }),
  );
});

Deno.test("parseIdempotencyKey refuses what is no key", () => {
  for (
    const header of [
      "",
      '""',
      '"a',
      'a"',
      '"a\\b"',
      "a b",
      "a, b",
      '"ключ"',
      `"${"x".repeat(256)}"`,
    ]
  ) {
    assert.throws(() => parseIdempotencyKey(header), IdempotencyKeyError, header);
  }
  fc.assert(fc.property(fc.string(), (header) => {
    try {
      assert.match(parseIdempotencyKey(header), /^[\x20-\x7e]{1,255}$/);
    } catch (error) {
      assert.ok(error instanceof IdempotencyKeyError);
    }
  }));
});

Deno.test("newId names different keys differently, and gives a new id without a key", () => {
  fc.assert(fc.property(printable, printable, (a, b) => {
    const id = (key: string) =>
      newId({ prefix: "x_", header: `"${key.replace(/["\\]/g, "\\$&")}"` });
    assert.equal(id(a) === id(b), a === b);
    assert.match(id(a), /^x_[0-9a-f]{32}$/);
  }));
  const fresh = () => newId({ prefix: "x_", header: undefined });
  assert.match(fresh(), /^x_[0-9a-f]{32}$/);
  assert.notEqual(fresh(), fresh());
});
