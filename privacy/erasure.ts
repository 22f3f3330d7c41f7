/**
 * Removes all that is stored of one application: answers, result, what banks decided, what a trial scored, what is still to be told.
 * The keys that answers and results are sealed under are destroyed: what an older copy of the database has of them cannot be read.
 * SQLite writes zeros over what is removed (`secure_delete`), and the write-ahead log is carried into the file and cut off, so that
 * neither holds a byte of it. Counts that it went into are taken back where they name nobody (`outcome_counts`); its fact, and what
 * it was agreed to, go with its task, by triggers, and the sums of facts stay.
 *
 * Known limits: a copy of the keys that was made before, with a copy of the database, is read as before; what is stored in clear beside
 * answers and results (docs/privacy.md) stays in a copy that was made before, and in a server's own log.
 */
import type { InStatement } from "@libsql/client";
import { applicationSubject, type AuditLog } from "../audit/mod.ts";
import { isRemote } from "../database/connection.ts";
import { type Database, statement } from "../database/database.ts";
import { openBodies, sealBody, type Vault } from "../sealing/mod.ts";

export type Erased = "erased" | "missing" | "at work";

export interface ErasureParts {
  readonly database: Database;
  readonly audit: Pick<AuditLog, "append" | "changeEach">;
  readonly databaseUrl: string;
  readonly vault: Pick<Vault, "keys" | "taken" | "destroy">;
}

/** A task that is being scored would leave its result behind. */
const REMOVABLE =
  "SELECT number, id FROM tasks WHERE id IN (SELECT value FROM json_each(:ids)) AND state <> 'leased'";
const NUMBERS = `SELECT number FROM (${REMOVABLE})`;
const IDS = `SELECT id FROM (${REMOVABLE})`;

/** Every table that holds something of an application, those that refer to others first. */
const REMOVE = [
  ...["results", "payloads"].map((table) => `DELETE FROM ${table} WHERE number IN (${NUMBERS})`),
  ...["outcomes", "outcome_events", "model_trial_scores"].map((table) =>
    `DELETE FROM ${table} WHERE application_id IN (${IDS})`
  ),
  `DELETE FROM webhook_deliveries WHERE subject IN (${IDS})`,
  `DELETE FROM tasks WHERE number IN (${NUMBERS})`,
];

/** What stands in the place of a row that was erased: as one that was refused, for nothing is to be scored. */
const NO_ROW = JSON.stringify({ errors: [{ detail: "it was erased" }] });

/** A chunk that has not ended is read, or will be, and its result is still to come. */
const ENDED =
  "EXISTS (SELECT 1 FROM tasks WHERE tasks.number = :number AND state IN ('done', 'dead'))";

/** A chunk that has ended. */
const CHUNK = `
  SELECT tasks.id, key, payloads.body, payloads.sealed, results.body AS result, results.sealed AS sealed_result
  FROM tasks JOIN payloads USING (number) LEFT JOIN results USING (number)
  WHERE number = :number AND ${ENDED}`;

/** In SQL, which keeps the numbers of the others as they are written. */
const WITHOUT_ROW = `
  SELECT json_replace(:payload, '$.rows[' || :place || ']', json(:no)) AS payload,
    json_replace(:result, '$[' || :place || ']', json(:no)) AS result`;

/** Where the chunk is sealed as it was read. */
const STORE_RESULT = `
  UPDATE results SET body = 'null', sealed = :result
  WHERE number = :number AND ${ENDED}
    AND EXISTS (SELECT 1 FROM payloads WHERE number = :number AND key IS nullif(:known, 0))`;

const STORE_PAYLOAD = `
  UPDATE payloads SET body = 'null', key = :key, sealed = :payload
  WHERE number = :number AND key IS nullif(:known, 0) AND ${ENDED}`;

const REMOVE_TERMS = ["consents", "application_subjects"].map((table) =>
  `DELETE FROM ${table} WHERE number = :number AND row = :row AND ${ENDED}`
);

/** A row of a batch as it is stored. */
export interface StoredRow {
  /** Of its chunk's task. */
  readonly number: number;
  /** The batch's id. */
  readonly batch: string;
  /** In the batch, from 1. */
  readonly row: number;
  /** In its chunk, from 0. */
  readonly place: number;
}

const SPENT = "SELECT key FROM spent_keys LIMIT 1000";
const FORGET = "DELETE FROM spent_keys WHERE key IN (SELECT value FROM json_each(:keys))";

/** Applications that came before `:before`, among the `:limit` tasks after the number `:after`. */
const OLD = `
  SELECT number, id, created_at_ms < :before AND state <> 'leased' AS old
  FROM tasks WHERE number > :after ORDER BY number LIMIT :limit`;

