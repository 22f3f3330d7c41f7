/**
 * Streams a CSV (RFC 4180, `;` or `,`, UTF-8 with or without a byte order mark) as rows of cells, the header first. Bytes that
 * are not UTF-8 are an error: read as something else they would be other answers.
 */
import { CsvError, parse } from "csv-parse";
import { pipeline, Readable } from "node:stream";
import { delimiterOf, TableError } from "./table.ts";

export interface CsvOptions {
  /** Longest row, in characters, the header too; absent: any. */
  readonly maxRowCharacters?: number;
}

export async function* csvRows(
  input: ReadableStream<Uint8Array>,
  { maxRowCharacters = Infinity }: CsvOptions = {},
): AsyncGenerator<string[]> {
  const texts = decoded(input);
  let width = 0;
  try {
    const head = await readFirstLine(texts, maxRowCharacters);
    const reader = parse({
      delimiter: delimiterOf(head),
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      ...Number.isFinite(maxRowCharacters) && { max_record_size: maxRowCharacters },
    });
    // Each ends with the other: an upload would else be held open for ever, or its end never be heard of.
    const parser = pipeline(Readable.from(joined(head, texts)), reader, () => {});
    for await (const cells of parser) {
      width ||= cells.length;
      // An empty line is a row only where a row has a single cell.
      if (width > 1 && cells.length === 1 && cells[0] === "") continue;
      yield cells;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new TableError(`Cannot read the table: ${error.message}`);
  } finally {
    texts.return(undefined).catch(() => {});
  }
}

async function* decoded(input: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for await (const chunk of input) {
    const text = decode(() => decoder.decode(chunk, { stream: true }), chunk);
    line += countLines(text);
    yield text;
  }
  yield decode(() => decoder.decode(), new Uint8Array());

  function decode(read: () => string, chunk: Uint8Array): string {
    try {
      return read();
    } catch {
      const [good = ""] = new TextDecoder().decode(chunk).split("\uFFFD", 1);
      throw new TableError(
        `Cannot read the table: a byte in line ${line + countLines(good)} is not UTF-8; ` +
          "save the file as CSV in UTF-8",
      );
    }
  }
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

/** The text up to the end of the chunk in which the first line ends. Throws `TableError` where that line is too long. */
async function readFirstLine(
  texts: AsyncIterator<string>,
  maxCharacters: number,
): Promise<string> {
  let head = "";
  for (let next = await texts.next(); !next.done; next = await texts.next()) {
    head += next.value;
    if (/[\r\n]/.test(next.value)) break;
    if (head.length > maxCharacters) {
      throw new TableError(
        `Cannot read the table: its first line must have at most ${maxCharacters} characters`,
      );
    }
  }
  return head;
}

async function* joined(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}
