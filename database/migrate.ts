/**
 * Brings a database to the newest schema by the numbered files of `migrations/`, in one transaction with the records that
 * they were applied. A database that has a migration this version does not know is refused, not guessed at.
 */
import type { Database } from "./database.ts";

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

const FOLDER = new URL("./migrations/", import.meta.url);

/** Reads `migrations/NNNN_name.sql` in order. */
export function readMigrations(): Migration[] {
  const names = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
    .filter((name) => name.endsWith(".sql")).sort();
  return names.map((name, index) => {
    if (Number(name.slice(0, 4)) !== index + 1) {
      throw new Error(`Cannot order the migrations: ${name} must be number ${index + 1}`);
    }
    return { version: index + 1, name, sql: Deno.readTextFileSync(new URL(name, FOLDER)) };
  });
}

export interface MigrateOptions {
  readonly migrations: readonly Migration[];
  readonly nowMs: number;
}

/**
 * Applies what is missing, all together: a new database costs one commit. Of two processes that start together the records' key
 * refuses the second.
 */
export async function migrate(
  database: Database,
  { migrations, nowMs }: MigrateOptions,
): Promise<void> {
  const applied = await appliedVersion(database);
  if (applied > migrations.length) {
    throw new Error(
      `Cannot use this database: its schema has version ${applied}, and this program knows ` +
        `versions up to ${migrations.length}; start the newer program, or restore a backup`,
    );
  }
  if (applied === migrations.length) return;
  try {
    await database.write([
      CREATE_RECORDS,
      ...migrations.slice(applied).flatMap(({ version, name, sql }) => [
        {
          sql: "INSERT INTO migrations (version, name, applied_at_ms) VALUES (?, ?, ?)",
          args: [BigInt(version), name, BigInt(nowMs)],
        },
        ...statements(sql),
      ]),
    ]);
  } catch (error) {
    if (await appliedVersion(database) < migrations.length) throw error;
  }
}

const CREATE_RECORDS = "CREATE TABLE IF NOT EXISTS migrations " +
  "(version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT";

/** 0 for a database that has none. */
async function appliedVersion(database: Database): Promise<number> {
  const { rows: tables } = await database.read(
    "SELECT 1 FROM sqlite_schema WHERE name = 'migrations'",
  );
  if (tables.length === 0) return 0;
  const { rows: [row] } = await database.read("SELECT max(version) AS version FROM migrations");
  return Number(row?.version);
}

/** The statements of a migration: each ends with a semicolon at the end of its line, and has none at the end of an inner one. */
function statements(sql: string): string[] {
  return sql.split(/;\s*\n/).map((text) => text.trim()).filter(Boolean);
}
