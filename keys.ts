/** What both roots share: who may use the service, by the keys in its database and the first administrator's from the environment. */
import {
  Keyring,
  LocalBuckets,
  needsNoKey,
  parseKey,
  refuseToStandOpen,
  Sessions,
  SharedBuckets,
} from "./access/mod.ts";
import type { Key } from "./access/mod.ts";
import type { Clock } from "./clock.ts";
import { ConfigError, type Service } from "./configs/mod.ts";
import { isRemote } from "./database/connection.ts";
import type { AccessOptions } from "./routes/access.ts";
import type { SignInOptions } from "./routes/sign_in.ts";
import type { Stores } from "./stores.ts";

/** After which another process's revocation is noticed. */
const FRESH_MS = 3000;

export interface AccessParts extends Pick<Stores, "database" | "keys" | "audit"> {
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
}

export interface Access {
  readonly access: AccessOptions;
  readonly signIn: SignInOptions;
}

/** Throws `ConfigError` where others could reach a service that nobody has a key for. */
export async function accessTo(service: Service, parts: AccessParts): Promise<Access> {
  const { database, keys, audit, clock, report } = parts;
  const adminKey = adminKeyFromEnvironment();
  const keyring = new Keyring({ store: keys, clock, freshMs: FRESH_MS, adminKey, report });
  if (service.role !== "worker") await refuseToStandOpen(service, keyring);
  return {
    access: {
      keyring,
      needsNoKey: needsNoKey(service, keyring),
      buckets: isRemote(service.databaseUrl)
        ? new SharedBuckets(database, clock)
        : new LocalBuckets(clock),
      rate: service.limits.requestsPerKey,
    },
    signIn: {
      sessions: new Sessions({
        ...{ database, keyring, now: clock.now },
        random: (bytes) => crypto.getRandomValues(bytes),
      }),
      record: (entry) => audit.append(entry),
    },
  };
}

/** Of PRESCORE_ADMIN_KEY, or of the file that PRESCORE_ADMIN_KEY_FILE names. Throws `ConfigError`, without the key in it. */
function adminKeyFromEnvironment(): Key | undefined {
  const file = Deno.env.get("PRESCORE_ADMIN_KEY_FILE");
  const from = file ? `the file ${file}` : "PRESCORE_ADMIN_KEY";
  const text = file ? readKeyFile(file) : Deno.env.get("PRESCORE_ADMIN_KEY");
  if (!text) return undefined;
  const key = parseKey(text.trim());
  if (key !== undefined) return key;
  throw new ConfigError(
    `Cannot use the key in ${from}: it must be psk_, 4 to 16 lower case letters or digits, _, and 64 hexadecimal ` +
      "digits, such as `deno task keys mint` makes",
  );
}

function readKeyFile(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new ConfigError(
      `Cannot read PRESCORE_ADMIN_KEY_FILE: ${error instanceof Error ? error.message : error}`,
    );
  }
}
