/**
 * Bytes of a JSON body -> text, in the encodings that Python's `json.loads` tells apart.
 *
 * The reference hands it the raw body, so a byte order mark, UTF-16 and UTF-32 all work there, and
 * UTF-8 may carry lone surrogates. The usual body is plain UTF-8 and takes the runtime's decoder.
 *
 * Known limit: two surrogates encoded one by one in UTF-8 join into one character here, where
 * Python keeps them apart.
 */

/** The bytes are not text in the encoding that they begin with. */
export class TextDecodeError extends Error {}

type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "utf-32le" | "utf-32be";

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function decodeJsonBytes(bytes: Uint8Array): string {
  const { encoding, markLength } = detectEncoding(bytes);
  const content = bytes.subarray(markLength);
  switch (encoding) {
    case "utf-8":
      return decodeUtf8(content);
    case "utf-16le":
    case "utf-16be":
      return decodeUtf16(content, encoding === "utf-16le");
    case "utf-32le":
    case "utf-32be":
      return decodeUtf32(content, encoding === "utf-32le");
  }
}

function detectEncoding(bytes: Uint8Array): { encoding: Encoding; markLength: number } {
  const [a = -1, b = -1, c = -1, d = -1] = bytes;
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) {
    return { encoding: "utf-32be", markLength: 4 };
  }
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) {
    return { encoding: "utf-32le", markLength: 4 };
  }
  if (a === 0xfe && b === 0xff) return { encoding: "utf-16be", markLength: 2 };
  if (a === 0xff && b === 0xfe) return { encoding: "utf-16le", markLength: 2 };
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: "utf-8", markLength: 3 };
  return { encoding: encodingByZeroBytes(bytes), markLength: 0 };
}

/** JSON begins with an ASCII character, so the zero bytes around it show the unit's size. */
function encodingByZeroBytes(bytes: Uint8Array): Encoding {
  const [a, b, c, d] = bytes;
  if (bytes.length >= 4) {
    if (a === 0) return b === 0 ? "utf-32be" : "utf-16be";
    if (b === 0) return c === 0 && d === 0 ? "utf-32le" : "utf-16le";
  } else if (bytes.length === 2) {
    if (a === 0) return "utf-16be";
    if (b === 0) return "utf-16le";
  }
  return "utf-8";
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return decodeUtf8WithSurrogates(bytes);
  }
}

/** Cuts out each encoded surrogate (ED A0..BF xx) and decodes the stretches between them. */
function decodeUtf8WithSurrogates(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let start = 0;
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3);
    if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue;
    pieces.push(decodeStrictUtf8(bytes.subarray(start, at)));
    pieces.push(String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)));
    start = at + 3;
  }
  pieces.push(decodeStrictUtf8(bytes.subarray(start)));
  return pieces.join("");
}

function decodeStrictUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    throw new TextDecodeError("Cannot read the body as its bytes must be valid UTF-8");
  }
}

function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 2 !== 0) {
    throw new TextDecodeError("Cannot read the body as UTF-16 must have an even length");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units: string[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    units.push(String.fromCharCode(view.getUint16(at, littleEndian)));
  }
  return units.join("");
}

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) {
    throw new TextDecodeError("Cannot read the body as UTF-32 must have a length divisible by 4");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const characters: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const codePoint = view.getUint32(at, littleEndian);
    if (codePoint > 0x10ffff) {
      throw new TextDecodeError("Cannot read the body as a UTF-32 unit must be a code point");
    }
    characters.push(String.fromCodePoint(codePoint));
  }
  return characters.join("");
}
