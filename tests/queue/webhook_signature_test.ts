import assert from "node:assert/strict";
import fc from "fast-check";
import { parseWebhookSecret, signedHeaders } from "../../queue/webhook_signature.ts";

/** From the test vectors of Standard Webhooks' libraries. */
const VECTOR = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampS: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

Deno.test("signedHeaders signs as Standard Webhooks does", () => {
  const { secret, signature, ...content } = VECTOR;
  assert.deepEqual(signedHeaders(content, [parseWebhookSecret(secret)]), {
    "webhook-id": content.id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": signature,
  });
});

Deno.test("signedHeaders signs with each key while one is replaced", () => {
  const { secret, signature, ...content } = VECTOR;
  const keys = [new Uint8Array(24), parseWebhookSecret(secret)];
  const signatures = signedHeaders(content, keys)["webhook-signature"]?.split(" ") ?? [];
  assert.equal(signatures.length, 2);
  assert.equal(signatures[1], signature);
});

Deno.test("parseWebhookSecret reads any key of 24 to 64 bytes, and no other text", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (key) => {
    const text = `whsec_${key.toBase64()}`;
    if (key.length >= 24 && key.length <= 64) assert.deepEqual(parseWebhookSecret(text), key);
    else assert.throws(() => parseWebhookSecret(text), /must be whsec_/);
  }));
  const { secret } = VECTOR;
  for (const text of ["", "whsec_", secret.slice(6), `${secret}!`, ` ${secret}`]) {
    assert.throws(() => parseWebhookSecret(text), /must be whsec_/);
  }
});
