/**
 * `deno task features [--at DATE | --at-column HEADER] < applications.csv > matrix.csv`: the model matrix of a table of
 * applications, a line per row, in their order; missing is an empty cell. Each is made at the one date, or at its row's own
 * (by default now). `--describe` prints the feature names and their fingerprint instead.
 */
import { parseDateMs } from "../scoring/dates.ts";
import { describeFeatures, Features } from "../scoring/features.ts";
import { columnId, TableError, TableReader } from "../scoring/table.ts";
import { configFromEnvironment } from "./config.ts";
import { csvRows } from "../scoring/csv.ts";
import { main, readOptions, UsageError } from "./main.ts";

const ROWS_PER_WRITE = 1000;

if (import.meta.main) await main(run);

async function run(): Promise<void> {
  const { values } = readOptions({
    options: {
      at: { type: "string" },
      "at-column": { type: "string" },
      describe: { type: "boolean", default: false },
    },
  });
  const { questionnaire } = configFromEnvironment();
  if (values.describe) {
    console.log(JSON.stringify(await describeFeatures(questionnaire), null, 2));
    return;
  }
  const atMs = values.at === undefined ? Date.now() : parseDateMs(values.at);
  if (atMs === undefined) {
    throw new UsageError(`--at: current value is ${values.at}, must be a date such as 2023-12-01`);
  }
  const features = new Features(questionnaire);
  const rows = csvRows(Deno.stdin.readable);
  const header = await rows.next();
  if (header.done) {
    throw new TableError("Cannot read the table: it is empty, and must have a header");
  }
  const table = new TableReader(questionnaire, header.value);
  const datesOf = values["at-column"] === undefined
    ? () => atMs
    : dateReader(header.value, values["at-column"]);
  await write([features.names.join(",")]);
  let lines: string[] = [];
  let row = 0;
  for await (const cells of rows) {
    const answers = table.answers(cells, ++row);
    const matrix = features.matrix([{ answers, atMs: datesOf(cells, row) }]);
    lines.push(Array.from(matrix, (value) => Number.isNaN(value) ? "" : String(value)).join(","));
    if (lines.length < ROWS_PER_WRITE) continue;
    await write(lines);
    lines = [];
  }
  await write(lines);
}

/** Reads the date in the column of that header, in milliseconds since the epoch. Throws `TableError`. */
function dateReader(
  header: readonly string[],
  column: string,
): (cells: readonly string[], row: number) => number {
  const at = header.map(columnId).indexOf(columnId(column));
  if (at < 0) throw new TableError(`Cannot read the table: it must have a column ${column}`);
  return (cells, row) => {
    const ms = parseDateMs(cells[at] ?? "");
    if (ms !== undefined) return ms;
    throw new TableError(
      `Cannot read row ${row}, column ${column}: current value is ${
        JSON.stringify(cells[at] ?? "")
      }, ` +
        "must be a date such as 2023-12-01",
    );
  };
}

/** Writes the lines and waits until the reader has taken them, so that memory stays bounded. */
async function write(lines: readonly string[]): Promise<void> {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  let at = 0;
  while (at < bytes.length) at += await Deno.stdout.write(bytes.subarray(at));
}
