/**
 * AES-256-GCM (NIST SP 800-38D) over a text or bytes: what is sealed under a key is read with that key alone, and one changed bit of it
 * is refused. The nonce is random; a key seals a handful of texts, far below the 2^32 that random nonces allow.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";

/** Of a key, in bytes. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How much longer than its content a sealed text is. */
export const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

const ALGORITHM = "aes-256-gcm";

const encoder = new TextEncoder();

/** Sealed content cannot be read: its key is destroyed or another one, or it was changed, or moved to another place. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/** Nonce (12 bytes), tag (16), ciphertext. It is read again only with the same `place`, which says what it is and whose. */
export function seal(content: string | Uint8Array, key: Uint8Array, place: string): Uint8Array {
  const nonce = nextNonce();
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(encoder.encode(place));
  const text = typeof content === "string"
    ? cipher.update(content, "utf8")
    : cipher.update(content);
  cipher.final();
  const sealed = new Uint8Array(OVERHEAD_BYTES + text.length);
  sealed.set(nonce);
  sealed.set(cipher.getAuthTag(), NONCE_BYTES);
  sealed.set(text, OVERHEAD_BYTES);
  return sealed;
}

/** Throws `SealError`. */
export function open(sealed: Uint8Array, key: Uint8Array, place: string): Uint8Array {
  try {
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(encoder.encode(place));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, OVERHEAD_BYTES));
    const content = decipher.update(sealed.subarray(OVERHEAD_BYTES));
    decipher.final();
    return new Uint8Array(content.buffer, content.byteOffset, content.length);
  } catch (error) {
    throw new SealError(
      `Cannot open the sealed ${place}: its ${sealed.length} bytes were not sealed there under this key, or were changed`,
      { cause: error },
    );
  }
}

/** Random numbers that no nonce has been made of: to ask for twelve bytes at a time costs as much as to seal with them. */
const random = new Uint8Array(1024 * NONCE_BYTES);
let used = random.length;

function nextNonce(): Uint8Array {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  return random.slice(used, used += NONCE_BYTES);
}
