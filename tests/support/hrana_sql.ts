/**
 * One SQLite connection that takes and gives the values of the Hrana protocol.
 *
 * Known limit: of two columns with one name the last is given twice.
 */
import { Buffer } from "node:buffer";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { HranaError, SqlText, Statement, StatementResult, Value } from "./hrana_protocol.ts";

/** The names of SQLite's primary result codes that a caller of the queue can meet. */
const CODES: Readonly<Record<number, string>> = {
  1: "SQLITE_ERROR",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  13: "SQLITE_FULL",
  19: "SQLITE_CONSTRAINT",
};

export class SqlConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    this.#database.exec("PRAGMA journal_mode = WAL");
    // The server of a test does not outlive the machine.
    this.#database.exec("PRAGMA synchronous = OFF");
  }

  get isAutocommit(): boolean {
    return !this.#database.isTransaction;
  }

  text({ sql, sql_id }: SqlText, texts: ReadonlyMap<number, string>): string {
    const text = sql ?? texts.get(sql_id ?? -1);
    if (text === undefined) throw new Error(`no SQL text is stored under ${sql_id}`);
    return text;
  }

  execute(statement: Statement, texts: ReadonlyMap<number, string>): StatementResult {
    const prepared = this.#prepare(this.text(statement, texts));
    const named = Object.fromEntries(
      (statement.named_args ?? []).map(({ name, value }) => [name, toSql(value)]),
    );
    const positional = (statement.args ?? []).map(toSql);
    const before = this.#totalChanges();
    const rows = prepared.all(named, ...positional);
    const columns = prepared.columns();
    const wrote = this.#totalChanges() !== before;
    return {
      cols: columns.map(({ name, type }) => ({ name, decltype: type })),
      rows: statement.want_rows === false
        ? []
        : rows.map((row) => columns.map(({ name }) => fromSql(row[name]))),
      affected_row_count: wrote ? Number(this.#value("SELECT changes() AS value")) : 0,
      last_insert_rowid: wrote ? String(this.#value("SELECT last_insert_rowid() AS value")) : null,
    };
  }

  sequence(sql: string): void {
    this.#database.exec(sql);
  }

  describe(sql: string) {
    const prepared = this.#database.prepare(sql);
    return {
      params: [],
      cols: prepared.columns().map(({ name, type }) => ({ name, decltype: type })),
      is_explain: /^\s*EXPLAIN\b/i.test(sql),
      is_readonly: /^\s*(SELECT|EXPLAIN|VALUES)\b/i.test(sql),
    };
  }

  /** Ends what a stream left open. */
  reset(): void {
    if (!this.isAutocommit) this.#database.exec("ROLLBACK");
  }

  close(): void {
    this.#database.close();
  }

  #totalChanges(): unknown {
    return this.#value("SELECT total_changes() AS value");
  }

  #value(sql: string): unknown {
    return this.#prepare(sql).get()?.value;
  }

  /** Statements are kept: preparing costs more than most of them. */
  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

export function sqlError(error: unknown): HranaError {
  const message = error instanceof Error ? error.message : String(error);
  const number = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  const named = CODES[number & 0xff] ??
    (/is locked/.test(message) ? "SQLITE_BUSY" : /constraint/.test(message) ? CODES[19] : CODES[1]);
  return { message: `SQLite error: ${message}`, code: named ?? "SQLITE_ERROR" };
}

function toSql(value: Value): SQLInputValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    case "float":
    case "text":
      return value.value;
    case "blob":
      return Buffer.from(value.base64, "base64");
  }
}

function fromSql(value: unknown): Value {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: String(value) };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: Buffer.from(value as Uint8Array).toString("base64") };
}
