import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { csvRows } from "../../scoring/csv.ts";
import { TableError, TableReader } from "../../scoring/table.ts";
import { readConfig } from "../support/service.ts";

const { questionnaire } = readConfig();
const encoder = new TextEncoder();

/** The rows of bytes that come in pieces of any size. */
function rowsOf(bytes: Uint8Array, cuts: readonly number[]): Promise<string[][]> {
  const edges = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
  const pieces = edges.map((end, at) => bytes.slice(edges[at - 1] ?? 0, end));
  return Array.fromAsync(csvRows(ReadableStream.from(pieces)));
}

const cuts = fc.array(fc.nat(400), { maxLength: 6 });
/** The names of columns say which delimiter is meant, so they have none. */
const names = fc.constantFrom("birthdate", "position", "a b", "колонка", '"q"');
const cell = fc.string({ unit: "grapheme", maxLength: 12 })
  .filter((text) => !text.startsWith("\uFEFF"));

Deno.test("csvRows gives back whatever was written as RFC 4180 has it, wherever the bytes are cut", async () => {
  const tables = fc.integer({ min: 2, max: 5 }).chain((width) =>
    fc.record({
      header: fc.array(names, { minLength: width, maxLength: width }),
      rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 5 }),
      delimiter: fc.constantFrom(";", ","),
      lineEnd: fc.constantFrom("\r\n", "\n"),
      mark: fc.constantFrom("", "\uFEFF"),
    })
  );
  await fc.assert(fc.asyncProperty(tables, cuts, async (table, cuts) => {
    const written = [table.header, ...table.rows]
      .map((row) =>
        row.map((text) => `"${text.replaceAll('"', '""')}"`).join(table.delimiter) + table.lineEnd
      ).join("");
    const read = await rowsOf(encoder.encode(table.mark + written), cuts);
    assert.deepEqual(read.map((row) => row.map((text) => text.replace(/^\uFEFF/, ""))), [
      table.header,
      ...table.rows,
    ]);
  }));
});

Deno.test("csvRows reads any bytes to rows, or says in words why not", async () => {
  const pieces = fc.constantFrom(...'";,\r\n\u0000aя\uFEFF'.split(""));
  const texts = fc.array(pieces, { maxLength: 40 }).map((list) => encoder.encode(list.join("")));
  const bytes = fc.oneof(texts, fc.uint8Array({ maxLength: 60 }));
  await fc.assert(fc.asyncProperty(bytes, cuts, async (bytes, cuts) => {
    try {
      await rowsOf(bytes, cuts);
    } catch (error) {
      assert.ok(error instanceof TableError, String(error));
    }
  }));
});

Deno.test("a cell is the number that it writes, or refused", () => {
  const table = new TableReader(questionnaire, ["loan_amount", "merch_code"]);
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(numbers, fc.maxSafeInteger(), (amount, code) => {
    assert.deepEqual(table.answers([String(amount), String(code)], 1), {
      loan_amount: Number(String(amount)),
      merch_code: code,
    });
  }));
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."0123456789.,eE+-x ") }),
  );
  fc.assert(fc.property(texts, (text) => {
    try {
      const { loan_amount } = table.answers([text, ""], 1);
      assert.ok(loan_amount === null || Number.isFinite(loan_amount));
    } catch (error) {
      assert.ok(error instanceof TableError);
      assert.match(error.message, /row 1, column loan_amount: current value is /);
    }
  }));
});

/** Endless, of one piece again and again; whether its reader has let go of it. */
function endless(piece: string) {
  const state = { isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoder.encode(piece)),
    cancel: () => void (state.isCancelled = true),
  });
  return { stream, state };
}

for (
  const [what, piece] of [
    ["a first line without an end", "x".repeat(100)],
    ["a cell whose quote is never closed", 'a;b\n"x'],
    ["bytes that are no table", 'a;b\n"x"y;\n'],
  ] as const
) {
  Deno.test(`csvRows lets go of an endless stream at ${what}`, async () => {
    const { stream, state } = endless(piece);
    await assert.rejects(
      Array.fromAsync(csvRows(stream, { maxRowCharacters: 1000 })),
      TableError,
    );
    await settled(() => state.isCancelled);
  });
}

Deno.test("csvRows lets go of an endless stream of which nobody wants more rows", async () => {
  const { stream, state } = endless("a;b\n1;2\n");
  for await (const row of csvRows(stream)) if (row[0] === "1") break;
  await settled(() => state.isCancelled);
});

/** Some turns of the event loop later it is so. */
async function settled(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isSo(); turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.ok(isSo());
}

for (
  const [where, pieces] of [["the first line", ["a;b"]], ["a row", ["a;b\n1;2\n", "3;"]]] as const
) {
  Deno.test(`csvRows ends with the stream's own error in ${where}`, async () => {
    const broken = new Error("nothing came for 10 s");
    const left = [...pieces];
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = left.shift();
        if (piece === undefined) controller.error(broken);
        else controller.enqueue(encoder.encode(piece));
      },
    });
    await assert.rejects(Array.fromAsync(csvRows(stream)), (error) => error === broken);
  });
}
