/**
 * Who answers an application. A hash of its id and of the trial's salt puts it on a place from 0 to 1, and the challenger answers
 * those below its share: the same application is always answered by the same version, a growing share takes none back, and
 * another salt draws anew.
 */
import { createHash } from "node:crypto";

export interface Split {
  /** Of applications that the challenger answers, 0 to 1. */
  readonly share: number;
  readonly salt: string;
}

export function isForChallenger(id: string, { share, salt }: Split): boolean {
  return share > 0 && placeOf(id, salt) < share;
}

/** Uniform in [0, 1) over ids: 32 bits of SHA-256. */
export function placeOf(id: string, salt: string): number {
  const hash = createHash("sha256").update(`${salt}\n${id}`, "utf8").digest();
  return hash.readUInt32BE(0) / 2 ** 32;
}
