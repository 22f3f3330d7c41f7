/** A queue ready for use: the database opened, its file's folder made, its schema brought up to date. */
import { ConfigError, type Service, withoutSecrets } from "../configs/mod.ts";
import { Connection } from "./connection.ts";
import { GroupedDatabase } from "./grouped_database.ts";
import { LibsqlStore } from "./libsql_store.ts";
import { migrate, readMigrations } from "./migrate.ts";

/** Transactions that may wait for a commit: far more than uploads, lanes, heartbeats and a rescue ever make. */
const WAITING_LIMIT = 1000;

/** Throws `ConfigError` where the database cannot be used. */
export async function openStore(
  { databaseUrl: url, limits }: Pick<Service, "databaseUrl" | "limits">,
  nowMs: number,
): Promise<LibsqlStore> {
  let connection: Connection | undefined;
  try {
    await makeFolder(url);
    connection = await Connection.open(url);
    await migrate(connection, { migrations: readMigrations(), nowMs });
    const grouped = new GroupedDatabase(connection, { waitingLimit: WAITING_LIMIT });
    return new LibsqlStore(grouped, limits);
  } catch (error) {
    connection?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`Cannot use the database ${withoutSecrets(url)}: ${reason}`, {
      cause: error,
    });
  }
}

/** The library creates the file but not its folder. */
async function makeFolder(url: string): Promise<void> {
  const path = /^file:(?:\/\/(?:localhost)?(?=\/))?([^?]*)\/[^/?]+(?:\?.*)?$/.exec(url)?.[1];
  if (path) await Deno.mkdir(decodeURIComponent(path), { recursive: true });
}
