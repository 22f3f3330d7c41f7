/** How much a JSON text may hold, looked at before it is read: what it would become in memory is many times its bytes. */

export interface JsonLimits {
  /** Arrays and objects inside one another. */
  readonly jsonDepth: number;
  /** Members of objects and elements of arrays, in all. */
  readonly jsonMembers: number;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/** What is too much of the text, in words; `undefined` where nothing is. Says nothing about whether it is JSON. */
export function tooMuchJson(
  bytes: Uint8Array,
  { jsonDepth, jsonMembers }: JsonLimits,
): string | undefined {
  let [depth, members, inString] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      // Its first member: others follow commas.
      members++;
      if (++depth > jsonDepth) return `arrays and objects may be ${jsonDepth} deep at most`;
    } else if (byte === COMMA) members++;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
  }
  return members > jsonMembers ? `there may be ${jsonMembers} values at most` : undefined;
}
