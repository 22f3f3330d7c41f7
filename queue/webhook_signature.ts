/**
 * Signatures by Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, so neither the
 * body nor the time can be changed, and an old delivery cannot be sent again later. Receivers check it with that project's
 * libraries, of which there is one for every common language.
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";
/** What the standard asks of a secret, in bytes. */
const SECRET_BYTES = { min: 24, max: 64 };

export interface SignedContent {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string;
}

/** `whsec_` and base64 -> the key's bytes. Throws an error that does not show the secret. */
export function parseWebhookSecret(text: string): Uint8Array {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : "";
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
    ? new Uint8Array(Buffer.from(encoded, "base64"))
    : new Uint8Array();
  const { min, max } = SECRET_BYTES;
  if (key.length >= min && key.length <= max) return key;
  throw new Error(`must be ${PREFIX} and the base64 of ${min} to ${max} random bytes`);
}

/** The headers of a delivery; with several keys any of them verifies it, so that one can be replaced while the other still holds. */
export function signedHeaders(
  { id, timestampS, body }: SignedContent,
  keys: readonly Uint8Array[],
): Record<string, string> {
  const signatures = keys.map((key) =>
    `v1,${createHmac("sha256", key).update(`${id}.${timestampS}.${body}`).digest("base64")}`
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampS),
    "webhook-signature": signatures.join(" "),
  };
}
