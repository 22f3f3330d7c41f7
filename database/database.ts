/** What the stores need of a database, and how its statements are bound. */
import type { InStatement, InValue } from "@libsql/client";
import { StoreError } from "./errors.ts";

export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowsAffected: number;
}

export interface WriteOptions {
  /**
   * Whether the commit is on disk when the write resolves, as it is where nothing is said. One that is not is taken back by a power
   * cut, with all that came after it, unless a commit that is on disk came after it.
   */
  readonly durable?: boolean;
}

export interface Database {
  /** Runs the statements in one write transaction: all of them, or none. */
  write(statements: InStatement[], options?: WriteOptions): Promise<readonly Rows[]>;
  read(statement: InStatement): Promise<Rows>;
  close(): void;
}

/** A kind of database as `Connection` uses it. A call that failed may have left anything behind, until `recover`. */
export interface Driver {
  write(
    statements: readonly InStatement[],
    options: Required<WriteOptions>,
  ): readonly Rows[] | Promise<readonly Rows[]>;
  read(statement: InStatement): Rows | Promise<Rows>;
  /** Throws where nothing may be written or read any more. */
  recover(): void | Promise<void>;
  /** Whether trying again may help. */
  mayPass(error: unknown): boolean;
  close(): void;
}

/** By which the library or the database names a failure; empty where it has no name. */
export function codeOf(error: unknown): string {
  const cause = error instanceof StoreError ? error.cause : error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/** Whether another process holds the database. */
export function isLocked(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

/** Binds whole numbers as integers: the library binds a JavaScript number as REAL, which a STRICT column refuses. */
export function statement(
  sql: string,
  args: Record<string, string | number | Uint8Array>,
): InStatement {
  const bound = Object.entries(args).map(([name, value]): [string, InValue] => [
    name,
    typeof value === "number" ? BigInt(value) : value,
  ]);
  return { sql, args: Object.fromEntries(bound) };
}
