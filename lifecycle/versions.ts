/** A version of the models as it lies in the folder of models; who reads it there is injected. */
import { createHash } from "node:crypto";
import type { VersionView } from "./views.ts";

export interface FoundVersion {
  readonly version: string;
  /** Each file that the manifest names, the manifest and the card: file name -> SHA-256. */
  readonly files: Readonly<Record<string, string>>;
  readonly banks: VersionView["banks"];
  /** The heading and the first paragraph of the card. */
  readonly card?: string;
  /** Why it cannot serve, as far as that shows without loading it. */
  readonly problem?: string;
}

export interface VersionFolder {
  /** Names of the folders that hold a manifest. */
  names(): Promise<readonly string[]>;
  /** Rejects where the manifest or a file that it names cannot be read. */
  read(version: string): Promise<FoundVersion>;
  /** MODEL_CARD.md; `undefined` where there is none. */
  card(version: string): Promise<string | undefined>;
}

/** The name of a version, which is a path's segment too: nothing in it leads elsewhere. */
export const VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Over the names and hashes of all files. */
export function versionSha256(files: FoundVersion["files"]): string {
  const sorted = Object.entries(files).sort(([a], [b]) => a < b ? -1 : 1);
  return createHash("sha256").update(JSON.stringify(sorted), "utf8").digest("hex");
}

/** The names of the files that differ, are new, or are gone. */
export function changedFiles(was: FoundVersion["files"], is: FoundVersion["files"]): string[] {
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((file) => was[file] !== is[file]).sort();
}
