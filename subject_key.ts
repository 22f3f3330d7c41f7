/**
 * The key by which references of persons are hashed: 64 hexadecimal digits in PRESCORE_SUBJECT_KEY or in the file that
 * PRESCORE_SUBJECT_KEY_FILE names. Where neither is set, a service with its database in a file makes one beside that file, for its
 * owner alone to read. Whoever loses the key finds no person's applications any more; a backup of the database does not have it.
 */
import { type SubjectHash, subjectHash } from "./consent/mod.ts";
import type { Service } from "./configs/mod.ts";
import { filePath } from "./database/connection.ts";
import { madeKey, parseKey, readKey } from "./key_files.ts";

/** `undefined` where there is neither a key nor a place for one. Throws `ConfigError`, without the key in it. */
export function subjectHashOf(
  { databaseUrl }: Pick<Service, "databaseUrl">,
): SubjectHash | undefined {
  const text = Deno.env.get("PRESCORE_SUBJECT_KEY");
  if (text) return subjectHash(parseKey(text, "PRESCORE_SUBJECT_KEY"));
  const named = Deno.env.get("PRESCORE_SUBJECT_KEY_FILE");
  if (named) return subjectHash(parseKey(readKey(named, "PRESCORE_SUBJECT_KEY_FILE"), named));
  const database = filePath(databaseUrl);
  if (database === undefined) return undefined;
  const file = `${database}.subject-key`;
  let key: Uint8Array | undefined;
  // Made when a reference first comes: most services are never sent one.
  return (tenant, reference) =>
    subjectHash(key ??= parseKey(madeKey(file), file))(tenant, reference);
}
