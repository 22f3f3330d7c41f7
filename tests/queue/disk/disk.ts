/** A process on the disk of `disk.c`: how to start one, how to make its calls fail, and what a power cut may leave of its files. */
import assert from "node:assert/strict";
import type { Random } from "../simulation/random.ts";

/** The files by their number in the log. */
const FILES = ["queue.db", "queue.db-wal", "queue.db.acks"] as const;
const ACKS = 2;
const HEAD_BYTES = 18;
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

/** Compiles the disk; the variables that put a process on it, with its files in `folder`. */
export async function diskEnvironment(folder: string): Promise<Record<string, string>> {
  const library = `${folder}/disk.so`;
  const source = new URL("disk.c", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return { LD_PRELOAD: library, PRESCORE_DISK: folder };
}

export type FailingCalls = "writes" | "syncs" | "reads";

/** Linux's numbers. */
export const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;

/** Makes calls of a kind fail, for every process on the disk, until the returned function is called. */
export function failing(
  folder: string,
  { calls, errno }: { readonly calls: FailingCalls; readonly errno: keyof typeof ERRNO },
): () => void {
  Deno.writeTextFileSync(`${folder}/fault.new`, `${calls[0]}${ERRNO[errno]}`);
  Deno.renameSync(`${folder}/fault.new`, `${folder}/fault`);
  return () => Deno.removeSync(`${folder}/fault`);
}

interface Operation {
  readonly kind: "write" | "truncate" | "sync";
  readonly file: number;
  /** Of a write; the new length of a truncation. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export function readLog(folder: string): readonly Operation[] {
  const log = Deno.readFileSync(`${folder}/log`);
  const view = new DataView(log.buffer);
  const operations: Operation[] = [];
  for (let at = 0; at < log.length;) {
    const letter = String.fromCharCode(view.getUint8(at));
    const length = letter === "w" ? Number(view.getBigUint64(at + 10, true)) : 0;
    operations.push({
      kind: letter === "w" ? "write" : letter === "t" ? "truncate" : "sync",
      file: view.getUint8(at + 1) - 1,
      offset: Number(view.getBigUint64(at + 2, true)),
      bytes: log.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length),
    });
    at += HEAD_BYTES + length;
  }
  return operations;
}

/** A file as the disk has it, and what it was told since the last sync. */
class DiskFile {
  durable = new Uint8Array();
  pending: Operation[] = [];

  take(operation: Operation): void {
    if (operation.kind !== "sync") {
      this.pending.push(operation);
      return;
    }
    for (const each of this.pending) this.durable = applied(this.durable, each);
    this.pending = [];
  }
}

/** What was not synced is gone (`lost`), or there in part: some writes, and of those some sectors (`torn`). */
export type Damage = "lost" | "torn";

/** Plays a log up to one moment after another, and says what a power cut at each leaves. */
export class PowerCuts {
  readonly #operations: readonly Operation[];
  readonly #files = FILES.map(() => new DiskFile());
  #at = 0;
  #promised = "";

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  /** Goes on to before the operation `at`; never back. */
  advance(at: number): void {
    for (const operation of this.#operations.slice(this.#at, at)) {
      // The notes are the test's own memory, not the disk's.
      if (operation.file === ACKS) this.#promised += new TextDecoder().decode(operation.bytes);
      else this.#files[operation.file]?.take(operation);
    }
    this.#at = at;
  }

  /** What had been promised by now: lines `task ID` and `result ID`. */
  get promised(): readonly string[] {
    return this.#promised.split("\n").filter(Boolean);
  }

  /** Writes the files that are left into `folder`. */
  cut(folder: string, { damage, random }: { damage: Damage; random: Random }): void {
    for (const [index, { durable, pending }] of this.#files.entries()) {
      let bytes = durable.slice();
      if (damage === "torn") {
        for (const operation of pending) {
          if (random.chance(0.5)) bytes = torn(bytes, operation, random);
        }
      }
      if (index !== ACKS) Deno.writeFileSync(`${folder}/${FILES[index]}`, bytes);
    }
  }
}

function applied(file: Uint8Array<ArrayBuffer>, { kind, offset, bytes }: Operation) {
  const length = kind === "truncate" ? offset : Math.max(file.length, offset + bytes.length);
  const next = new Uint8Array(length);
  next.set(file.subarray(0, length));
  if (kind === "write") next.set(bytes, offset);
  return next;
}

function torn(file: Uint8Array<ArrayBuffer>, operation: Operation, random: Random) {
  if (operation.kind !== "write") return applied(file, operation);
  let next = file;
  for (let at = 0; at < operation.bytes.length; at += SECTOR_BYTES) {
    const bytes = operation.bytes.subarray(at, at + SECTOR_BYTES);
    if (random.chance(0.5)) {
      next = applied(next, { ...operation, offset: operation.offset + at, bytes });
    }
  }
  return next;
}
