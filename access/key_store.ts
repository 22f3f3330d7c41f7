/**
 * The keys in the database. What was made and revoked is put on record in the transaction that does it; a row is never removed, so
 * a database that once had a key never takes requests without one again.
 */
import type { InStatement } from "@libsql/client";
import type { AuditLog } from "../audit/mod.ts";
import { type Database, statement } from "../database/database.ts";
import type { Tenant } from "./caller.ts";
import { hashOfSecret, type Key } from "./key.ts";
import type { Role } from "./roles.ts";

export interface KeyRecord {
  readonly id: string;
  readonly secretHash: string;
  readonly name: string;
  readonly role: Role;
  readonly tenant: Tenant;
  readonly perSecond: number | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** To the hour; `null` for one that was never used. */
  readonly lastUsedAtMs: number | null;
}

export interface NewKey extends Pick<KeyRecord, "name" | "role" | "tenant"> {
  readonly perSecond?: number;
  readonly expiresAtMs?: number;
}

export interface Acting {
  /** As the audit log names one who acts. */
  readonly actor: string;
  readonly nowMs: number;
}

const INSERT = `
  INSERT INTO api_keys (id, secret_hash, name, role, tenant, per_second, created_at_ms, expires_at_ms)
  VALUES (:id, :hash, :name, :role, :tenant, nullif(:perSecond, 0), :now, nullif(:expires, 0))
  ON CONFLICT (id) DO NOTHING`;

const FIND = "SELECT * FROM api_keys WHERE id = :id";

const LIST = "SELECT * FROM api_keys ORDER BY created_at_ms, id";

const ANY = "SELECT EXISTS (SELECT 1 FROM api_keys) AS there";

const REVOKE = `
  UPDATE api_keys SET revoked_at_ms = :now WHERE id = :id AND revoked_at_ms IS NULL`;

const EXPIRE = `
  UPDATE api_keys SET expires_at_ms = min(coalesce(expires_at_ms, :at), :at) WHERE id = :id`;

const USED = `
  UPDATE api_keys SET last_used_at_ms = :at WHERE id = :id AND coalesce(last_used_at_ms, 0) < :at`;

const HOUR_MS = 3_600_000;

export class KeyStore {
  readonly #database: Database;
  readonly #audit: AuditLog;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    const { rows: [row] } = await this.#database.read(statement(FIND, { id }));
    return row && recordOf(row);
  }

  /** Every key that was ever made, the oldest first. */
  async list(): Promise<readonly KeyRecord[]> {
    return (await this.#database.read(LIST)).rows.map(recordOf);
  }

  /** Whether a key was ever made. */
  async any(): Promise<boolean> {
    const { rows: [row] } = await this.#database.read(ANY);
    return Number(row?.there) === 1;
  }

  async create(key: Key, options: NewKey, { actor, nowMs }: Acting): Promise<void> {
    await this.#audit.append(
      entryOf("keys.create", key.id, { actor, options }),
      [insert(key, options, nowMs)],
    );
  }

  /** False where there is no such key, or it was revoked before. */
  async revoke(id: string, { actor, nowMs }: Acting): Promise<boolean> {
    const record = await this.find(id);
    if (record === undefined || record.revokedAtMs !== null) return false;
    await this.#audit.append(
      entryOf("keys.revoke", id, { actor, options: record }),
      [statement(REVOKE, { id, now: nowMs })],
    );
    return true;
  }

  /** Makes a key that is as the old one, which works until `untilMs`. */
  async rotate(
    old: KeyRecord,
    key: Key,
    { actor, nowMs, untilMs }: Acting & { readonly untilMs: number },
  ): Promise<void> {
    const { name, role, tenant, perSecond } = old;
    const options = { name, role, tenant, ...perSecond !== null && { perSecond } };
    await this.#audit.append(
      entryOf("keys.rotate", key.id, { actor, options, replaces: old.id }),
      [insert(key, options, nowMs), statement(EXPIRE, { id: old.id, at: untilMs })],
    );
  }

  /** Notes the hour of use; writes at most once an hour, and nothing waits for the disk. */
  async used({ id, lastUsedAtMs }: KeyRecord, nowMs: number): Promise<void> {
    const at = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    if ((lastUsedAtMs ?? 0) >= at) return;
    await this.#database.write([statement(USED, { id, at })], { durable: false });
  }
}

function insert(
  { id, secret }: Key,
  { name, role, tenant, perSecond = 0, expiresAtMs = 0 }: NewKey,
  nowMs: number,
): InStatement {
  return statement(INSERT, {
    ...{ id, hash: hashOfSecret(secret), name, role, tenant, perSecond },
    ...{ now: nowMs, expires: expiresAtMs },
  });
}

function entryOf(
  action: string,
  id: string,
  { actor, options: { name, role, tenant }, replaces }: {
    readonly actor: string;
    readonly options: Pick<KeyRecord, "name" | "role" | "tenant">;
    readonly replaces?: string;
  },
) {
  return {
    ...{ actor, action, subject: `keys/${id}` },
    details: { name, role, tenant, ...replaces !== undefined && { replaces } },
  };
}

function recordOf(row: Readonly<Record<string, unknown>>): KeyRecord {
  return {
    id: String(row.id),
    secretHash: String(row.secret_hash),
    name: String(row.name),
    role: row.role as Role,
    tenant: String(row.tenant),
    perSecond: row.per_second as number | null,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: row.expires_at_ms as number | null,
    revokedAtMs: row.revoked_at_ms as number | null,
    lastUsedAtMs: row.last_used_at_ms as number | null,
  };
}
