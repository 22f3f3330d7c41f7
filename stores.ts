/** The database ready for use, with all that is kept in it: opened, its file's folder made, its schema brought up to date. */
import { KeyStore } from "./access/mod.ts";
import { FactStore, OutcomeStore } from "./analytics/mod.ts";
import { AuditLog } from "./audit/mod.ts";
import { ConfigError, type Service, withoutSecrets } from "./configs/mod.ts";
import { systemClock } from "./clock.ts";
import { Connection, filePath } from "./database/connection.ts";
import type { Database } from "./database/database.ts";
import { GroupedDatabase } from "./database/grouped_database.ts";
import { ConsentStore } from "./consent/mod.ts";
import { Erasure } from "./privacy/mod.ts";
import { LibsqlBatches } from "./queue/libsql_batches.ts";
import { LibsqlStore } from "./queue/libsql_store.ts";
import { migrate, readMigrations } from "./database/migrate.ts";
import type { Vault } from "./sealing/mod.ts";
import { openVault } from "./vault.ts";
import { WebhookStore } from "./queue/webhook_store.ts";

/** Transactions that may wait for a commit: far more than uploads, lanes, heartbeats and a rescue ever make. */
const WAITING_LIMIT = 1000;

/** All that is kept in one database. */
export interface Stores {
  readonly store: LibsqlStore;
  readonly batches: LibsqlBatches;
  readonly webhooks: WebhookStore;
  readonly audit: AuditLog;
  readonly keys: KeyStore;
  readonly outcomes: OutcomeStore;
  readonly facts: FactStore;
  readonly consents: ConsentStore;
  readonly erasure: Erasure;
  readonly vault: Vault;
  readonly database: Database;
}

/** Closing the store closes all. Throws `ConfigError` where the database cannot be used. */
export async function openStores(
  { databaseUrl: url, limits }: Pick<Service, "databaseUrl" | "limits">,
  nowMs: number,
): Promise<Stores> {
  let connection: Connection | undefined;
  let vault: Vault | undefined;
  try {
    await makeFolder(url);
    connection = await Connection.open(url);
    await migrate(connection, { migrations: readMigrations(), nowMs });
    vault = await openVault({ databaseUrl: url, database: connection });
    const parts = { limits, vault };
    const database = new GroupedDatabase(connection, { waitingLimit: WAITING_LIMIT });
    const audit = new AuditLog({
      database,
      now: systemClock.now,
      newId: () => crypto.randomUUID(),
    });
    const erasure = new Erasure({ database, audit, vault, databaseUrl: url });
    await erasure.destroySpent();
    return {
      database,
      audit,
      keys: new KeyStore(database, audit),
      outcomes: new OutcomeStore(database),
      facts: new FactStore(database),
      consents: new ConsentStore(database, audit),
      vault,
      erasure,
      store: new LibsqlStore(database, parts),
      batches: new LibsqlBatches(database, parts),
      webhooks: new WebhookStore(database),
    };
  } catch (error) {
    vault?.close();
    connection?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`Cannot use the database ${withoutSecrets(url)}: ${reason}`, {
      cause: error,
    });
  }
}

/** The library creates the file but not its folder. */
async function makeFolder(url: string): Promise<void> {
  const folder = filePath(url)?.replace(/[^/]*$/, "");
  if (folder) await Deno.mkdir(folder, { recursive: true });
}
