/**
 * A database in a file, by libSQL's native library. The library's client on top of it prepares each statement at each call, which
 * cost more than most statements take; here each is prepared once. A durable commit is on disk when `write` returns: write-ahead
 * log, synchronous FULL.
 */
import type { InStatement } from "@libsql/client";
import Native from "libsql";
import { codeOf, type Driver, isLocked, type Rows, type WriteOptions } from "./database.ts";
import { StoreError } from "./errors.ts";

const BUSY_WAIT_MS = 250;

/**
 * Of 4 KB: how long the write-ahead log may get before a commit carries it into the file. That holds the main thread, and pages
 * that were written again in the meantime are carried once: at SQLite's own 1,000 the slowest answers take half as long again.
 */
const CHECKPOINT_PAGES = 10_000;

/** The queue has a few dozen; what makes up texts as it goes must not fill the memory. */
const MOST_PREPARED = 200;

type NativeDatabase = ReturnType<typeof open>;
type NativeStatement = ReturnType<NativeDatabase["prepare"]>;

interface Prepared {
  readonly statement: NativeStatement;
  readonly givesRows: boolean;
}

export class FileDriver implements Driver {
  readonly #path: string;
  readonly #inode: number | null | undefined;
  #native: NativeDatabase;
  readonly #prepared = new Map<string, Prepared>();

  /** Creates the file, whose folder must exist. Throws where it cannot be opened or kept safely. */
  constructor(path: string) {
    this.#path = path;
    this.#native = open(path);
    this.#native.exec("PRAGMA journal_mode = WAL");
    const { rows: [row] } = this.#run("PRAGMA synchronous");
    // FULL is what the library opens every connection with; a build that does not would lose acknowledged tasks.
    if (Number(row?.synchronous) < 2) {
      throw new Error(
        `Cannot use ${path}: PRAGMA synchronous is ${row?.synchronous}, must be 2 (FULL) or 3 (EXTRA)`,
      );
    }
    this.#inode = inodeOf(path);
  }

  write(
    statements: readonly InStatement[],
    { durable }: Required<WriteOptions>,
  ): readonly Rows[] {
    if (durable) return this.#commit(statements);
    this.#native.exec("PRAGMA synchronous = NORMAL");
    try {
      return this.#commit(statements);
    } finally {
      this.#native.exec("PRAGMA synchronous = FULL");
    }
  }

  #commit(statements: readonly InStatement[]): readonly Rows[] {
    this.#native.exec("BEGIN IMMEDIATE");
    try {
      const rows = statements.map((statement) => this.#run(statement));
      this.#native.exec("COMMIT");
      this.#check();
      return rows;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  read(statement: InStatement): Rows {
    const rows = this.#run(statement);
    // What is found is true; what is not found may be for want of the file.
    if (rows.rows.length === 0) this.#check();
    return rows;
  }

  /**
   * A file that is deleted or replaced still takes what is written to it, and gives it up when the process ends: nothing may be
   * acknowledged then.
   */
  #check(): void {
    if (inodeOf(this.#path) === this.#inode) return;
    throw new StoreError(
      `Cannot use the database: ${this.#path} was deleted or replaced; restore it and start again`,
    );
  }

  /**
   * A BEGIN that failed leaves its statement unfinished, and the connection then refuses every COMMIT with "SQL statements in
   * progress" while its locks stay: a fresh connection takes its place.
   */
  recover(): void {
    this.#check();
    this.close();
    this.#native = open(this.#path);
  }

  /** A lock that another process holds. */
  mayPass(error: unknown): boolean {
    return isLocked(error);
  }

  close(): void {
    this.#prepared.clear();
    this.#native.close();
  }

  /** A connection that is closed keeps its locks as long as one of its statements is in memory. */
  #rollBack(): void {
    try {
      this.#native.exec("ROLLBACK");
    } catch {
      // It has been committed, or the database has rolled back by itself, as it does where the disk is full.
    }
  }

  #run(given: InStatement): Rows {
    const { sql, args = [] } = typeof given === "string" ? { sql: given } : given;
    try {
      const { statement, givesRows } = this.#prepare(sql);
      if (!givesRows) return { rows: [], rowsAffected: statement.run(args).changes };
      const rows = statement.all(args) as Rows["rows"];
      return { rows, rowsAffected: rows.length };
    } catch (error) {
      throw new StoreError(`${codeOf(error)}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size >= MOST_PREPARED) this.#prepared.clear();
    const statement = this.#native.prepare(sql);
    const prepared = { statement, givesRows: statement.reader };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

function open(path: string) {
  const native = new Native(path, { timeout: BUSY_WAIT_MS });
  native.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // What is removed is written over, for it may be about people.
  native.exec("PRAGMA secure_delete = ON");
  return native;
}

/** `undefined` where no file is there; memory has none either. */
function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).ino;
  } catch {
    return undefined;
  }
}
