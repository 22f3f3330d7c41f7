/**
 * The `Prefer` header (RFC 7240): text -> preferences by name. A preference that cannot be read is left out, for a server must
 * answer as if it had not been sent; of one that stands twice the first counts.
 */

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const WORD = `(?:${TOKEN}|${QUOTED})`;

/** One preference: its name, its value, and parameters, which no preference known here has. */
const PREFERENCE = new RegExp(
  `^(${TOKEN})(?:[ \\t]*=[ \\t]*(${WORD}))?(?:[ \\t]*;[^,]*)?$`,
);

/** What stands between the commas that are in no quotes. */
const ELEMENT = new RegExp(`(?:${QUOTED}|[^,"])+`, "g");

/** Names in lower case; a preference without a value has the empty one, which means the same. */
export function parsePrefer(header: string): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  for (const [element] of header.matchAll(ELEMENT)) {
    const [, name, value = ""] = PREFERENCE.exec(element.trim()) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !preferences.has(key)) preferences.set(key, unquoted(value));
  }
  return preferences;
}

/** A quote that is never closed is looked for from each of its marks: the time grows with the square of the length. */
const MAX_HEADER = 1000;

/** How long the client would wait, in whole seconds (section 4.3); `undefined` where it does not say, or at too great length. */
export function preferredWaitS(header: string | undefined): number | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const wait = parsePrefer(header).get("wait");
  return wait !== undefined && /^\d+$/.test(wait) ? Number(wait) : undefined;
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, "$1") : word;
}
