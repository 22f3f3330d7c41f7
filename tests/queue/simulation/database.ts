/**
 * The database of simulated lives: the platform's own SQLite, in memory, with statements prepared once and the schema kept from
 * life to life. The libSQL client prepares each statement at each call, which took most of a life's time. Some lives are lived
 * on that client too.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { InStatement } from "@libsql/client";
import type { Database, Rows } from "../../../database/database.ts";
import { migrate, readMigrations } from "../../../database/migrate.ts";

export class MemoryDatabase implements Database {
  readonly #database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: false });
  readonly #prepared = new Map<string, StatementSync>();

  private constructor() {}

  /** Migrated, and without tasks. */
  static async open(): Promise<MemoryDatabase> {
    const database = new MemoryDatabase();
    await migrate(database, { migrations: readMigrations(), nowMs: 0 });
    return database;
  }

  /** Forgets every task. */
  clear(): void {
    for (const table of ["results", "payloads", "tasks", "tenants", "spent_keys"]) {
      this.#database.exec(`DELETE FROM ${table}`);
    }
  }

  write(statements: InStatement[]): Promise<readonly Rows[]> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const rows = statements.map((statement) => this.#run(statement));
      this.#database.exec("COMMIT");
      return Promise.resolve(rows);
    } catch (error) {
      this.#database.exec("ROLLBACK");
      return Promise.reject(error);
    }
  }

  read(statement: InStatement): Promise<Rows> {
    return Promise.resolve(this.#run(statement));
  }

  close(): void {
    this.#database.close();
  }

  #run(statement: InStatement): Rows {
    const { sql, args } = typeof statement === "string" ? { sql: statement, args: [] } : statement;
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      prepared = this.#database.prepare(sql);
      this.#prepared.set(sql, prepared);
    }
    const values = args ?? [];
    const bound = (Array.isArray(values) ? values : [values]) as SQLInputValue[];
    if (prepared.columns().length > 0) {
      const rows = prepared.all(...bound);
      return { rows, rowsAffected: rows.length };
    }
    return { rows: [], rowsAffected: Number(prepared.run(...bound).changes) };
  }
}
