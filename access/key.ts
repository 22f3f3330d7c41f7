/**
 * The text of an API key: `psk_<id>_<secret>`. The id is no secret: logs and lists name a key by it. The secret is 256 bits of a
 * cryptographic generator, so its SHA-256 is all that has to be kept: a slow hash protects secrets that can be guessed, and these
 * cannot be, however fast the hash.
 */
import { createHash, timingSafeEqual } from "node:crypto";

export interface Key {
  readonly id: string;
  /** 64 hexadecimal digits. */
  readonly secret: string;
}

const ID_BYTES = 6;
const SECRET_BYTES = 32;

/** The id of the key from the environment may be a word. */
const KEY = /^psk_([0-9a-z]{4,16})_([0-9a-f]{64})$/;

/** `random` fills an array of bytes, as `crypto.getRandomValues` does. */
export function newKey(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): Key {
  return {
    id: random(new Uint8Array(ID_BYTES)).toHex(),
    secret: random(new Uint8Array(SECRET_BYTES)).toHex(),
  };
}

export function keyText({ id, secret }: Key): string {
  return `psk_${id}_${secret}`;
}

export function parseKey(text: string): Key | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** 64 hexadecimal digits. */
export function hashOfSecret(secret: string): string {
  return createHash("sha256").update(secret, "ascii").digest("hex");
}

/** Whether a secret is the one with this hash, in a time that says nothing about either. */
export function isSecretOf(hash: string, secret: string): boolean {
  const [wanted, given] = [hash, hashOfSecret(secret)].map((hex) => Uint8Array.fromHex(hex));
  return wanted !== undefined && given !== undefined && wanted.length === given.length &&
    timingSafeEqual(wanted, given);
}

/** Whether two texts are the same, in a time that depends on their lengths alone: a fifth of the time of a hash. */
export function isSameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
