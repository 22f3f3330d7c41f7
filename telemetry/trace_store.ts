/** The trace that each waiting task belongs to, in the database, so that whoever scores it goes on with it. */
import { type Database, statement } from "../database/database.ts";

const KEEP = `
  INSERT INTO task_traces (task_id, traceparent) VALUES (:id, :traceparent)
  ON CONFLICT DO UPDATE SET traceparent = excluded.traceparent`;

const OF = `
  SELECT task_id, traceparent FROM task_traces WHERE task_id IN (SELECT value FROM json_each(:ids))`;

const FORGET = "DELETE FROM task_traces WHERE task_id IN (SELECT value FROM json_each(:ids))";

/** A power cut may take back what it writes: a trace is no promise. */
export class TraceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async keep(id: string, traceparent: string): Promise<void> {
    await this.#database.write([statement(KEEP, { id, traceparent })], { durable: false });
  }

  /** By task id. */
  async of(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#database.read(statement(OF, { ids: JSON.stringify(ids) }));
    return new Map(rows.map(({ task_id, traceparent }) => [String(task_id), String(traceparent)]));
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#database.write([statement(FORGET, { ids: JSON.stringify(ids) })], {
      durable: false,
    });
  }
}
