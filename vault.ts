/**
 * The vault as the environment describes it. The master key is 64 hexadecimal digits in PRESCORE_MASTER_KEY or in the file that
 * PRESCORE_MASTER_KEY_FILE names; several are apart by commas: the first wraps, the others still unwrap. Where neither is set, a
 * service with its database in a file makes one beside that file, for its owner alone to read. The keys of applications lie in the
 * database of PRESCORE_KEYS_URL; else, of a file, in `<database>.keys.db`, and of a server in the same database.
 */
import { ConfigError, type Service, withoutSecrets } from "./configs/mod.ts";
import { Connection, filePath, isRemote } from "./database/connection.ts";
import type { Database } from "./database/database.ts";
import { madeKey, parseKey, readKey } from "./key_files.ts";
import { Vault } from "./sealing/mod.ts";

/** Throws `ConfigError` where there is no master key, or it is the wrong one. */
export async function openVault(
  { databaseUrl, database }: Pick<Service, "databaseUrl"> & { readonly database: Database },
): Promise<Vault> {
  const masterKeys = masterKeysOf(databaseUrl);
  const url = keysUrlOf(databaseUrl);
  if (url === undefined) {
    console.error(
      "The keys of applications lie in the database that they seal: PRESCORE_KEYS_URL can name another",
    );
    return await Vault.open({ masterKeys, isFile: false, database: bound(database) });
  }
  const connection = await Connection.open(url);
  try {
    return await Vault.open({ masterKeys, isFile: !isRemote(url), database: connection });
  } catch (error) {
    connection.close();
    throw new ConfigError(
      `Cannot use the keys in ${withoutSecrets(url)}: ${
        error instanceof Error ? error.message : error
      }`,
      { cause: error },
    );
  }
}

/** Where the keys of applications lie; `undefined`: in the database itself. */
export function keysUrlOf(databaseUrl: string): string | undefined {
  const named = Deno.env.get("PRESCORE_KEYS_URL");
  if (named) return named;
  if (databaseUrl === ":memory:") return databaseUrl;
  const path = filePath(databaseUrl);
  return path === undefined ? undefined : `file:${encodeURI(path)}.keys.db`;
}

/** Of the same database, which its owner closes. */
function bound(database: Database): Database {
  return {
    write: (statements, options) => database.write(statements, options),
    read: (statement) => database.read(statement),
    close() {},
  };
}

function masterKeysOf(databaseUrl: string): readonly Uint8Array[] {
  const text = Deno.env.get("PRESCORE_MASTER_KEY");
  if (text) return parseEach(text, "PRESCORE_MASTER_KEY");
  const named = Deno.env.get("PRESCORE_MASTER_KEY_FILE");
  if (named) return parseEach(readKey(named, "PRESCORE_MASTER_KEY_FILE"), named);
  if (databaseUrl === ":memory:") return [crypto.getRandomValues(new Uint8Array(32))];
  const path = filePath(databaseUrl);
  if (path !== undefined) return parseEach(madeKey(`${path}.master-key`), `${path}.master-key`);
  throw new ConfigError(
    "Cannot seal what is kept on a server: PRESCORE_MASTER_KEY must be 64 hexadecimal digits, such as " +
      "`openssl rand -hex 32` makes, or PRESCORE_MASTER_KEY_FILE name a file of them",
  );
}

function parseEach(text: string, from: string): Uint8Array[] {
  return text.split(",").map((key) => parseKey(key, from));
}
