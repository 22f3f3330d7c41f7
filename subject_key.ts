/**
 * The key by which references of persons are hashed: 64 hexadecimal digits in PRESCORE_SUBJECT_KEY or in the file that
 * PRESCORE_SUBJECT_KEY_FILE names. Where neither is set, a service with its database in a file makes one beside that file, for its
 * owner alone to read. Whoever loses the key finds no person's applications any more; a backup of the database does not have it.
 */
import { type SubjectHash, subjectHash } from "./consent/mod.ts";
import { ConfigError, type Service } from "./configs/mod.ts";
import { filePath } from "./database/connection.ts";

const BYTES = 32;

/** `undefined` where there is neither a key nor a place for one. Throws `ConfigError`, without the key in it. */
export function subjectHashOf(
  { databaseUrl }: Pick<Service, "databaseUrl">,
): SubjectHash | undefined {
  const text = Deno.env.get("PRESCORE_SUBJECT_KEY");
  if (text) return subjectHash(parse(text, "PRESCORE_SUBJECT_KEY"));
  const named = Deno.env.get("PRESCORE_SUBJECT_KEY_FILE");
  if (named) return subjectHash(parse(read(named), named));
  const database = filePath(databaseUrl);
  if (database === undefined) return undefined;
  const file = `${database}.subject-key`;
  let key: Uint8Array | undefined;
  // Made when a reference first comes: most services are never sent one.
  return (tenant, reference) => subjectHash(key ??= parse(made(file), file))(tenant, reference);
}

/** The key in the file, or a new one. Of two processes that make it together one is refused, and reads the other's. */
function made(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const text = crypto.getRandomValues(new Uint8Array(BYTES)).toHex();
  try {
    Deno.writeTextFileSync(file, `${text}\n`, { createNew: true, mode: 0o600 });
    return text;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return Deno.readTextFileSync(file);
  }
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new ConfigError(
      `Cannot read PRESCORE_SUBJECT_KEY_FILE: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function parse(text: string, from: string): Uint8Array {
  if (/^\s*[0-9a-f]{64}\s*$/i.test(text)) return Uint8Array.fromHex(text.trim());
  throw new ConfigError(
    `Cannot use the key in ${from}: it must be ${
      2 * BYTES
    } hexadecimal digits, such as \`openssl rand -hex ${BYTES}\` makes`,
  );
}
