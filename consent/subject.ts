/**
 * What the client's system calls a person, as it is stored: a keyed hash, so that the same person is found again, and nobody who
 * reads the database can tell, or try out, who it is. Two tenants' people have nothing in common.
 */
import { createHmac } from "node:crypto";

/** 64 hexadecimal digits of the person that a tenant calls so. */
export type SubjectHash = (tenant: string, reference: string) => string;

/** HMAC-SHA-256 (RFC 2104) of the tenant and the reference. The key is 32 random bytes. */
export function subjectHash(key: Uint8Array): SubjectHash {
  return (tenant, reference) =>
    createHmac("sha256", key).update(JSON.stringify([tenant, reference]), "utf8").digest("hex");
}
