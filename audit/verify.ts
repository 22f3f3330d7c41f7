/**
 * Whether a log is as it was written: every entry has its number, the hash of the one before it, and the hash of what it says.
 *
 * Known limit: whoever can write to the database can write a whole log anew, or cut off its end. That shows only against a head
 * that was kept where he cannot write, so export one regularly; what came after the last exported head is protected from changes in the
 * middle alone.
 */
import { EMPTY, type Entry, hashOf, type Head } from "./entry.ts";

export interface Verified {
  readonly head: Head;
  /** The first thing that is wrong, as a sentence; absent where nothing is. */
  readonly fault?: string;
}

/** `kept` was the head of this log once: the log must hold it still. */
export async function verify(
  entries: AsyncIterable<Entry>,
  kept: Head = EMPTY,
): Promise<Verified> {
  let head = EMPTY;
  for await (const entry of entries) {
    const fault = faultOf(entry, head) ?? againstKept(entry, kept);
    if (fault !== undefined) return { head, fault };
    head = { sequence: entry.sequence, hash: entry.hash };
  }
  if (head.sequence >= kept.sequence) return { head };
  return {
    head,
    fault: `the log ends with entry ${head.sequence}, and must have entry ${kept.sequence}: ` +
      "its end was cut off",
  };
}

function faultOf(entry: Entry, head: Head): string | undefined {
  const wanted = head.sequence + 1;
  if (entry.sequence !== wanted) {
    return `entry ${wanted} is missing: entry ${entry.sequence} follows entry ${head.sequence}`;
  }
  if (entry.previousHash !== head.hash) {
    return `entry ${wanted} follows an entry with hash ${entry.previousHash}, and the one before it has ` +
      `${head.hash}: it was put there, moved, or the one before was changed`;
  }
  const hash = hashOf(entry);
  return hash === entry.hash
    ? undefined
    : `entry ${wanted} has hash ${entry.hash}, must be ${hash} for what it says: it was changed`;
}

function againstKept({ sequence, hash }: Entry, kept: Head): string | undefined {
  return sequence !== kept.sequence || hash === kept.hash
    ? undefined
    : `entry ${sequence} has hash ${hash}, and had ${kept.hash} when that head was kept: ` +
      "the log was written anew";
}
