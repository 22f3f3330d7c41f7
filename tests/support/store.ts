/** A queue in memory or in a file, migrated, for tests. */
import { Connection } from "../../database/connection.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { migrate, readMigrations } from "../../database/migrate.ts";
import type { Vault } from "../../sealing/mod.ts";
import { openVault } from "../../vault.ts";
import "./master_key.ts";
import type { TaskStore } from "../../queue/store.ts";

export interface TestStore extends Disposable {
  readonly store: LibsqlStore;
  readonly connection: Connection;
  readonly vault: Vault;
}

export const LIMITS = { waitingTasks: 1_000_000, waitingTasksPerTenant: 1_000_000 };

export async function openStore(url = ":memory:", limits = LIMITS): Promise<TestStore> {
  const connection = await Connection.open(url);
  await migrate(connection, { migrations: readMigrations(), nowMs: 0 });
  const vault = await openVault({ databaseUrl: url, database: connection });
  return {
    store: new LibsqlStore(connection, { limits, vault }),
    vault,
    connection,
    [Symbol.dispose]() {
      connection.close();
      vault.close();
    },
  };
}

/** A folder that is gone when the test ends. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "prescore-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The result of a task that is done, JSON text. */
export async function resultOf(store: TaskStore, id: string): Promise<string | undefined> {
  return (await store.find(id))?.result ?? undefined;
}
