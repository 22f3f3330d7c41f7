/**
 * One connection to a libSQL database, in a file or remote. A commit of a file is on disk when its promise resolves:
 * write-ahead log, synchronous FULL.
 *
 * Known limit: calls to a file are synchronous, so a statement that waits for another process's lock (at most `BUSY_WAIT_MS`)
 * holds the event loop. One process per file is the intended use.
 */
import { type Client, createClient, type InStatement, LibsqlError } from "@libsql/client";

const BUSY_WAIT_MS = 250;
const BUSY_RETRIES = 3;

export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowsAffected: number;
}

export class Connection {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Opens the database; creates the file, whose folder must exist. Throws where it cannot be opened or kept safely. */
  static async open(url: string): Promise<Connection> {
    // One connection of the client's pool: a second would be a second writer to the same file.
    const connection = new Connection(createClient({ url, concurrency: 1, timeout: BUSY_WAIT_MS }));
    if (connection.#isFile) await connection.#prepareFile(url);
    return connection;
  }

  get #isFile(): boolean {
    return this.#client.protocol === "file";
  }

  /** Runs the statements in one write transaction: all of them, or none. */
  async write(statements: InStatement[]): Promise<readonly Rows[]> {
    return await this.#recovering(() => this.#client.batch(statements, "write"));
  }

  async read(statement: InStatement): Promise<Rows> {
    return await this.#recovering(() => this.#client.execute(statement));
  }

  close(): void {
    this.#client.close();
  }

  /**
   * A failed BEGIN leaves its statement unfinished, and the connection then refuses every COMMIT with "SQL statements in
   * progress" while its locks stay: after any failure a fresh connection takes its place. A lock that another process
   * holds is waited for, a few times.
   */
  async #recovering<T>(call: () => Promise<T>): Promise<T> {
    for (let retry = 0;; retry++) {
      try {
        return await call();
      } catch (error) {
        if (this.#client.closed) throw error;
        await this.#client.reconnect();
        const busy = error instanceof LibsqlError && error.code.startsWith("SQLITE_BUSY");
        if (!busy || retry >= BUSY_RETRIES) throw error;
      }
    }
  }

  async #prepareFile(url: string): Promise<void> {
    await this.#client.execute("PRAGMA journal_mode = WAL");
    const { rows: [row] } = await this.#client.execute("PRAGMA synchronous");
    // FULL is what the library opens every connection with; a build that does not would lose acknowledged tasks.
    if (Number(row?.synchronous) < 2) {
      throw new Error(
        `Cannot use ${url}: PRAGMA synchronous is ${row?.synchronous}, must be 2 (FULL) or 3 (EXTRA)`,
      );
    }
  }
}
