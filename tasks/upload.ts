/**
 * `deno task upload --file applications.csv --url http://127.0.0.1:8000`: sends every row of a CSV to a running service by
 * the three steps of its API, waits for every result, and sums up. Exits 1 where a row has none.
 */
import { z } from "zod";
import type { Answers } from "../scoring/answers.ts";
import { TableError, TableReader } from "../scoring/table.ts";
import { configFromEnvironment } from "./config.ts";
import { csvRows } from "../scoring/csv.ts";
import { main, readOptions, UsageError } from "./main.ts";
import { Progress } from "./progress.ts";

/** Delays between polls of one task, in milliseconds; the last one repeats until `--timeout`. */
const POLL_MS = [2, 5, 10, 20, 50, 100];
/** Answers that say "later"; an upload may be sent again, for the same answers are the same task. */
const RETRIED = [429, 503];

const uploadedSchema = z.object({ task_id: z.string(), is_complete: z.boolean() });
const resultSchema = z.object({ task_id: z.string() }).catchall(z.string());

interface Row {
  readonly number: number;
  readonly answers: Answers;
}

interface Options {
  readonly url: string;
  readonly timeoutMs: number;
}

if (import.meta.main) await main(run);

async function run(): Promise<void> {
  const { file, concurrency, ...options } = readArguments();
  const rows = await readRows(file);
  const progress = new Progress(rows.length, "rows");
  const results = new Map<string, Record<string, string>>();
  const failures: string[] = [];
  const startedMs = performance.now();
  const queue = rows.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const { number, answers } of queue) {
        try {
          const { task_id, ...banks } = await score(answers, options);
          results.set(task_id, banks);
        } catch (error) {
          failures.push(`row ${number}: ${error instanceof Error ? error.message : error}`);
        }
        progress.step();
      }
    }),
  );
  progress.end();
  const seconds = (performance.now() - startedMs) / 1000;
  for (const line of failures.slice(0, 20)) console.error(line);
  if (failures.length > 20) console.error(`and ${failures.length - 20} more`);
  const scored = rows.length - failures.length;
  console.log(`${rows.length} rows: ${scored} with a result, ${failures.length} failed`);
  console.log(`${results.size} different questionnaires`);
  console.log(`${seconds.toFixed(1)} s, ${Math.round(rows.length / seconds)} rows/s`);
  for (const [bank, mean] of means([...results.values()])) {
    console.log(`${bank}: mean approval probability ${mean.toFixed(4)}`);
  }
  if (failures.length > 0) Deno.exit(1);
}

function readArguments() {
  const { values } = readOptions({
    options: {
      file: { type: "string" },
      url: { type: "string", default: "http://127.0.0.1:8000" },
      concurrency: { type: "string", default: "32" },
      timeout: { type: "string", default: "30" },
    },
  });
  const concurrency = Number(values.concurrency);
  const timeoutS = Number(values.timeout);
  if (values.file === undefined) throw new UsageError("--file is absent, must be a CSV file");
  if (!/^https?:\/\/./.test(values.url) || !URL.canParse(values.url)) {
    throw new UsageError(
      `--url: current value is ${values.url}, must be like http://127.0.0.1:8000`,
    );
  }
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 1000) {
    throw new UsageError(
      `--concurrency: current value is ${values.concurrency}, must be 1 to 1000`,
    );
  }
  if (!(timeoutS > 0)) {
    throw new UsageError(`--timeout: current value is ${values.timeout}, must be seconds above 0`);
  }
  return { file: values.file, url: values.url, concurrency, timeoutMs: timeoutS * 1000 };
}

async function readRows(file: string): Promise<Row[]> {
  const input = await Deno.open(file).catch((error: unknown) => {
    throw new UsageError(
      `--file: cannot read ${file}: ${error instanceof Error ? error.message : error}`,
    );
  });
  const { questionnaire } = configFromEnvironment();
  const cells = csvRows(input.readable);
  const header = await cells.next();
  if (header.done) throw new TableError(`Cannot read ${file}: it is empty, and must have a header`);
  const table = new TableReader(questionnaire, header.value);
  const rows: Row[] = [];
  for await (const row of cells) {
    const number = rows.length + 1;
    rows.push({ number, answers: table.answers(row, number) });
  }
  return rows;
}

/** Uploads one application and waits for its result; everything together takes at most `timeoutMs`. */
async function score(answers: Answers, { url, timeoutMs }: Options) {
  const signal = AbortSignal.timeout(timeoutMs);
  const base = url.endsWith("/") ? url : `${url}/`;
  async function call<S extends z.ZodType>(path: string, schema: S, init: RequestInit = {}) {
    for (let attempt = 0;; attempt++) {
      const response = await fetch(new URL(path, base), { ...init, signal });
      const text = await response.text();
      if (response.ok) return schema.parse(JSON.parse(text));
      if (!RETRIED.includes(response.status)) {
        throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
      }
      await pause(attempt, signal);
    }
  }
  const uploaded = await call("upload_features", uploadedSchema, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(answers),
  });
  const query = `?task_id=${uploaded.task_id}`;
  for (let poll = 0; !uploaded.is_complete; poll++) {
    if (await call(`check_task${query}`, z.boolean())) break;
    await pause(poll, signal);
  }
  return await call(`get_result${query}`, resultSchema);
}

/** Waits a little longer each time; rejects where the time for everything is over. */
async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, POLL_MS[attempt] ?? POLL_MS.at(-1)));
  signal.throwIfAborted();
}

function means(results: readonly Record<string, string>[]): [bank: string, mean: number][] {
  const banks = Object.keys(results[0] ?? {});
  return banks.map((bank) => [
    bank,
    results.reduce((sum, result) => sum + Number(result[bank]), 0) / results.length,
  ]);
}
