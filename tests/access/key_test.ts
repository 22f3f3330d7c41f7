import assert from "node:assert/strict";
import fc from "fast-check";
import { keyText, newKey, parseKey } from "../../access/mod.ts";
import { hashOfSecret, isSameText, isSecretOf } from "../../access/key.ts";
import { bearerKey } from "../../access/mod.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

Deno.test("a key is read back from its text, and nothing else is one", () => {
  for (let round = 0; round < 100; round++) {
    const key = newKey(random);
    assert.deepEqual(parseKey(keyText(key)), key);
    assert.equal(bearerKey(`bearer  ${keyText(key)}`), keyText(key));
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(parseKey(text), undefined);
    assert.equal(bearerKey(text), undefined);
  }));
});

Deno.test("a key has 256 bits of the generator in its secret, and none of them in its id", () => {
  let filled = 0;
  const key = newKey((bytes) => bytes.fill(++filled));
  assert.equal(key.secret, "02".repeat(32));
  assert.equal(key.id, "01".repeat(6));
});

Deno.test("isSecretOf takes the one secret", () => {
  const { secret } = newKey(random);
  const hash = hashOfSecret(secret);
  assert.ok(isSecretOf(hash, secret));
  for (let at = 0; at < secret.length; at++) {
    const digit = secret[at] === "0" ? "1" : "0";
    assert.ok(!isSecretOf(hash, secret.slice(0, at) + digit + secret.slice(at + 1)));
  }
  assert.ok(!isSecretOf(hash, ""));
});

Deno.test("isSameText is equality", () => {
  const text = fc.string({ unit: "binary", maxLength: 4 });
  fc.assert(fc.property(text, text, (one, other) => {
    assert.equal(isSameText(one, other), one === other);
    assert.ok(isSameText(one, `${one}`));
  }));
});
