/** Encryption at rest: see `vault.ts` for the keys and `bodies.ts` for what is sealed under them. */
export { openBodies, packed, sealBody, type StoredBody, tryOpenBodies } from "./bodies.ts";
export { KEY_BYTES, SealError } from "./envelope.ts";
export { type DataKey, Vault, type VaultOptions } from "./vault.ts";
