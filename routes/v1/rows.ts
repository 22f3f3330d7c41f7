/**
 * The body of a batch -> its rows, one after another, in bounded memory: each an application, or what is wrong with it. A row that
 * is wrong spoils no other; where the rows themselves cannot be told apart, reading ends with `RowsError` or `TableError`.
 */
import type { z } from "@hono/zod-openapi";
import type { Questionnaire } from "../../configs/mod.ts";
import type { Answers } from "../../scoring/answers.ts";
import type { Terms } from "../../consent/mod.ts";
import { isMissing } from "../../scoring/features.ts";
import { TableError, TableReader } from "../../scoring/table.ts";
import { givenAnswers, type newApplicationSchema } from "./application_schema.ts";
import { type JsonLimits, tooMuchJson } from "./json_limits.ts";
import { jsonArrayRows, ndjsonRows, type RowBytes } from "./json_rows.ts";
import { type FieldError, fieldErrors } from "./problems.ts";
import type { TermsReader } from "./terms.ts";

/** How many times too long a CSV's row may be and still be refused alone: where a quote is not closed, all that follows is one row. */
const CSV_ROW_SLACK = 16;

/** Errors of one row that are kept. */
const MAX_ERRORS = 20;

export type ReadRow =
  | { readonly answers: Answers; readonly terms?: Terms }
  | { readonly errors: readonly FieldError[] };

export interface ReadRowsOptions {
  readonly schema: ReturnType<typeof newApplicationSchema>;
  readonly readTerms: TermsReader;
  readonly questionnaire: Questionnaire;
  readonly maxRowBytes: number;
  /** Of the JSON of one row. */
  readonly limits: JsonLimits;
}

type Body = ReadableStream<Uint8Array>;
type Reader = (body: Body, options: ReadRowsOptions) => AsyncGenerator<ReadRow>;

/** The readers by media type. */
export const ROW_READERS: Readonly<Record<string, Reader>> = {
  "application/x-ndjson": (body, options) => readJsonRows(ndjsonRows(body, options), options),
  "application/json": (body, options) => readJsonRows(jsonArrayRows(body, options), options),
  "text/csv": readCsvRows,
};

async function* readJsonRows(
  rows: AsyncIterable<RowBytes>,
  { schema, readTerms, limits, maxRowBytes }: ReadRowsOptions,
): AsyncGenerator<ReadRow> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const bytes of rows) {
    if (bytes === null) yield tooLong(maxRowBytes);
    else yield readJsonRow(bytes, { schema, readTerms, limits, decoder });
  }
}

function readJsonRow(
  bytes: Uint8Array,
  { schema, readTerms, limits, decoder }:
    & Pick<ReadRowsOptions, "schema" | "readTerms" | "limits">
    & {
      readonly decoder: TextDecoder;
    },
): ReadRow {
  const tooMuch = tooMuchJson(bytes, limits);
  if (tooMuch !== undefined) return wrong(tooMuch);
  try {
    const parsed = schema.safeParse(JSON.parse(decoder.decode(bytes)));
    if (!parsed.success) return refused(parsed.error);
    const terms = readTerms(parsed.data);
    if (terms && "error" in terms) return { errors: [terms.error] };
    return { answers: givenAnswers(parsed.data), ...terms && { terms } };
  } catch (error) {
    if (error instanceof SyntaxError) return wrong(`the row must be JSON: ${error.message}`);
    if (error instanceof TypeError) return wrong("the row must be UTF-8");
    throw error;
  }
}

async function* readCsvRows(
  body: Body,
  { questionnaire, maxRowBytes }: ReadRowsOptions,
): AsyncGenerator<ReadRow> {
  // The only one that needs a library: a start does not wait for it.
  const { csvRows } = await import("../../scoring/csv.ts");
  const cells = csvRows(body, { maxRowCharacters: CSV_ROW_SLACK * maxRowBytes });
  const header = await cells.next();
  if (header.done) return;
  const table = new TableReader(questionnaire, header.value);
  let number = 0;
  for await (const row of cells) {
    number++;
    const characters = row.reduce((sum, cell) => sum + cell.length, 0);
    yield characters > maxRowBytes ? tooLong(maxRowBytes) : readCsvRow(row, { table, number });
  }
}

function readCsvRow(
  cells: readonly string[],
  { table, number }: { readonly table: TableReader; readonly number: number },
): ReadRow {
  try {
    const answers = table.answers(cells, number);
    return {
      answers: Object.fromEntries(
        Object.entries(answers).filter(([, answer]) => !isMissing(answer)),
      ),
    };
  } catch (error) {
    if (error instanceof TableError) return wrong(error.message);
    throw error;
  }
}

function refused(error: z.ZodError): ReadRow {
  return { errors: fieldErrors(error).slice(0, MAX_ERRORS) };
}

function tooLong(maxRowBytes: number): ReadRow {
  return wrong(`the row must have at most ${maxRowBytes} bytes`);
}

function wrong(detail: string): ReadRow {
  return { errors: [{ detail }] };
}
