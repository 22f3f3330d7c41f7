/**
 * `deno task keys`: who may use the service, beside the running service or without it.
 *
 *     keys                                             all keys, without their secrets
 *     keys create --name shop-7 --role submit [--tenant shop-7] [--days 365] [--per-second 50]
 *     keys rotate ID [--hours 24]                      a new key like this one, which goes on for so long
 *     keys revoke ID ...
 *     keys mint                                        a key for PRESCORE_ADMIN_KEY, stored nowhere
 */
import {
  isValid,
  type KeyRecord,
  type KeyStore,
  keyText,
  type NewKey,
  newKey,
  readWantedKey,
  type WantedKey,
  WantedKeyError,
} from "../access/mod.ts";
import { openStores } from "../stores.ts";
import { configFromEnvironment } from "./config.ts";
import { chooseCommand, type Command, main, readOptions, UsageError } from "./main.ts";

const HOUR_MS = 3_600_000;

async function withKeys(work: (keys: KeyStore, actor: string) => Promise<void>): Promise<void> {
  const { store, keys } = await openStores(configFromEnvironment().service, Date.now());
  try {
    await work(keys, `command:${Deno.env.get("USER") ?? Deno.uid() ?? "unknown"}`);
  } finally {
    store.close();
  }
}

const create: Command = (args) => {
  const { values } = readOptions({
    options: {
      name: { type: "string" },
      role: { type: "string" },
      tenant: { type: "string", default: "" },
      days: { type: "string" },
      "per-second": { type: "string" },
    },
  }, args);
  const { "per-second": perSecond, ...wanted } = values;
  const nowMs = Date.now();
  const options = asked({ ...wanted, perSecond }, nowMs);
  return withKeys(async (keys, actor) => {
    const key = newKey(crypto.getRandomValues.bind(crypto));
    await keys.create(key, options, { actor, nowMs });
    show(keyText(key));
  });
};

function asked(wanted: WantedKey, nowMs: number): NewKey {
  try {
    return readWantedKey(wanted, nowMs);
  } catch (error) {
    if (!(error instanceof WantedKeyError)) throw error;
    const option = error.field === "perSecond" ? "per-second" : error.field;
    throw new UsageError(`--${option}: ${error.message}`);
  }
}

const list: Command = () =>
  withKeys(async (keys) => {
    for (const key of await keys.list()) console.log(line(key, Date.now()));
  });

const revoke: Command = (ids) => {
  if (ids.length === 0) throw new UsageError("Cannot revoke: name the keys' ids");
  return withKeys(async (keys, actor) => {
    const left: string[] = [];
    for (const id of ids) {
      if (!await keys.revoke(id, { actor, nowMs: Date.now() })) left.push(id);
    }
    console.log(`${ids.length - left.length} keys revoked`);
    if (left.length > 0) {
      throw new UsageError(`Not there, or revoked before: ${left.join(", ")}`);
    }
  });
};

const rotate: Command = (args) => {
  const { values, positionals: [id] } = readOptions({
    options: { hours: { type: "string", default: "24" } },
    allowPositionals: true,
  }, args);
  const hours = wholeNumber("--hours", values.hours) ?? 24;
  return withKeys(async (keys, actor) => {
    const nowMs = Date.now();
    const old = id === undefined ? undefined : await keys.find(id);
    if (old === undefined || !isValid(old, nowMs)) {
      throw new UsageError(
        `Cannot rotate ${id ?? "nothing"}: name the id of a key that is valid now`,
      );
    }
    const key = newKey(crypto.getRandomValues.bind(crypto));
    await keys.rotate(old, key, { actor, nowMs, untilMs: nowMs + hours * HOUR_MS });
    show(keyText(key));
  });
};

// deno-lint-ignore require-await -- a command is asynchronous
const mint: Command = async () => show(keyText(newKey(crypto.getRandomValues.bind(crypto))));

/** The key alone goes to standard output, so that it can be piped into a secret's file. */
function show(key: string): void {
  console.error("This is shown once; only its hash is kept:");
  console.log(key);
}

function line(key: KeyRecord, nowMs: number): string {
  const state = key.revokedAtMs !== null
    ? `revoked ${day(key.revokedAtMs)}`
    : isValid(key, nowMs)
    ? key.expiresAtMs === null ? "valid" : `valid until ${day(key.expiresAtMs)}`
    : `expired ${day(key.expiresAtMs ?? 0)}`;
  const used = key.lastUsedAtMs === null
    ? "never used"
    : `used ${new Date(key.lastUsedAtMs).toISOString().slice(0, 13)}h`;
  const tenant = key.tenant === "" ? "default tenant" : `tenant ${key.tenant}`;
  return [key.id, key.role, tenant, state, `made ${day(key.createdAtMs)}`, used, key.name]
    .join("  ");
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 1_000_000) return number;
  throw new UsageError(`${option}: current value is ${text}, must be a whole number from 0`);
}

/** The commands by name; without a name the keys are listed. */
export const keys: Command = (args) =>
  chooseCommand({ create, list, rotate, revoke, mint }, "list", args)();

if (import.meta.main) await main(() => keys(Deno.args));
