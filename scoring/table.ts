/**
 * Applications as a table: the header and the cells of a CSV -> answers. Columns that the questionnaire does not name (ids,
 * banks' decisions) are left alone, and fields without a column are missing. A cell that its field's type cannot hold is an
 * error with its row and column, for a number read wrongly would be scored as another client.
 */
import type { Field, Questionnaire } from "../configs/mod.ts";
import type { Answer, Answers } from "./answers.ts";
import { isMissing } from "./features.ts";

/** A table cannot be read; the message names the row, the column, the value and what would be right. */
export class TableError extends Error {
  override readonly name = "TableError";
}

/** Field id of a column: lower case, spaces as underscores (`employment status` -> `employment_status`). */
export function columnId(header: string): string {
  return header.replace(/^\uFEFF/, "").trim().toLowerCase().replaceAll(/\s+/g, "_");
}

/** `;` or `,`: whichever the first line has more of, outside quotes. */
export function delimiterOf(text: string): ";" | "," {
  const [line = ""] = text.replaceAll(/"[^"]*"/g, "").split(/[\r\n]/, 1);
  return line.split(";").length > line.split(",").length ? ";" : ",";
}

/** Reads the rows below one header. */
export class TableReader {
  readonly #columns: readonly { field: Field; at: number }[];
  readonly #width: number;

  /** Throws `TableError` where the header names no field at all, or one of them twice. */
  constructor({ fields }: Questionnaire, header: readonly string[]) {
    const ids = header.map(columnId);
    this.#width = header.length;
    this.#columns = fields.flatMap((field) => {
      const at = ids.indexOf(field.id);
      if (at !== ids.lastIndexOf(field.id)) {
        throw new TableError(
          `Cannot read the table: columns ${at + 1} and ${ids.lastIndexOf(field.id) + 1} ` +
            `are both ${field.id}, which must stand once`,
        );
      }
      return at < 0 ? [] : [{ field, at }];
    });
    if (this.#columns.length === 0) {
      throw new TableError(
        `Cannot read the table: its header is ${
          JSON.stringify(header.join(" | ").slice(0, 200))
        }, ` +
          `which must name at least one of ${fields.map(({ id }) => id).join(", ")}`,
      );
    }
  }

  /** The answers of one row; `row` counts from 1 at the first line below the header. */
  answers(cells: readonly string[], row: number): Answers {
    if (cells.length !== this.#width) {
      throw new TableError(
        `Cannot read row ${row}: it has ${cells.length} cells, and must have ${this.#width} as the header`,
      );
    }
    return Object.fromEntries(
      this.#columns.map(({ field, at }) => [field.id, readCell(cells[at] ?? "", { field, row })]),
    );
  }
}

function readCell(text: string, { field, row }: { field: Field; row: number }): Answer {
  if (isMissing(text)) return null;
  if (field.type === "string") return text;
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : NaN;
  if (field.type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value)) return value;
  const wanted = field.type === "integer" ? "a whole number" : "a number with a decimal point";
  throw new TableError(
    `Cannot read row ${row}, column ${field.id}: current value is ${JSON.stringify(text)}, ` +
      `must be ${wanted}, empty or NULL`,
  );
}
