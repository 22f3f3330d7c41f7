/**
 * The keys under which bodies are sealed, one for each application, in a database of their own. Keys are made by the block and wrapped
 * by the block: to make one costs half a microsecond and no commit of its own. To destroy one is to write its block again without it,
 * over the old one; after that nobody can read what it sealed, in no copy of the database, unless an older copy of the keys is left.
 *
 * Known limits: what was made and not used when a process ends stays, 32 bytes a key; a process that has read a block keeps it in
 * memory until it is pushed out, also after another process destroyed one of its keys.
 */
import { randomFillSync, randomInt } from "node:crypto";
import { type Database, statement } from "../database/database.ts";
import { KEY_BYTES, open, seal, SealError } from "./envelope.ts";

/** Keys in a block: its row fits a page of the database. */
const BLOCK = 64;
/** Blocks made in one commit, at first and at most: a process that seals little makes few. */
const FIRST_BLOCKS = 1;
const MOST_BLOCKS = 64;
/** Blocks are numbered at random, so that processes need not agree; a number that is taken is not taken again. */
const MOST_NUMBER = 2 ** 40;
/** Blocks in memory: 4 MB. */
const KNOWN_BLOCKS = 2048;
/** Blocks that are read in one step of wrapping all anew. */
const STEP = 200;
/** How often a block that another process changes at the same time is tried. */
const TRIES = 20;

const CREATE = `
  CREATE TABLE IF NOT EXISTS data_keys (
    -- 0: a text that shows whether the master key is the right one.
    block INTEGER NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL
  ) STRICT`;
const ADD = `
  INSERT INTO data_keys (block, wrapped) VALUES (:block, :wrapped) ON CONFLICT DO NOTHING`;
const FIND =
  "SELECT block, wrapped FROM data_keys WHERE block IN (SELECT value FROM json_each(:blocks))";
const CHANGE = "UPDATE data_keys SET wrapped = :wrapped WHERE block = :block AND wrapped = :known";
const REMOVE = "DELETE FROM data_keys WHERE block = :block AND wrapped = :known";
const AFTER = `
  SELECT block, wrapped FROM data_keys WHERE block > :after ORDER BY block LIMIT ${STEP}`;

const CHECK_BLOCK = 0;
const CHECK = new TextEncoder().encode("prescore");

/** What one application is sealed under. */
export interface DataKey {
  /** Below 2^46. */
  readonly number: number;
  /** 32 of them. */
  readonly bytes: Uint8Array;
}

export interface VaultOptions {
  readonly database: Database;
  /** Of 32 bytes each: the first wraps, any unwraps. */
  readonly masterKeys: readonly Uint8Array[];
  /** Whether the database is a file of this process's, whose log is to be cut off. */
  readonly isFile: boolean;
}

export class Vault {
  readonly #options: VaultOptions;
  /** Nothing is sealed under them yet. */
  readonly #unused: DataKey[] = [];
  #blocks = FIRST_BLOCKS;
  readonly #known = new Map<number, Uint8Array>();

  private constructor(options: VaultOptions) {
    this.#options = options;
  }

  /** Throws `SealError` where no master key is the one that the keys were wrapped with. */
  static async open(options: VaultOptions): Promise<Vault> {
    const vault = new Vault(options);
    const { database } = options;
    await database.write([CREATE]);
    if (await vault.#wrapped(CHECK_BLOCK) === undefined) {
      const wrapped = vault.#wrap(CHECK, CHECK_BLOCK);
      await database.write([statement(ADD, { block: CHECK_BLOCK, wrapped })]);
    }
    const wrapped = await vault.#wrapped(CHECK_BLOCK);
    if (wrapped) vault.#unwrap(wrapped, CHECK_BLOCK);
    return vault;
  }

  /** Resolves when so many keys can be taken at once. */
  async ready(count: number): Promise<void> {
    while (this.#unused.length < count) await this.#make();
  }

  /** Keys that nothing was sealed under yet; `undefined` where so many are not ready. */
  take(count: number): readonly DataKey[] | undefined {
    return this.#unused.length < count ? undefined : this.#unused.splice(-count, count);
  }

  /** The same, once they are. */
  async taken(count: number): Promise<readonly DataKey[]> {
    for (;;) {
      const keys = this.take(count);
      if (keys) return keys;
      await this.ready(count);
    }
  }

  /** Keys by their numbers; those that were destroyed, or are in other keys than these, are not there. */
  async keys(numbers: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const blocks = new Set(numbers.map(blockOf));
    const found = new Map<number, Uint8Array>();
    for (const block of blocks) {
      const keys = this.#known.get(block);
      if (keys) found.set(block, keys);
    }
    const missing = [...blocks].filter((block) => !found.has(block));
    if (missing.length > 0) {
      const { rows } = await this.#options.database.read(
        statement(FIND, { blocks: JSON.stringify(missing) }),
      );
      for (const row of rows) {
        const block = Number(row.block);
        const keys = this.#unwrap(bytesOf(row.wrapped), block);
        found.set(block, keys);
        this.#remember(block, keys);
      }
    }
    return new Map(numbers.flatMap((number) => {
      const keys = found.get(blockOf(number));
      const key = keys && keyIn(keys, number);
      return key?.some((byte) => byte !== 0) ? [[number, key] as const] : [];
    }));
  }

