/** Who may use the service, and how much: keys, roles, sessions of the console, and token buckets. */
export { type Allowance, type Buckets, LocalBuckets, type Rate } from "./bucket.ts";
export { actorOf, ANYONE, type Caller, type Tenant } from "./caller.ts";
export { type Key, keyText, newKey, parseKey } from "./key.ts";
export { type KeyRecord, KeyStore, type NewKey } from "./key_store.ts";
export { bearerKey, Keyring } from "./keyring.ts";
export { type Action, mayDo, type Role, ROLE_NAMES, roleNamed, ROLES } from "./roles.ts";
export { isCsrfTokenOf, type Session, Sessions } from "./sessions.ts";
export { SharedBuckets } from "./shared_buckets.ts";
export { isLoopback, needsNoKey, refuseToStandOpen } from "./open.ts";
export { isValid, readWantedKey, type WantedKey, WantedKeyError } from "./wanted.ts";
