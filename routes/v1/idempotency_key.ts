/**
 * The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): a structured field's string, in quotes. A bare key
 * is taken too, as most clients send it. What a key names has an id that is made of the key, so that a second request finds it.
 *
 * The draft would have the same key with another body answered 422; here it is 409, as elsewhere among payment services, and
 * 422 stays for what is wrong in the body itself.
 */
import { createHash, randomUUID } from "node:crypto";

/** The key cannot be used; the message says what one must be. */
export class IdempotencyKeyError extends Error {
  override readonly name = "IdempotencyKeyError";
}

const MAX_LENGTH = 255;
/** RFC 9651, section 3.3.3: printable ASCII, with a quote and a backslash escaped. */
const IN_QUOTES = String.raw`(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])`;
const BARE = String.raw`[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]`;

/** The header's whole value. */
export const IDEMPOTENCY_KEY = new RegExp(
  `^(?:"(${IN_QUOTES}{1,${MAX_LENGTH}})"|(${BARE}{1,${MAX_LENGTH}}))$`,
);

/** The key that a header carries. Throws `IdempotencyKeyError`. */
export function parseIdempotencyKey(header: string): string {
  const [, quoted, bare] = IDEMPOTENCY_KEY.exec(header.trim()) ?? [];
  const key = quoted?.replaceAll(/\\(.)/g, "$1") ?? bare;
  if (key !== undefined) return key;
  throw new IdempotencyKeyError(
    `Idempotency-Key must be 1 to ${MAX_LENGTH} printable ASCII characters, in quotes`,
  );
}

export interface IdOptions {
  /** What the id begins with: which kind of thing it names. */
  readonly prefix: string;
  /** The header, if there was one. Without a key each request makes something new. */
  readonly header: string | undefined;
}

/** 32 hexadecimal digits after the prefix: of the key's SHA-256, or random. Throws `IdempotencyKeyError`. */
export function newId({ prefix, header }: IdOptions): string {
  if (header === undefined) return prefix + randomUUID().replaceAll("-", "");
  const key = parseIdempotencyKey(header);
  return prefix + createHash("sha256").update(key, "ascii").digest("hex").slice(0, 32);
}
