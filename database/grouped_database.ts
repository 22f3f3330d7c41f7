/**
 * A database whose writers share commits: transactions that are asked for during one turn of the event loop, or while an
 * earlier commit runs, become one. An fsync costs milliseconds in which nothing else happens, so uploads, finished batches and
 * heartbeats had better pay it together. Where the shared transaction fails, each is tried alone, so none suffers for another;
 * but for a lock, which each would wait for again.
 */
import type { InStatement } from "@libsql/client";
import type { Database, Rows, WriteOptions } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import { StoreLockedError } from "./errors.ts";

/** Transactions in one commit. */
const GROUP_LIMIT = 64;

interface Transaction {
  readonly statements: InStatement[];
  readonly options: WriteOptions;
}

type Attempt = PromiseSettledResult<readonly Rows[]>;

export class GroupedDatabase implements Database {
  readonly #database: Database;
  readonly #commits: GroupCommit<Transaction, Attempt>;

  constructor(database: Database, { waitingLimit }: { readonly waitingLimit: number }) {
    this.#database = database;
    this.#commits = new GroupCommit({
      commit: (transactions) => this.#commit(transactions),
      limit: GROUP_LIMIT,
      waitingLimit,
    });
  }

  async write(
    statements: InStatement[],
    options: WriteOptions = {},
  ): Promise<readonly Rows[]> {
    const attempt = await this.#commits.add({ statements, options });
    if (attempt.status === "rejected") throw attempt.reason;
    return attempt.value;
  }

  read(statement: InStatement): Promise<Rows> {
    return this.#database.read(statement);
  }

  close(): void {
    this.#database.close();
  }

  async #commit(transactions: readonly Transaction[]): Promise<Attempt[]> {
    if (transactions.length > 1) {
      try {
        const rows = await this.#database.write(
          transactions.flatMap(({ statements }) => statements),
          { durable: transactions.some(({ options: { durable = true } }) => durable) },
        );
        let at = 0;
        return transactions.map(({ statements }) => ({
          status: "fulfilled",
          value: rows.slice(at, at += statements.length),
        }));
      } catch (error) {
        if (error instanceof StoreLockedError) {
          return transactions.map(() => ({ status: "rejected", reason: error }));
        }
        // Which of them is to blame shows below.
      }
    }
    const attempts: Attempt[] = [];
    for (const { statements, options } of transactions) {
      attempts.push(...await Promise.allSettled([this.#database.write(statements, options)]));
    }
    return attempts;
  }
}
