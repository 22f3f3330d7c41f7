/** A queue on a libSQL server, empty and migrated, for tests: on the test server, or on one that the environment names. */
import { type HranaServerOptions, startHranaServer } from "./hrana_server.ts";
import { openStore, temporaryFolder, type TestStore } from "./store.ts";

export interface RemoteTestStore
  extends Pick<TestStore, "store" | "connection" | "vault">, AsyncDisposable {}

export async function openRemoteStore(
  { fault }: Pick<HranaServerOptions, "fault"> = {},
): Promise<RemoteTestStore> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const server = resources.use(await startHranaServer({ path: `${folder.path}/queue.db`, fault }));
  const { store, connection, vault } = resources.use(await openStore(server.url));
  const running = resources.move();
  return { store, connection, vault, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Opens the server at `url` with every table of an earlier test dropped. */
export async function openEmptied(url: string): Promise<TestStore> {
  using before = await openStore(url);
  const { rows } = await before.connection.read(
    "SELECT name FROM sqlite_schema WHERE type = 'table' " +
      "AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'libsql_*' AND name NOT GLOB '_*'",
  );
  // Later tables refer to earlier ones.
  await before.connection.write([...rows].reverse().map(({ name }) => `DROP TABLE "${name}"`));
  return await openStore(url);
}
