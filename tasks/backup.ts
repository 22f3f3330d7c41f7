/**
 * `deno task backup --to FILE`: a copy of the database in a file, made while the service runs. SQLite writes it in one read
 * transaction, so it is a state that the database had, compact, and complete without its write-ahead log; it is checked before
 * it takes its name. A database on a server has that server's own backups.
 */
import { ConfigError } from "../configs/mod.ts";
import { isRemote } from "../queue/connection.ts";
import { configFromEnvironment } from "./config.ts";
import { main, readOptions, UsageError } from "./main.ts";

/** Throws `UsageError` or `ConfigError`, with nothing left at `--to`, where no good copy can be made. */
export async function backup(args: readonly string[]): Promise<void> {
  const { values: { to } } = readOptions({ options: { to: { type: "string" } } }, args);
  if (!to) throw new UsageError("Cannot back up: --to must name the file to write");
  if (await exists(to)) throw new UsageError(`Cannot back up: ${to} is there already`);
  const { databaseUrl } = configFromEnvironment().service;
  if (isRemote(databaseUrl)) {
    throw new ConfigError("Cannot back up a database on a server: use the server's own backups");
  }
  const partial = `${to}.partial`;
  await remove(partial);
  try {
    await copyDatabase(databaseUrl, partial);
    await Deno.rename(partial, to);
  } catch (error) {
    await remove(partial);
    throw new ConfigError(
      `Cannot back up ${databaseUrl.split("?")[0]} to ${to}: ` +
        (error instanceof Error ? error.message : error),
      { cause: error },
    );
  }
  console.log(`${(await Deno.stat(to)).size} bytes in ${to}`);
}

async function copyDatabase(url: string, to: string): Promise<void> {
  // The native library, which a service with a database on a server does not load.
  const { createClient } = await import("@libsql/client");
  const path = url.slice("file:".length).split("?")[0] ?? "";
  // The library would make an empty database.
  await Deno.stat(path.startsWith("//") ? new URL(url) : path);
  const source = createClient({ url });
  try {
    await source.execute({ sql: "VACUUM INTO ?", args: [to] });
  } finally {
    source.close();
  }
  const file = await Deno.open(to, { read: true, write: true });
  await file.sync();
  file.close();
  const copy = createClient({ url: `file:${to}` });
  try {
    const { rows } = await copy.execute("PRAGMA integrity_check");
    if (rows[0]?.integrity_check !== "ok") {
      throw new Error(`the copy is damaged: ${rows[0]?.integrity_check}`);
    }
  } finally {
    copy.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

if (import.meta.main) await main(() => backup(Deno.args));
