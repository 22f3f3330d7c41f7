/**
 * One connection to a libSQL database, in a file or remote. A commit of a file is on disk when its promise resolves:
 * write-ahead log, synchronous FULL. A server answers a commit when it is safe by that server's own rule.
 *
 * An answer of a server may be lost after the commit, so what got no answer is asked again: whatever is written here must come
 * to the same when it is written twice.
 *
 * Known limit: calls to a file are synchronous, so a statement that waits for another process's lock (at most `BUSY_WAIT_MS`)
 * holds the event loop. One process per file is the intended use.
 */
import type { Client, InStatement } from "@libsql/client";
// Without the native library, which a program that only knows servers need not load.
import { createClient as createRemoteClient, LibsqlError } from "@libsql/client/web";
import type { Database, Rows } from "./database.ts";
import { StoreError } from "./store.ts";

const BUSY_WAIT_MS = 250;
const RETRIES = 3;

/** Half of the shortest lease that is of use; a server that says nothing for this long is asked again. */
const ANSWER_WAIT_MS = 5000;

/** What the client calls a failure between it and the server; other codes are the database's own. */
const NO_ANSWER = ["SERVER_ERROR", "HRANA_CLOSED_ERROR", "HRANA_WEBSOCKET_ERROR"];

export class Connection implements Database {
  readonly #client: Client;
  readonly #file: OpenedFile | undefined;

  private constructor(client: Client, file?: OpenedFile) {
    this.#client = client;
    this.#file = file;
  }

  /** Opens the database; creates the file, whose folder must exist. Throws where it cannot be opened or kept safely. */
  static async open(url: string): Promise<Connection> {
    if (isRemote(url)) return new Connection(createRemoteClient({ url, fetch: fetchInTime }));
    const { createClient } = await import("@libsql/client");
    // One connection of the client's pool: a second would be a second writer to the same file.
    const client = createClient({ url, concurrency: 1, timeout: BUSY_WAIT_MS });
    await prepareFile(client, url);
    return new Connection(client, OpenedFile.at(filePath(url)));
  }

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
   * holds is waited for, and an answer that did not come is asked for, a few times.
   */
  async #recovering<T>(call: () => Promise<T>): Promise<T> {
    for (let retry = 0;; retry++) {
      this.#file?.check();
      try {
        return await call();
      } catch (error) {
        if (this.#client.closed) throw error;
        this.#file?.check();
        // Over HTTP every call is a connection of its own.
        if (this.#client.protocol !== "http") await this.#client.reconnect();
        if (mayPass(error, this.#client) && retry < RETRIES) continue;
        throw new StoreError(error instanceof Error ? error.message : String(error), {
          cause: error,
        });
      }
    }
  }
}

async function prepareFile(client: Client, url: string): Promise<void> {
  await client.execute("PRAGMA journal_mode = WAL");
  const { rows: [row] } = await client.execute("PRAGMA synchronous");
  // FULL is what the library opens every connection with; a build that does not would lose acknowledged tasks.
  if (Number(row?.synchronous) < 2) {
    throw new Error(
      `Cannot use ${url}: PRAGMA synchronous is ${row?.synchronous}, must be 2 (FULL) or 3 (EXTRA)`,
    );
  }
}

/**
 * The file that was opened. One that is deleted or replaced meanwhile still takes what is written to it, and gives it up when
 * the process ends: nothing may be acknowledged then.
 */
class OpenedFile {
  readonly #path: string;
  readonly #inode: number | null;

  private constructor(path: string) {
    this.#path = path;
    this.#inode = Deno.statSync(path).ino;
  }

  static at(path: string | undefined): OpenedFile | undefined {
    return path === undefined ? undefined : new OpenedFile(path);
  }

  check(): void {
    let inode: number | null | undefined;
    try {
      inode = Deno.statSync(this.#path).ino;
    } catch {
      inode = undefined;
    }
    if (inode === this.#inode) return;
    throw new StoreError(
      `Cannot use the database: ${this.#path} was deleted or replaced; restore it and start again`,
    );
  }
}

/** The path that a URL names; `undefined` for a server and for memory. */
export function filePath(url: string): string | undefined {
  const path = /^file:(?:\/\/(?:localhost)?(?=\/))?([^?]+)/.exec(url)?.[1];
  return path && decodeURIComponent(path);
}

/** Whether a URL names a server. Throws nothing: the client says what is wrong with a URL. */
export function isRemote(url: string): boolean {
  return !url.startsWith("file:") && url !== ":memory:";
}

function mayPass(error: unknown, { protocol }: Client): boolean {
  // A request that failed on its way is the platform's error, not the library's.
  if (!(error instanceof LibsqlError)) return protocol !== "file";
  return error.code.startsWith("SQLITE_BUSY") || NO_ANSWER.includes(error.code);
}

function fetchInTime(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
}
