/**
 * The upload of a batch: rows are read, cut into chunks and stored chunk by chunk, each on disk before the next is read, so memory is
 * bounded and what was taken is known at any time. Where chunks end depends on the rows alone: a body that is sent again after a
 * break finds its first chunks there already, and goes on after them.
 */
import type { RowTerms, Terms } from "../../consent/mod.ts";
import type { Batch, BatchDetail, BatchStore } from "../../queue/batches.ts";
import { encodeChunk, encodeChunkRow } from "../../scoring/chunk.ts";
import { TableError } from "../../scoring/table.ts";
import { RowsError } from "./json_rows.ts";
import { bodyProblem, Problem, type ProblemDetails } from "./problems.ts";
import type { ReadRow } from "./rows.ts";

/** Few enough that a chunk holds the event loop for milliseconds, many enough that a commit is paid by many rows. */
export const CHUNK_ROWS = 500;
/** Of a chunk's payload: where rows are long, it ends sooner. */
const CHUNK_CHARACTERS = 1 << 20;

export interface UploadOptions {
  readonly batches: BatchStore;
  readonly now: () => number;
  /** Tells the queue that there is something to do. */
  readonly wake: () => void;
  readonly maxRows: number;
  /** What results depend on besides the rows: the models and the banks. */
  readonly revision: () => string;
  /** Who sends it, as the audit log names him. */
  readonly actor: string;
}

interface Chunk {
  readonly rows: readonly string[];
  readonly refused: number;
  /** By the place of the row in the chunk, from 0. */
  readonly terms: ReadonlyMap<number, Terms>;
}

interface NewBatch {
  readonly id: string;
  readonly detail: BatchDetail;
}

/** Stores all rows; resolves with the batch when the last is on disk. Throws a `Problem` that says what was stored. */
export async function uploadBatch(
  batch: NewBatch,
  rows: AsyncIterable<ReadRow>,
  options: UploadOptions,
): Promise<Batch> {
  const { batches, now } = options;
  const upload = { opened: false };
  try {
    const chunks = await appendAll(batch, rows, { ...options, upload });
    if (!await batches.receive(batch.id, { chunks, nowMs: now() })) throw reused();
  } catch (error) {
    // A batch that another upload makes under this key is that one's to end.
    const ours = upload.opened &&
      !(error instanceof Problem && error.problem === "idempotency-key-reused");
    throw problemOf(
      bodyProblem(error),
      ours ? await breakOff(batch.id, error, options) : undefined,
    );
  }
  const received = await batches.find(batch.id);
  if (received === undefined) throw new Error(`batch ${batch.id} is gone`);
  return received;
}

/** Appends chunk after chunk; resolves with how many. */
async function appendAll(
  batch: NewBatch,
  rows: AsyncIterable<ReadRow>,
  { batches, now, wake, maxRows, revision, actor, upload }: UploadOptions & {
    upload: { opened: boolean };
  },
): Promise<number> {
  let [position, firstRow] = [0, 1];
  for await (const chunk of chunksOf(rows)) {
    if (firstRow + chunk.rows.length - 1 > maxRows) {
      throw new Problem("body-too-large", { detail: `a batch has at most ${maxRows} rows` });
    }
    if (position === 0) await batches.open(batch, now());
    const appended = await batches.append({
      batchId: batch.id,
      position: position++,
      firstRow,
      rows: chunk.rows.length,
      refusedRows: chunk.refused,
      payload: encodeChunk(batch.detail, chunk.rows),
      revision: revision(),
      terms: [...chunk.terms].map(([place, terms]): RowTerms => ({
        ...{ ...terms, actor, row: firstRow + place },
      })),
    }, now());
    if (appended === "conflict") throw reused();
    upload.opened = true;
    if (appended === "refused") throw new Problem("too-many-waiting");
    wake();
    firstRow += chunk.rows.length;
  }
  if (position > 0) return position;
  throw new Problem("invalid-request", { errors: [{ detail: "a batch must have a row" }] });
}

/** Notes that the upload ended too soon; the batch as it is then. Where the database fails, the upload's own end is told. */
async function breakOff(id: string, error: unknown, { batches }: UploadOptions) {
  const cause = error instanceof Error ? error.message : String(error);
  const stored = await batches.breakOff(id, cause).then(() => batches.find(id), () => undefined);
  return stored && { id, rows: stored.rows };
}

/** What the request ends with. */
function problemOf(error: unknown, batch: ProblemDetails["batch"]): unknown {
  if (error instanceof RowsError || error instanceof TableError) {
    return batch
      ? new Problem("upload-broken", { detail: error.message, batch })
      : new Problem("unreadable-body", { detail: error.message });
  }
  if (!(error instanceof Problem) || batch === undefined) return error;
  return new Problem(error.problem, { ...error.details, batch });
}

async function* chunksOf(rows: AsyncIterable<ReadRow>): AsyncGenerator<Chunk> {
  let texts: string[] = [];
  let terms = new Map<number, Terms>();
  let [refused, characters] = [0, 0];
  for await (const row of rows) {
    const text = encodeChunkRow(row);
    if ("terms" in row && row.terms) terms.set(texts.length, row.terms);
    texts.push(text);
    characters += text.length;
    if ("errors" in row) refused++;
    if (texts.length < CHUNK_ROWS && characters < CHUNK_CHARACTERS) continue;
    yield { rows: texts, refused, terms };
    texts = [];
    terms = new Map();
    [refused, characters] = [0, 0];
  }
  if (texts.length > 0) yield { rows: texts, refused, terms };
}

function reused(): Problem {
  return new Problem("idempotency-key-reused", {
    detail: "the batch that this key made has other rows, or gives them something else",
  });
}
