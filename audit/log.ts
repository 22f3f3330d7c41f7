/**
 * The audit log in the database: entries are appended together with what they speak of, in one transaction, and read back.
 *
 * SQL has no hash, and a server takes no transaction that waits for us; so the entry is computed here from the head as it was
 * read, and a trigger refuses it, with everything in its transaction, where the head has moved on. Then it is all done again. That
 * makes the log the order of all changes that are audited: what `change` read before it decided was still so when it was stored.
 */
import type { InStatement } from "@libsql/client";
import { type Database, statement } from "../database/database.ts";
import { StoreError } from "../database/errors.ts";
import { EMPTY, type Entry, type Head, type NewEntry, nextEntry } from "./entry.ts";

/** As the trigger of the migration says it. */
const MOVED_ON = "the audit log has moved on";

/** Each means that another process has appended; so many in a row are a fault. */
const MOST_TRIES = 100;

const HEAD = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";

const APPEND = `
  INSERT INTO audit (sequence, id, at_ms, actor, action, subject, details, previous_hash, hash)
  VALUES (:sequence, :id, :atMs, :actor, :action, :subject, :details, :previousHash, :hash)`;

const AT = "SELECT hash FROM audit WHERE sequence = :sequence";

const AFTER = "SELECT * FROM audit WHERE sequence > :after ORDER BY sequence LIMIT :limit";

const LATEST = "SELECT * FROM audit WHERE sequence < :before ORDER BY sequence DESC LIMIT :limit";

const LATEST_OF = `
  SELECT * FROM audit WHERE subject = :subject AND sequence < :before
  ORDER BY sequence DESC LIMIT :limit`;

const PAGE = 1000;

/** What is to be stored, and the entry that says so. */
export interface Change {
  readonly entry: NewEntry;
  /** Run before the entry is appended, in its transaction; none where there is nothing but the entry. */
  readonly statements?: readonly InStatement[];
}

/** As `Change`, with any number of entries; where there are none, nothing is stored. */
export interface Changes extends Omit<Change, "entry"> {
  readonly entries: readonly NewEntry[];
}

export interface PageOptions {
  /** Entries before this sequence alone: the last one's of the page before. */
  readonly before?: number;
  readonly limit: number;
  /** Entries about this alone. */
  readonly subject?: string;
}

export interface AuditLogOptions {
  readonly database: Database;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Random, such as a UUID. */
  readonly newId: () => string;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  /** Those of this process take turns: they would only refuse one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /**
   * Appends the entry and runs the statements, both or neither. The statements must do the same whatever was stored meanwhile, or
   * fail. Rejects as the statements do, and with `TypeError` where the entry cannot be kept.
   */
  append(entry: NewEntry, statements: readonly InStatement[] = []): Promise<Entry> {
    return this.change(() => Promise.resolve({ entry, statements }));
  }

  /**
   * As `append`, for a change that depends on what is stored: `plan` reads, and decides or throws. Where any other entry was
   * appended since, nothing is stored and `plan` is asked again.
   */
  async change(plan: () => Promise<Change>): Promise<Entry> {
    const [entry] = await this.changeEach(async () => {
      const { entry, ...change } = await plan();
      return { ...change, entries: [entry] };
    });
    if (entry === undefined) throw new Error("a change of one entry appended none");
    return entry;
  }

  /** As `change`, for what takes several entries, or, as it turns out, none. */
  async changeEach(plan: () => Promise<Changes>): Promise<Entry[]> {
    const turn = this.#last.then(() => this.#change(plan));
    this.#last = turn.catch(() => {});
    return await turn;
  }

  async #change(plan: () => Promise<Changes>): Promise<Entry[]> {
    const { database, now, newId } = this.#options;
    for (let attempt = 1;; attempt++) {
      let head: Head = await this.head();
      const { entries, statements = [] } = await plan();
      const next: Entry[] = [];
      for (const entry of entries) {
        const appended = nextEntry(entry, { head, id: newId(), atMs: now() });
        next.push(appended);
        head = appended;
      }
      if (next.length === 0) return next;
      try {
        await database.write([
          ...statements,
          ...next.map((entry) => statement(APPEND, { ...entry })),
        ]);
        return next;
      } catch (error) {
        if (!(error instanceof StoreError) || !error.message.includes(MOVED_ON)) throw error;
        // A commit whose answer was lost is asked for again, and finds itself.
        if (await this.#hashAt(head.sequence) === head.hash) return next;
        if (attempt >= MOST_TRIES) throw error;
      }
    }
  }

  async head(): Promise<Head> {
    const { rows: [row] } = await this.#options.database.read(HEAD);
    return row === undefined ? EMPTY : { sequence: Number(row.sequence), hash: String(row.hash) };
  }

  /** The latest entries, the last one first. */
  async page({ before = Number.MAX_SAFE_INTEGER, limit, subject }: PageOptions): Promise<Entry[]> {
    const { rows } = await this.#options.database.read(
      subject === undefined
        ? statement(LATEST, { before, limit })
        : statement(LATEST_OF, { subject, before, limit }),
    );
    return rows.map(entryOf);
  }

  /** Every entry, the first one first. */
  async *entries(): AsyncGenerator<Entry> {
    for (let after = 0;;) {
      const { rows } = await this.#options.database.read(statement(AFTER, { after, limit: PAGE }));
      yield* rows.map(entryOf);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = Number(last.sequence);
    }
  }

  async #hashAt(sequence: number): Promise<string | undefined> {
    const { rows: [row] } = await this.#options.database.read(statement(AT, { sequence }));
    return row && String(row.hash);
  }
}

function entryOf(row: Readonly<Record<string, unknown>>): Entry {
  return {
    sequence: Number(row.sequence),
    id: String(row.id),
    atMs: Number(row.at_ms),
    actor: String(row.actor),
    action: String(row.action),
    subject: String(row.subject),
    details: String(row.details),
    previousHash: String(row.previous_hash),
    hash: String(row.hash),
  };
}