export interface OldTasks {
  /** As they are stored. */
  readonly ids: readonly string[];
  /** After which to look next; `undefined` where that was the last. */
  readonly next: number | undefined;
}

export class Erasure {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /** By the id as it is stored. Resolves when nothing of it is left; `at work`: it is being scored, and nothing was removed. */
  async erase(id: string, actor: string): Promise<Erased> {
    const { database, audit } = this.#parts;
    const removed = await database.write(removal([id]));
    if (removed.at(-1)?.rowsAffected === 0) {
      const { rows } = await database.read(statement("SELECT 1 FROM tasks WHERE id = :id", { id }));
      return rows.length === 0 ? "missing" : "at work";
    }
    await this.finish();
    await audit.append({ actor, action: "application.erase", subject: applicationSubject(id) });
    return "erased";
  }

  /** Removes one row of a batch, which keeps its place; false where its chunk has not ended, and nothing was removed. */
  async eraseRow({ number, batch, row, place }: StoredRow, actor: string): Promise<boolean> {
    const { database, audit, vault } = this.#parts;
    const { rows: [chunk] } = await database.read(statement(CHUNK, { number }));
    if (chunk === undefined) return false;
    const { key: known } = chunk;
    const id = String(chunk.id);
    const [payload, result] = await openBodies(vault, [
      { kind: "payload", id, key: known, body: chunk.body, sealed: chunk.sealed },
      { kind: "result", id, key: known, body: chunk.result, sealed: chunk.sealed_result },
    ]);
    const { rows: [without] } = await database.read(
      statement(WITHOUT_ROW, {
        payload: payload ?? "null",
        result: result ?? "null",
        place,
        no: NO_ROW,
      }),
    );
    const [key] = await vault.taken(1);
    if (key === undefined) throw new Error("the vault gave no key");
    const sealed = (kind: "payload" | "result") =>
      sealBody(kind, { id, text: String(without?.[kind]), key: key.bytes });
    const where = { number, known: Number(known ?? 0) };
    const [, stored] = await database.write([
      // One that has no result has no such row.
      statement(STORE_RESULT, { ...where, result: sealed("result") }),
      statement(STORE_PAYLOAD, { ...where, key: key.number, payload: sealed("payload") }),
      ...REMOVE_TERMS.map((sql) => statement(sql, { number, row })),
    ]);
    if (stored?.rowsAffected === 0) return false;
    await this.finish();
    await audit.append({
      actor,
      action: "row.erase",
      subject: `batches/${batch}`,
      details: { row },
    });
    return true;
  }

  /** Looks at `limit` tasks after a number, and gives those that came before a time. */
  async old(
    { after, limit, beforeMs }: { after: number; limit: number; beforeMs: number },
  ): Promise<OldTasks> {
    const { rows } = await this.#parts.database.read(
      statement(OLD, { after, limit, before: beforeMs }),
    );
    return {
      ids: rows.filter(({ old }) => Number(old) === 1).map(({ id }) => String(id)),
      next: rows.length < limit ? undefined : Number(rows.at(-1)?.number),
    };
  }

  /**
   * Removes what ran out, and says in the same commit how many those were: all of them, but for one that was started again between
   * the look and the commit. The log is not cut off: see `finish`.
   */
  async expire(ids: readonly string[], beforeMs: number): Promise<void> {
    const before = new Date(beforeMs).toISOString();
    await this.#parts.audit.changeEach(async () => {
      const { rows } = await this.#parts.database.read(
        statement(`SELECT count(*) AS count FROM (${REMOVABLE})`, { ids: JSON.stringify(ids) }),
      );
      const applications = Number(rows[0]?.count);
      if (applications === 0) return { entries: [] };
      return {
        entries: [{
          ...{ actor: "service", action: "application.expire", subject: "applications" },
          details: { applications, before },
        }],
        statements: removal(ids),
      };
    });
  }

  /**
   * Destroys the keys of what was removed, and carries the write-ahead logs into their files and cuts them off, so that nothing that
   * was removed is left in them.
   */
  async finish(): Promise<void> {
    const { database, databaseUrl } = this.#parts;
    await this.destroySpent();
    if (!isRemote(databaseUrl)) await database.read("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Destroys the keys of what was removed, also of what a process that died had removed. */
  async destroySpent(): Promise<void> {
    const { database, vault } = this.#parts;
    for (;;) {
      const { rows } = await database.read(SPENT);
      if (rows.length === 0) return;
      const keys = rows.map(({ key }) => Number(key));
      await vault.destroy(keys);
      await database.write([statement(FORGET, { keys: JSON.stringify(keys) })]);
    }
  }
}

function removal(ids: readonly string[]): InStatement[] {
  return REMOVE.map((sql) => statement(sql, { ids: JSON.stringify(ids) }));
}