  /** Resolves when the keys are nowhere in the database of keys or its log; those that are not there are none. */
  async destroy(numbers: readonly number[]): Promise<void> {
    const { database, isFile } = this.#options;
    for (const block of new Set(numbers.map(blockOf))) {
      await this.#change(block, (keys) => {
        for (const number of numbers) if (blockOf(number) === block) keyIn(keys, number).fill(0);
      });
    }
    if (isFile) await database.read("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Wraps all keys with the first master key; returns how many blocks it wrapped anew. */
  async rewrap(): Promise<number> {
    const { database, isFile } = this.#options;
    let blocks = 0;
    for (let after = -1;;) {
      const { rows } = await database.read(statement(AFTER, { after }));
      for (const { block } of rows) {
        await this.#change(Number(block), () => {});
        blocks++;
      }
      if (rows.length < STEP) break;
      after = Number(rows.at(-1)?.block);
    }
    if (isFile) await database.read("PRAGMA wal_checkpoint(TRUNCATE)");
    return blocks;
  }

  close(): void {
    this.#options.database.close();
  }

  async #make(): Promise<void> {
    const made = Array.from({ length: this.#blocks }, () => {
      const keys = randomFillSync(new Uint8Array(BLOCK * KEY_BYTES));
      const block = randomInt(1, MOST_NUMBER);
      return { block, keys, wrapped: this.#wrap(keys, block) };
    });
    this.#blocks = Math.min(MOST_BLOCKS, 4 * this.#blocks);
    const results = await this.#options.database.write([
      ...made.map(({ block, wrapped }) => statement(ADD, { block, wrapped })),
      statement(FIND, { blocks: JSON.stringify(made.map(({ block }) => block)) }),
    ]);
    // Looked for, not counted: a commit whose answer was lost is asked for again, and adds nothing then.
    const stored = new Map(results.at(-1)?.rows.map((row) => [Number(row.block), row.wrapped]));
    for (const { block, keys, wrapped } of made) {
      const there = stored.get(block);
      if (there === undefined || !equal(bytesOf(there), wrapped)) continue;
      this.#remember(block, keys);
      for (let number = block * BLOCK; number < (block + 1) * BLOCK; number++) {
        this.#unused.push({ number, bytes: keyIn(keys, number) });
      }
    }
  }

  /** Another process may change the same block: only what was read is written over. */
  async #change(block: number, change: (keys: Uint8Array) => void): Promise<void> {
    const { database } = this.#options;
    for (let tries = 0; tries < TRIES; tries++) {
      const known = await this.#wrapped(block);
      if (known === undefined) return;
      const keys = this.#unwrap(known, block);
      change(keys);
      const isEmpty = keys.every((byte) => byte === 0);
      const wrapped = this.#wrap(keys, block);
      await database.write([
        isEmpty
          ? statement(REMOVE, { block, known })
          : statement(CHANGE, { block, known, wrapped }),
      ]);
      const now = await this.#wrapped(block);
      if (now === undefined || equal(now, wrapped)) {
        if (this.#known.has(block)) this.#remember(block, keys);
        return;
      }
    }
    throw new Error(
      `Cannot change block ${block} of the keys: another process changed it ${TRIES} times meanwhile`,
    );
  }

  async #wrapped(block: number): Promise<Uint8Array | undefined> {
    const { rows: [row] } = await this.#options.database.read(
      statement(FIND, { blocks: JSON.stringify([block]) }),
    );
    return row && bytesOf(row.wrapped);
  }

  #remember(block: number, keys: Uint8Array): void {
    if (this.#known.size >= KNOWN_BLOCKS) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(block, keys);
  }

  #wrap(keys: Uint8Array, block: number): Uint8Array {
    const [first] = this.#options.masterKeys;
    if (first === undefined) throw new Error("Cannot wrap keys: there is no master key");
    return seal(keys, first, placeOf(block));
  }

  #unwrap(wrapped: Uint8Array, block: number): Uint8Array {
    const { masterKeys } = this.#options;
    let cause: unknown;
    for (const master of masterKeys) {
      try {
        return open(wrapped, master, placeOf(block));
      } catch (error) {
        cause = error;
      }
    }
    throw new SealError(
      `Cannot open the keys of this database: ${
        masterKeys.length === 1 ? "the master key is not the one" : "no master key is the one"
      } that they were wrapped with, or block ${block} was changed; PRESCORE_MASTER_KEY or its file must have that key`,
      { cause },
    );
  }
}

function blockOf(number: number): number {
  return Math.floor(number / BLOCK);
}

function keyIn(keys: Uint8Array, number: number): Uint8Array {
  const at = (number % BLOCK) * KEY_BYTES;
  return keys.subarray(at, at + KEY_BYTES);
}

function placeOf(block: number): string {
  return `keys ${block}`;
}

/** As a database gives them, which is by its kind. Throws `TypeError` where it gave none. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`Cannot read ${typeof value} as bytes: the database must give a BLOB`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
