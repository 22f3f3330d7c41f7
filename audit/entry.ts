/** One entry of the audit log, and the hash that chains it to the one before. */
import { createHash } from "node:crypto";

export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json;
};

/** What is to be put on record. No text of it may hold a client's answer, a secret, or a control character. */
export interface NewEntry {
  /** Who did it, such as `key:shop-7`, `command:root` or `service`. */
  readonly actor: string;
  /** What was done, such as `models.activate`. */
  readonly action: string;
  /** To what, such as `models/2`. */
  readonly subject: string;
  /** Everything else that matters; `{}` where nothing does. */
  readonly details?: Readonly<Record<string, Json>>;
}

export interface Entry {
  /** From 1, without gaps. */
  readonly sequence: number;
  /** Random: no two entries are alike. */
  readonly id: string;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** Canonical JSON. */
  readonly details: string;
  /** Of the entry before, 64 hex digits; of the first: zeros. */
  readonly previousHash: string;
  readonly hash: string;
}

/** How the log names an application. The reference's id is made of the answers: whoever guesses them would know it again. */
export function applicationSubject(id: string): string {
  return id.startsWith("app_") ? `applications/${id}` : "applications/of the contract";
}

/** The end of a log: how many entries it has, and the hash of the last. Kept elsewhere, it shows that nothing before it changed. */
export type Head = Pick<Entry, "sequence" | "hash">;

export const EMPTY: Head = { sequence: 0, hash: "0".repeat(64) };

/** Begins what is hashed: another program's hash, or another version's, is no hash of an entry. */
const DOMAIN = "prescore audit 1";

const LONGEST = { actor: 200, action: 100, subject: 200, details: 10_000 } as const;

/**
 * SHA-256 over the JSON array of the domain and all other members, in their order: `JSON.stringify` writes strings and whole
 * numbers in one way only, and no two arrays alike.
 */
export function hashOf(entry: Omit<Entry, "hash">): string {
  const { sequence, id, atMs, actor, action, subject, details, previousHash } = entry;
  const text = JSON.stringify(
    [DOMAIN, sequence, id, atMs, actor, action, subject, details, previousHash],
  );
  return createHash("sha256").update(text, "utf8").digest("hex");
}

export interface Place {
  /** What it comes after. */
  readonly head: Head;
  readonly id: string;
  readonly atMs: number;
}

/** The entry that comes next. Throws `TypeError` where a text cannot be kept. */
export function nextEntry(
  { actor, action, subject, details = {} }: NewEntry,
  { head, id, atMs }: Place,
): Entry {
  const texts = { actor, action, subject, details: canonicalJson(details) };
  for (const [name, text] of Object.entries(texts)) {
    const longest = LONGEST[name as keyof typeof LONGEST];
    if (text.length > 0 && text.length <= longest && keeps(text)) continue;
    throw new TypeError(
      `Cannot put on record: ${name} must be 1 to ${longest} characters without control characters: ` +
        `current value is ${JSON.stringify(text.slice(0, 80))}, of ${text.length}`,
    );
  }
  const entry = {
    ...{ sequence: head.sequence + 1, id, atMs },
    ...texts,
    previousHash: head.hash,
  };
  return { ...entry, hash: hashOf(entry) };
}

/** Whether a database gives the text back as it was: lone surrogates and NUL do not survive. */
function keeps(text: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text);
}

/** JSON with the keys of every object in the order of their code units, without spaces. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1));
  });
}

/** A head as one word, `sequence:hash`, that can be kept anywhere. */
export function headText({ sequence, hash }: Head): string {
  return `${sequence}:${hash}`;
}

/** Reads `headText`'s word; `undefined` where it is none. */
export function parseHead(text: string): Head | undefined {
  const [, sequence, hash] = /^\s*(\d{1,15}):([0-9a-f]{64})\s*$/.exec(text) ?? [];
  return sequence === undefined || hash === undefined
    ? undefined
    : { sequence: Number(sequence), hash };
}
