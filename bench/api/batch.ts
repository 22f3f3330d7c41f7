/**
 * A batch of 100,000 rows through the whole service: uploaded as lines and as a table, scored, and read again.
 *
 *     deno task bench-batch [--rows 100000] [--rounds 5]
 *
 * Each round is a fresh process: rows a second from the first byte sent to the end of the batch, the most resident memory over
 * what it held before, and the same rows sent one by one, 64 at a time, as the peer. Raw results: bench/results/api_batch.json.
 */
import { parseArgs } from "node:util";
import { createPrescore } from "../../client/mod.ts";
import { applicant, median, type Running, start, writeResult } from "./support.ts";

const SINGLE_ROWS = 3000;
const SINGLE_AT_ONCE = 64;
const IDLE_MS = 2000;
const SAMPLE_MS = 10;
const MB = 1 << 20;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
  },
});
const rows = Number(values.rows);

interface Round {
  readonly format: string;
  readonly uploadS: number;
  readonly rowsPerS: number;
  readonly idleMb: number;
  readonly growthMb: number;
  readonly readRowsPerS: number;
  readonly singleRowsPerS: number;
}

const FORMATS: Record<string, { type: string; head: string; line: (index: number) => string }> = {
  ndjson: {
    type: "application/x-ndjson",
    head: "",
    line: (index) => `${JSON.stringify({ answers: applicant(index) })}\n`,
  },
  csv: {
    type: "text/csv",
    head: `${Object.keys(applicant(0)).join(";")}\n`,
    line: (index) => `${Object.values(applicant(index)).join(";")}\n`,
  },
};

/** The body as it would come from a disk: made while it is sent. */
function bodyOf({ head, line }: typeof FORMATS[string] & object): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let index = 0;
  return new ReadableStream({
    start: (controller) => head && controller.enqueue(encoder.encode(head)),
    pull(controller) {
      if (index >= rows) return controller.close();
      const lines = Array.from({ length: Math.min(200, rows - index) }, () => line(index++));
      controller.enqueue(encoder.encode(lines.join("")));
    },
  });
}

async function round(format: string): Promise<Round> {
  const described = FORMATS[format];
  if (described === undefined) throw new TypeError(`${format} is no format`);
  await using service = await start();
  const prescore = createPrescore(service.url);
  await pause(IDLE_MS);
  const singleRowsPerS = await single(service);
  await pause(IDLE_MS);
  const idleBytes = service.memoryBytes();
  let mostBytes = idleBytes;
  const sampling = setInterval(() => {
    mostBytes = Math.max(mostBytes, service.memoryBytes());
  }, SAMPLE_MS);
  const startedMs = performance.now();
  const response = await fetch(`${service.url}/v1/batches`, {
    method: "POST",
    headers: { "Content-Type": described.type },
    body: bodyOf(described),
  });
  if (response.status !== 202) throw new Error(await response.text());
  const { id } = await response.json();
  const uploadS = (performance.now() - startedMs) / 1000;
  for (let status = "running"; status !== "finished";) {
    await pause(20);
    const { data } = await prescore.GET("/v1/batches/{id}", { params: { path: { id } } });
    status = data?.status ?? status;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const readMs = performance.now();
  const results = await fetch(`${service.url}/v1/batches/${id}/results`);
  let lines = 0;
  for await (const chunk of results.body ?? []) {
    for (const byte of chunk) if (byte === 0x0a) lines++;
  }
  const readS = (performance.now() - readMs) / 1000;
  clearInterval(sampling);
  if (lines !== rows) throw new Error(`${lines} rows came back, must be ${rows}`);
  return {
    format,
    uploadS,
    rowsPerS: rows / seconds,
    idleMb: idleBytes / MB,
    growthMb: (mostBytes - idleBytes) / MB,
    readRowsPerS: rows / readS,
    singleRowsPerS,
  };
}

/** The same through the reference's upload, one application a request. */
async function single({ url }: Running): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: SINGLE_AT_ONCE }, async () => {
    for (let index = next++; index < SINGLE_ROWS; index = next++) {
      const response = await fetch(`${url}/upload_features`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(applicant(index)),
      });
      await response.body?.cancel();
    }
  }));
  return SINGLE_ROWS / ((performance.now() - startedMs) / 1000);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const rounds: Round[] = [];
for (let at = 0; at < Number(values.rounds); at++) {
  for (const format of Object.keys(FORMATS)) {
    const done = await round(format);
    rounds.push(done);
    console.log(
      `${format}: ${Math.round(done.rowsPerS)} rows/s (uploaded after ${
        done.uploadS.toFixed(1)
      } s), ` +
        `${Math.round(done.growthMb)} MB over ${Math.round(done.idleMb)} MB, ` +
        `read at ${Math.round(done.readRowsPerS)} rows/s; ` +
        `${(done.rowsPerS / done.singleRowsPerS).toFixed(1)} times one by one`,
    );
  }
}
for (const format of Object.keys(FORMATS)) {
  const of = rounds.filter((each) => each.format === format);
  console.log(
    `${format}, medians: ${Math.round(median(of.map(({ rowsPerS }) => rowsPerS)))} rows/s, ` +
      `${Math.round(median(of.map(({ growthMb }) => growthMb)))} MB growth, ` +
      `${median(of.map(({ rowsPerS, singleRowsPerS }) => rowsPerS / singleRowsPerS)).toFixed(1)} ` +
      "times one by one",
  );
}
await writeResult("api_batch", { rows, rounds });
