/** Keys in a test's database, and the application that asks for them. */
import {
  Keyring,
  KeyStore,
  keyText,
  LocalBuckets,
  type NewKey,
  newKey,
  type Rate,
  type Role,
} from "../../access/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import type { Database } from "../../database/database.ts";
import { openApp, type TestApp, type TestAppOptions } from "./app.ts";

export const FRESH_MS = 3000;
const ENDLESS: Rate = { perSecond: 1_000_000, burst: 1_000_000 };

export function keyStore(database: Database, now: () => number = () => 0): KeyStore {
  let entries = 0;
  return new KeyStore(database, new AuditLog({ database, now, newId: () => `entry ${entries++}` }));
}

/** A new key, stored; its text. */
export async function makeKey(
  keys: KeyStore,
  { name = "test", role = "submit", tenant = "", ...rest }: Partial<NewKey> = {},
): Promise<string> {
  const key = newKey((bytes) => crypto.getRandomValues(bytes));
  await keys.create(key, { name, role, tenant, ...rest }, { actor: "test", nowMs: 0 });
  return keyText(key);
}

export function bearer(key: string): { Authorization: string } {
  return { Authorization: `Bearer ${key}` };
}

export interface KeyedApp extends TestApp {
  readonly keys: KeyStore;
  readonly keyring: Keyring;
  /** The headers of a new key. */
  as(role: Role, tenant?: string): Promise<{ Authorization: string }>;
}

/** An application that takes no request without a key. */
export async function openKeyedApp(
  { rate = ENDLESS, ...options }: TestAppOptions & { readonly rate?: Rate } = {},
): Promise<KeyedApp> {
  let made: { keys: KeyStore; keyring: Keyring } | undefined;
  const app = await openApp({
    ...options,
    access({ connection, clock }) {
      const keys = keyStore(connection, () => clock.now());
      const keyring = new Keyring({
        ...{ store: keys, clock, freshMs: FRESH_MS },
        report: (error) => {
          throw error;
        },
      });
      made = { keys, keyring };
      return { keyring, rate, needsNoKey: () => false, buckets: new LocalBuckets(clock) };
    },
  });
  if (made === undefined) throw new Error("the application asked for no access");
  const { keys, keyring } = made;
  return {
    ...app,
    keys,
    keyring,
    as: async (role, tenant = "") => bearer(await makeKey(keys, { role, tenant })),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
