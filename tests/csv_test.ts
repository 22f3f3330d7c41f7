import assert from "node:assert/strict";
import fc from "fast-check";
import { csvLine } from "../csv.ts";

/** A line's cells by RFC 4180. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  for (let at = 0; at < line.length;) {
    let text = "";
    if (line[at] === '"') {
      for (at++;; at++) {
        if (line[at] !== '"') text += line[at];
        else if (line[++at] === '"') text += '"';
        else break;
      }
    } else while (!line.startsWith("\r\n", at) && line[at] !== separator) text += line[at++];
    cells.push(text);
    if (line.startsWith("\r\n", at)) return cells;
    at++;
  }
  throw new Error("the line does not end");
}

Deno.test("csvLine() is read back as it was, but for what a spreadsheet would take for a formula", () => {
  const text = fc.string({ unit: fc.constantFrom(..."a,;\"\r\n=+-@\t '") });
  const separators = fc.constantFrom(",", ";");
  fc.assert(fc.property(fc.array(text, { minLength: 1 }), separators, (cells, separator) => {
    const read = cellsOf(csvLine(cells, separator), separator);
    assert.deepEqual(read, cells.map((cell) => /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell));
    assert.ok(read.every((cell) => !/^[=+\-@]/.test(cell)));
  }));
});

Deno.test("csvLine() writes numbers as they are, and nothing where nothing is known", () => {
  assert.equal(csvLine([-1.5, null, 2, true]), "-1.5,,2,true\r\n");
});
