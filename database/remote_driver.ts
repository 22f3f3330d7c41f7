/** A database on a libSQL server (Turso, sqld), over Hrana. A commit is answered when it is safe by that server's own rule. */
import { type Client, createClient, type InStatement, LibsqlError } from "@libsql/client/web";
import type { Driver, Rows } from "./database.ts";

/** Half of the shortest lease that is of use; a server that says nothing for this long is asked again. */
const ANSWER_WAIT_MS = 5000;

/** What the client calls a failure between it and the server; other codes are the database's own. */
const NO_ANSWER = ["SERVER_ERROR", "HRANA_CLOSED_ERROR", "HRANA_WEBSOCKET_ERROR", "SQLITE_BUSY"];

export class RemoteDriver implements Driver {
  readonly #client: Client;

  constructor(url: string) {
    this.#client = createClient({ url, fetch: fetchInTime });
  }

  write(statements: readonly InStatement[]): Promise<readonly Rows[]> {
    return this.#client.batch([...statements], "write");
  }

  read(statement: InStatement): Promise<Rows> {
    return this.#client.execute(statement);
  }

  async recover(): Promise<void> {
    // Over HTTP every call is a connection of its own.
    if (this.#client.protocol !== "http") await this.#client.reconnect();
  }

  mayPass(error: unknown): boolean {
    // A request that failed on its way is the platform's error, not the library's.
    if (!(error instanceof LibsqlError)) return true;
    return NO_ANSWER.some((code) => error.code.startsWith(code));
  }

  close(): void {
    this.#client.close();
  }
}

function fetchInTime(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
}
