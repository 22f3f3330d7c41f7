/** Keys that come from the environment or from files: 64 hexadecimal digits each. No error has a key in it. */
import { ConfigError } from "./configs/mod.ts";

const BYTES = 32;

/** The key in the file, or a new one for its owner alone to read. Of two processes that make it together one is refused, and reads the other's. */
export function madeKey(file: string): string {
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

/** The text of the file that a variable names. Throws `ConfigError`. */
export function readKey(file: string, variable: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new ConfigError(
      `Cannot read ${variable}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** 32 bytes. Throws `ConfigError`. */
export function parseKey(text: string, from: string): Uint8Array {
  if (/^\s*[0-9a-f]{64}\s*$/i.test(text)) return Uint8Array.fromHex(text.trim());
  throw new ConfigError(
    `Cannot use the key in ${from}: it must be ${
      2 * BYTES
    } hexadecimal digits, such as \`openssl rand -hex ${BYTES}\` makes`,
  );
}
