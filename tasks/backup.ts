/**
 * `deno task backup --to FILE`: a copy of the database in a file, made while the service runs. What applicants answered is sealed in it
 * under keys that are elsewhere: with `--keys-to FILE` they are copied too, after the database, so that all that it has can be read.
 * Keep that copy apart, and no more than the last one: an older copy of the keys still reads what was erased since. SQLite writes it in one read
 * transaction, so it is a state that the database had, compact, and complete without its write-ahead log; it is checked before
 * it takes its name. A database on a server has that server's own backups.
 */
import { ConfigError } from "../configs/mod.ts";
import { filePath, isRemote } from "../database/connection.ts";
import { keysUrlOf } from "../vault.ts";
import { configFromEnvironment } from "./config.ts";
import { main, readOptions, UsageError } from "./main.ts";

/** Throws `UsageError` or `ConfigError`, with nothing left at `--to`, where no good copy can be made. */
export async function backup(args: readonly string[]): Promise<void> {
  const { values: { to, "keys-to": keysTo } } = readOptions({
    options: { to: { type: "string" }, "keys-to": { type: "string" } },
  }, args);
  if (!to) throw new UsageError("Cannot back up: --to must name the file to write");
  const { databaseUrl } = configFromEnvironment().service;
  await copyTo(databaseUrl, to);
  if (keysTo) await copyTo(keysUrlOf(databaseUrl) ?? "", keysTo);
}

async function copyTo(databaseUrl: string, to: string): Promise<void> {
  if (await exists(to)) throw new UsageError(`Cannot back up: ${to} is there already`);
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
  const { default: Native } = await import("libsql");
  const path = filePath(url) ?? "";
  // The library would make an empty database.
  await Deno.stat(path);
  const source = new Native(path);
  try {
    source.prepare("VACUUM INTO ?").run(to);
  } finally {
    source.close();
  }
  const file = await Deno.open(to, { read: true, write: true });
  await file.sync();
  file.close();
  const copy = new Native(to);
  try {
    const found = JSON.stringify(copy.prepare("PRAGMA integrity_check").all());
    if (found !== '[{"integrity_check":"ok"}]') throw new Error(`the copy is damaged: ${found}`);
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
