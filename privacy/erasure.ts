/**
 * Removes all that is stored of one application: answers, result, what banks decided, what a trial scored, what is still to be told.
 * SQLite writes zeros over what is removed (`secure_delete`), and the write-ahead log is carried into the file and cut off, so that
 * neither holds a byte of it. Counts that it went into are taken back where they name nobody (`outcome_counts`); its fact, and what
 * it was agreed to, go with its task, by triggers, and the sums of facts stay.
 *
 * Known limits: a copy that was made before, such as a backup, keeps what it has; on a server the server's own log does.
 */
import { applicationSubject, type AuditLog } from "../audit/mod.ts";
import { isRemote } from "../database/connection.ts";
import { type Database, statement } from "../database/database.ts";

export type Erased = "erased" | "missing" | "at work";

export interface ErasureParts {
  readonly database: Database;
  readonly audit: Pick<AuditLog, "append">;
  readonly databaseUrl: string;
}

/** A task that is being scored would leave its result behind. */
const REMOVABLE = "SELECT number FROM tasks WHERE id = :id AND state <> 'leased'";

/** Every table that holds something of an application, those that refer to others first. */
const REMOVE = [
  `DELETE FROM results WHERE number = (${REMOVABLE})`,
  `DELETE FROM payloads WHERE number = (${REMOVABLE})`,
  ...["outcomes", "outcome_events", "model_trial_scores"].map((table) =>
    `DELETE FROM ${table} WHERE application_id = :id AND EXISTS (${REMOVABLE})`
  ),
  `DELETE FROM webhook_deliveries WHERE subject = :id AND EXISTS (${REMOVABLE})`,
  `DELETE FROM tasks WHERE number = (${REMOVABLE})`,
];

export class Erasure {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /** By the id as it is stored. Resolves when nothing of it is left; `at work`: it is being scored, and nothing was removed. */
  async erase(id: string, actor: string): Promise<Erased> {
    const { database, audit, databaseUrl } = this.#parts;
    const removed = await database.write(REMOVE.map((sql) => statement(sql, { id })));
    if (removed.at(-1)?.rowsAffected === 0) {
      const { rows } = await database.read(statement("SELECT 1 FROM tasks WHERE id = :id", { id }));
      return rows.length === 0 ? "missing" : "at work";
    }
    if (!isRemote(databaseUrl)) await database.read("PRAGMA wal_checkpoint(TRUNCATE)");
    await audit.append({ actor, action: "application.erase", subject: applicationSubject(id) });
    return "erased";
  }
}
