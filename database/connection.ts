/**
 * One connection to a libSQL database, in a file or remote, that outlives failures.
 *
 * An answer of a server may be lost after the commit, so what got no answer is asked again: whatever is written here must come
 * to the same when it is written twice.
 *
 * Known limit: calls to a file are synchronous, so each try of a statement that waits for another process's lock holds the event
 * loop for a quarter of a second; only between the tries is there time for others. One process per file is the intended use.
 */
import type { InStatement } from "@libsql/client";
import { type Clock, systemClock } from "../clock.ts";
import { type Database, type Driver, isLocked, type Rows, type WriteOptions } from "./database.ts";
import { StoreError, StoreLockedError } from "./errors.ts";

const RETRIES = 3;

/** Enough for what waits in the event loop, such as answers and heartbeats. */
const RETRY_WAIT_MS = 20;

export class Connection implements Database {
  readonly #driver: Driver;
  readonly #clock: Clock;
  #closed = false;

  private constructor(driver: Driver, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
  }

  /** Opens the database; creates the file, whose folder must exist. Throws where it cannot be opened or kept safely. */
  static async open(url: string, clock: Clock = systemClock): Promise<Connection> {
    // Each program loads what it needs: servers no native library, files no client.
    if (isRemote(url)) {
      const { RemoteDriver } = await import("./remote_driver.ts");
      return new Connection(new RemoteDriver(url), clock);
    }
    const { FileDriver } = await import("./file_driver.ts");
    return new Connection(new FileDriver(filePath(url) ?? url), clock);
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
        await new Promise<void>((resolve) => void this.#clock.after(RETRY_WAIT_MS, resolve));
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
  const message = error instanceof Error ? error.message : String(error);
  if (isLocked(error)) return new StoreLockedError(message, { cause: error });
  return error instanceof StoreError ? error : new StoreError(message, { cause: error });
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
