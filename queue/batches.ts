/**
 * Batches as the rest of the program sees them. A batch is cut into chunks of rows; each chunk is a task of the queue, so leases,
 * fences, retries and restarts are the queue's. A chunk's task is named by what it holds and where it stands: appending the
 * same chunk twice comes to the same, and another one in its place is found out.
 */
import type { RowTerms } from "../consent/mod.ts";

/** What each row gets. */
export type BatchDetail = "probabilities" | "decisions";

export interface Batch {
  readonly id: string;
  readonly detail: BatchDetail;
  readonly createdAtMs: number;
  /** When the whole of it was there, else `null`. */
  readonly receivedAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** When a chunk was last added, or ended. */
  readonly changedAtMs: number;
  /** Why its upload broke off, where that is known. */
  readonly broken: string | null;
  readonly chunks: number;
  /** Rows that are stored. */
  readonly rows: number;
  /** Those of them that are no application. */
  readonly refusedRows: number;
  /** Those whose chunk has ended. */
  readonly endedRows: number;
}

export interface NewChunk {
  readonly batchId: string;
  /** From 0. */
  readonly position: number;
  /** The number of its first row, from 1. */
  readonly firstRow: number;
  readonly rows: number;
  readonly refusedRows: number;
  /** JSON text that the handler reads. */
  readonly payload: string;
  /** What the result depends on besides the payload. */
  readonly revision: string;
  /** On which its rows were sent, those that say so. */
  readonly terms?: readonly RowTerms[];
}

/** `appended`: it is on disk. `conflict`: another chunk stands there. `refused`: the queue is full. */
export type Appended = "appended" | "conflict" | "refused";

export interface Chunk {
  readonly firstRow: number;
  readonly rows: number;
  readonly state: "queued" | "leased" | "done" | "dead";
  readonly error: string | null;
  /** JSON text; there where it is done. */
  readonly result: string | null;
}

export interface BatchStore {
  /** Makes the batch, where there is none with its id. */
  open(batch: Pick<Batch, "id" | "detail">, nowMs: number): Promise<void>;
  find(id: string): Promise<Batch | undefined>;
  /** Adds a chunk after those that are there, or finds it there already. */
  append(chunk: NewChunk, nowMs: number): Promise<Appended>;
  /** Says that the upload has ended after so many chunks; false where the batch has another number of them. */
  receive(id: string, { chunks, nowMs }: { chunks: number; nowMs: number }): Promise<boolean>;
  /** Notes why the upload ended too soon. */
  breakOff(id: string, cause: string): Promise<void>;
  /** The first chunk that ends at this row or after it, with its result. */
  chunkFrom(id: string, row: number): Promise<Chunk | undefined>;
}
