/**
 * One connection to a libSQL database, in a file or remote, that outlives failures.
 *
 * An answer of a server may be lost after the commit, so what got no answer is asked again: whatever is written here must come
 * to the same when it is written twice.
 *
 * Known limit: calls to a file are synchronous, so a statement that waits for another process's lock holds the event loop for up
 * to a quarter of a second. One process per file is the intended use.
 */
import type { InStatement } from "@libsql/client";
import type { Database, Driver, Rows, WriteOptions } from "./database.ts";
import { StoreError } from "./store.ts";

const RETRIES = 3;

export class Connection implements Database {
  readonly #driver: Driver;
  #closed = false;

  private constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Opens the database; creates the file, whose folder must exist. Throws where it cannot be opened or kept safely. */
  static async open(url: string): Promise<Connection> {
    // Each program loads what it needs: servers no native library, files no client.
    if (isRemote(url)) {
      const { RemoteDriver } = await import("./remote_driver.ts");
      return new Connection(new RemoteDriver(url));
    }
    const { FileDriver } = await import("./file_driver.ts");
    return new Connection(new FileDriver(filePath(url) ?? url));
  }

  async write(
    statements: InStatement[],
    { durable = true }: WriteOptions = {},
  ): Promise<readonly Rows[]> {
    return await this.#recovering(() => this.#driver.write(statements, { durable }));
  }

  async read(statement: InStatement): Promise<Rows> {
    return await this.#recovering(() => this.#driver.read(statement));
  }

  close(): void {
    this.#closed = true;
    this.#driver.close();
  }

  /** After any failure the driver recovers; what may pass, such as a lock or a lost answer, is tried again a few times. */
  async #recovering<T>(call: () => T | Promise<T>): Promise<T> {
    for (let retry = 0;; retry++) {
      try {
        return await call();
      } catch (error) {
        if (this.#closed) throw error;
        await this.#recover();
        if (!this.#driver.mayPass(error) || retry >= RETRIES) throw storeError(error);
      }
    }
  }

  async #recover(): Promise<void> {
    try {
      await this.#driver.recover();
    } catch (error) {
      throw storeError(error);
    }
  }
}

function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(error instanceof Error ? error.message : String(error), { cause: error });
}

/** Whether a URL names a server. Throws nothing: the client says what is wrong with a URL. */
export function isRemote(url: string): boolean {
  return !url.startsWith("file:") && url !== ":memory:";
}

/** The path that a URL names; `undefined` for a server and for memory. Throws where it names a host. */
export function filePath(url: string): string | undefined {
  const path = /^file:(?:\/\/(?:localhost)?(?=\/))?([^?]+)/.exec(url)?.[1];
  if (path?.startsWith("//")) {
    throw new Error(
      `file: must be followed by a path, or by one slash or three and a path: ${path}`,
    );
  }
  return path && decodeURIComponent(path);
}
