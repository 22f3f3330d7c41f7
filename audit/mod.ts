/**
 * The audit log: who did what, in an append-only chain of hashes. `AuditLog.append` commits an entry together with the change that
 * it speaks of; `verify` finds what was changed afterwards.
 */
export {
  applicationSubject,
  EMPTY,
  type Entry,
  type Head,
  headText,
  type Json,
  type NewEntry,
  parseHead,
} from "./entry.ts";
export {
  AuditLog,
  type AuditLogOptions,
  type Change,
  type Changes,
  type PageOptions,
} from "./log.ts";
export { type Verified, verify } from "./verify.ts";
