/**
 * Who has signed in at the console. A browser shows a random token, of which only the hash is kept; a session can do what its key can,
 * as long as that is good. The token changes while it is used, so one that was read from a disk or a log is soon worth nothing.
 */
import { createHash } from "node:crypto";
import { type Database, statement } from "../database/database.ts";
import type { Caller } from "./caller.ts";
import { isSameText } from "./key.ts";
import type { Keyring } from "./keyring.ts";

const HOUR_MS = 3_600_000;
/** A session ends after this, however it is used. */
const LONGEST_MS = 12 * HOUR_MS;
/** A session that nobody uses ends after this. */
const IDLE_MS = HOUR_MS;
const ROTATE_MS = HOUR_MS / 4;
/** Requests that were under way when the token changed show the old one. */
const PREVIOUS_MS = 30_000;
/** How exactly the last use is kept. */
const SEEN_MS = 60_000;

const FIND = `
  SELECT * FROM console_sessions
  WHERE token_hash = :hash OR previous_hash = :hash AND previous_until_ms > :now`;

const INSERT = `
  INSERT INTO console_sessions (token_hash, key_id, csrf_token, created_at_ms, token_at_ms, seen_at_ms)
  VALUES (:hash, :keyId, :csrf, :now, :now, :now) ON CONFLICT DO NOTHING`;

const ROTATE = `
  UPDATE console_sessions SET token_hash = :next, previous_hash = :hash, previous_until_ms = :until,
    token_at_ms = :now, seen_at_ms = :now
  WHERE token_hash = :hash`;

const SEEN = "UPDATE console_sessions SET seen_at_ms = :now WHERE token_hash = :hash";

const REMOVE = "DELETE FROM console_sessions WHERE token_hash = :hash OR previous_hash = :hash";

const SWEEP = `
  DELETE FROM console_sessions WHERE created_at_ms < :oldest OR seen_at_ms < :idle`;

export interface Session {
  readonly caller: Caller;
  /** Must come with whatever changes something. */
  readonly csrfToken: string;
  /** What the browser must show from now on, where that has changed. */
  readonly newToken: string | undefined;
}

export interface SessionsOptions {
  readonly database: Database;
  readonly keyring: Pick<Keyring, "callerWithId">;
  readonly now: () => number;
  /** Fills an array of bytes from a cryptographic generator. */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Begins a session for a key; resolves with the token that its browser must show. */
  async open(keyId: string): Promise<string> {
    const now = this.#options.now();
    const [token, csrf] = [this.#token(), this.#token()];
    await this.#options.database.write([
      statement(SWEEP, { oldest: now - LONGEST_MS, idle: now - IDLE_MS }),
      statement(INSERT, { hash: hashOf(token), keyId, csrf, now }),
    ]);
    return token;
  }

  /** The session of a token; `undefined` where there is none, or its time or its key has ended. */
  async find(token: string): Promise<Session | undefined> {
    if (!/^[0-9a-f]{64}$/.test(token)) return undefined;
    const { database, keyring, now: clock } = this.#options;
    const [hash, now] = [hashOf(token), clock()];
    const { rows: [row] } = await database.read(statement(FIND, { hash, now }));
    if (row === undefined) return undefined;
    const [createdAtMs, tokenAtMs, seenAtMs] = [row.created_at_ms, row.token_at_ms, row.seen_at_ms]
      .map(Number) as [number, number, number];
    if (now - createdAtMs >= LONGEST_MS || now - seenAtMs >= IDLE_MS) return undefined;
    const caller = await keyring.callerWithId(String(row.key_id));
    if (caller === undefined) return undefined;
    const isCurrent = row.token_hash === hash;
    let newToken: string | undefined;
    if (isCurrent && now - tokenAtMs >= ROTATE_MS) newToken = await this.#rotate(hash, now);
    else if (isCurrent && now - seenAtMs >= SEEN_MS) {
      await database.write([statement(SEEN, { hash, now })], { durable: false });
    }
    return { caller, csrfToken: String(row.csrf_token), newToken };
  }

  async close(token: string): Promise<void> {
    await this.#options.database.write([statement(REMOVE, { hash: hashOf(token) })]);
  }

  /** The next token; `undefined` where a request that came at the same time was given it. */
  async #rotate(hash: string, now: number): Promise<string | undefined> {
    const token = this.#token();
    const args = { hash, next: hashOf(token), now, until: now + PREVIOUS_MS };
    const [rotated] = await this.#options.database.write([statement(ROTATE, args)]);
    return (rotated?.rowsAffected ?? 0) > 0 ? token : undefined;
  }

  #token(): string {
    return this.#options.random(new Uint8Array(32)).toHex();
  }
}

/** Whether a request that changes something came from a page of this session. */
export function isCsrfTokenOf({ csrfToken }: Session, given: string | undefined): boolean {
  return given !== undefined && isSameText(csrfToken, given);
}

function hashOf(token: string): string {
  return createHash("sha256").update(token, "ascii").digest("hex");
}
