/** Streams a CSV (RFC 4180, `;` or `,`, with or without a byte order mark) as rows of cells, the header first. */
import { parse } from "csv-parse";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { delimiterOf, TableError } from "../scoring/table.ts";

const NEWLINE = 0x0a;

export async function* csvRows(input: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  const chunks = input.values();
  const head = await readFirstLine(chunks);
  const parser = Readable.from(joined(head, chunks)).pipe(parse({
    bom: true,
    delimiter: delimiterOf(Buffer.concat(head).toString().split("\n", 1)[0] ?? ""),
    relax_column_count: true,
    skip_empty_lines: true,
  }));
  try {
    for await (const cells of parser) yield cells;
  } catch (error) {
    throw new TableError(
      `Cannot read the table: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The chunks up to the one in which the first line ends. */
async function readFirstLine(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array[]> {
  const head: Uint8Array[] = [];
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head.push(next.value);
    if (next.value.includes(NEWLINE)) break;
  }
  return head;
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncIterableIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}
