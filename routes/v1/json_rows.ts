/**
 * A stream of bytes -> the bytes of one row after another, in bounded memory: lines (NDJSON), or the elements of a JSON array.
 * Rows are cut apart before they are read as JSON, so what is wrong in one of them spoils no other.
 */

/** The body is no list of rows: what came before the fault stands, what comes after cannot be told apart. */
export class RowsError extends Error {
  override readonly name = "RowsError";
}

/** One row's bytes; `null` stands for one that is longer than allowed. */
export type RowBytes = Uint8Array | null;

export interface RowLimit {
  /** Longest row, in bytes; what is beyond is not kept. */
  readonly maxRowBytes: number;
}

/**
 * How many times too long a row may be and still be refused alone, and as much of space between rows: a body that goes on without
 * rows would never end.
 */
const SLACK = 16;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** UTF-8's byte order mark. */
const MARK = [0xef, 0xbb, 0xbf];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The lines that hold more than space; the last needs no line end. */
export async function* ndjsonRows(
  body: AsyncIterable<Uint8Array>,
  { maxRowBytes }: RowLimit,
): AsyncGenerator<RowBytes> {
  const row = new Row(maxRowBytes);
  const space = new Space(maxRowBytes);
  for await (const chunk of body) {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      row.add(chunk.subarray(start, end));
      const bytes = row.take();
      if (bytes !== null && isSpace(bytes)) space.add(bytes.length + 1);
      else {
        space.end();
        yield bytes;
      }
    }
    row.add(chunk.subarray(start));
  }
  const last = row.take();
  if (last === null || !isSpace(last)) yield last;
}

/** The elements of the one array that the body must be. Throws `RowsError` where it is something else, or ends too soon. */
export async function* jsonArrayRows(
  body: AsyncIterable<Uint8Array>,
  { maxRowBytes }: RowLimit,
): AsyncGenerator<RowBytes> {
  const row = new Row(maxRowBytes);
  let [depth, inString, escaped, isFirst, ended] = [0, false, false, true, false];
  let marked = 0;
  const space = new Space(maxRowBytes);
  for await (const chunk of body) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (depth === 0) {
        if (marked < MARK.length && byte === MARK[marked]) {
          marked++;
          continue;
        }
        marked = MARK.length;
        if (isSpaceByte(byte)) {
          space.add(1);
          continue;
        }
        if (ended || byte !== OPEN_BRACKET) {
          throw new RowsError("the body must be one JSON array of applications");
        }
        depth = 1;
        start = at + 1;
        continue;
      }
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++;
      else if (byte === CLOSE_BRACE && depth === 1) {
        throw new RowsError("the body's array has a } without its {");
      } else if (depth === 1 && (byte === COMMA || byte === CLOSE_BRACKET)) {
        row.add(chunk.subarray(start, at));
        start = at + 1;
        const bytes = row.take();
        ended = byte === CLOSE_BRACKET;
        if (ended) depth = 0;
        if (!ended || !isFirst || bytes === null || !isSpace(bytes)) yield bytes;
        isFirst = false;
      } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
    }
    if (depth > 0) row.add(chunk.subarray(start));
  }
  if (!ended) throw new RowsError("the body ends before its JSON array does");
}

/** Counts what is between rows. */
class Space {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxRowBytes: number) {
    this.#maxBytes = SLACK * maxRowBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) {
      throw new RowsError(`there may be ${this.#maxBytes} bytes of space between rows at most`);
    }
  }

  end(): void {
    this.#bytes = 0;
  }
}

/** Collects a row's bytes from the pieces in which they come. */
class Row {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > SLACK * this.#maxBytes) {
      throw new RowsError(`a row goes on for more than ${SLACK * this.#maxBytes} bytes`);
    }
    if (this.#bytes > this.#maxBytes) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  take(): RowBytes {
    const [pieces, bytes] = [this.#pieces, this.#bytes];
    this.#pieces = [];
    this.#bytes = 0;
    if (bytes > this.#maxBytes) return null;
    const [first = new Uint8Array()] = pieces;
    if (pieces.length <= 1) return first;
    const whole = new Uint8Array(bytes);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

function isSpace(bytes: Uint8Array): boolean {
  return bytes.every(isSpaceByte);
}

function isSpaceByte(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
