import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { open, OVERHEAD_BYTES, seal, SealError } from "../../sealing/envelope.ts";

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const place = fc.string({ unit: "binary" });
const text = fc.string({ unit: "grapheme", maxLength: 500 });

Deno.test("what is sealed is read again with its key and place, and never sealed twice alike", () => {
  fc.assert(fc.property(text, key, place, (text, key, place) => {
    const sealed = seal(text, key, place);
    assert.equal(sealed.length, OVERHEAD_BYTES + new TextEncoder().encode(text).length);
    assert.equal(
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(open(sealed, key, place)),
      text,
    );
    assert.notDeepEqual(seal(text, key, place), sealed);
  }));
});

Deno.test("one changed bit of what is sealed is refused, and so is a part of it", () => {
  fc.assert(fc.property(text, key, fc.nat(), fc.nat(), (text, key, bit, length) => {
    const sealed = seal(text, key, "here");
    const changed = Uint8Array.from(sealed);
    const at = bit % (8 * sealed.length);
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
    assert.throws(() => open(changed, key, "here"), SealError);
    assert.throws(() => open(sealed.subarray(0, length % sealed.length), key, "here"), SealError);
  }));
});

Deno.test("another key or another place is refused", () => {
  fc.assert(fc.property(text, key, key, place, place, (text, key, other, place, elsewhere) => {
    const sealed = seal(text, key, place);
    if (Buffer.compare(key, other) !== 0) {
      assert.throws(() => open(sealed, other, place), SealError);
    }
    if (place !== elsewhere) assert.throws(() => open(sealed, key, elsewhere), SealError);
  }));
});
