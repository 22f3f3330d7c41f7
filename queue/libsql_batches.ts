/** Batches in a libSQL database. Their counts are kept by the triggers of migration 3, in the transaction that changes a task. */
import { createHash } from "node:crypto";
import type { Appended, Batch, BatchStore, Chunk, NewChunk } from "./batches.ts";
import { termsStatements } from "../consent/mod.ts";
import { type Database, statement } from "../database/database.ts";
import { openBodies, sealBody } from "../sealing/mod.ts";
import { enqueueStatement, type StoreLimits, type StoreParts } from "./libsql_store.ts";
import { tenantOfId } from "./tenant.ts";

/** What is left of a batch whose upload never ended and of whose chunks some have been removed: it can neither go on nor be whole. */
const LEFT_OVER = `
  SELECT tasks.number FROM batches
  JOIN batch_chunks AS chunk ON chunk.batch_id = batches.id JOIN tasks ON tasks.id = chunk.task_id
  WHERE batches.id = :id AND batches.received_at_ms IS NULL
    AND batches.chunks > (SELECT count(*) FROM batch_chunks WHERE batch_id = :id)`;

const DROP_LEFT_OVER = ["results", "payloads", "tasks"]
  .map((table) => `DELETE FROM ${table} WHERE number IN (${LEFT_OVER})`);

/** Follows DROP_LEFT_OVER: one whose upload never ended, and whose chunks have been removed since, begins anew. */
const OPEN = `
  INSERT INTO batches (id, detail, created_at_ms, changed_at_ms) VALUES (:id, :detail, :now, :now)
  ON CONFLICT (id) DO UPDATE
  SET detail = :detail, chunks = 0, open_chunks = 0, rows = 0, refused_rows = 0, ended_rows = 0,
    created_at_ms = :now, changed_at_ms = :now
  WHERE received_at_ms IS NULL AND chunks > 0
    AND NOT EXISTS (SELECT 1 FROM batch_chunks WHERE batch_id = batches.id)`;

const FIND = "SELECT * FROM batches WHERE id = :id";

const STANDS = "SELECT task_id FROM batch_chunks WHERE batch_id = :batch AND position = :position";

const PAYLOAD = `
  INSERT INTO payloads (number, body, key, sealed)
  SELECT number, 'null', :key, :sealed FROM tasks WHERE id = :task
  ON CONFLICT DO NOTHING`;

/** Follows the enqueued task in its transaction; where the full queue did not take that, it adds nothing. */
const LINK = `
  INSERT INTO batch_chunks (batch_id, position, task_id, first_row, rows, refused_rows, created_at_ms)
  SELECT batches.id, :position, tasks.id, :first, :rows, :refused, :now
  FROM batches JOIN tasks ON tasks.id = :task
  WHERE batches.id = :batch AND batches.chunks = :position AND batches.received_at_ms IS NULL
  ON CONFLICT DO NOTHING`;

/** Follows LINK, so that no task is scored for a chunk that was not added; its payload is not stored yet. */
const DROP_UNLINKED = `
  DELETE FROM tasks
  WHERE id = :task AND NOT EXISTS (SELECT 1 FROM batch_chunks WHERE task_id = :task)`;

/** A batch that was received before, with the same number of chunks, stays as it is. */
const RECEIVE = `
  UPDATE batches
  SET received_at_ms = coalesce(received_at_ms, :now), broken = NULL,
    changed_at_ms = iif(received_at_ms IS NULL, max(changed_at_ms, :now), changed_at_ms)
  WHERE id = :id AND chunks = :chunks`;

const BREAK_OFF = "UPDATE batches SET broken = :cause WHERE id = :id AND received_at_ms IS NULL";

const CHUNK_FROM = `
  SELECT first_row, chunk.rows, tasks.id, tasks.state, tasks.error, results.body, results.sealed,
    (SELECT key FROM payloads WHERE payloads.number = results.number) AS key
  FROM batch_chunks AS chunk
  JOIN tasks ON tasks.id = chunk.task_id
  LEFT JOIN results USING (number)
  WHERE batch_id = :batch AND first_row + chunk.rows > :row
  ORDER BY position LIMIT 1`;

export class LibsqlBatches implements BatchStore {
  readonly #database: Database;
  readonly #limits: StoreLimits;
  readonly #vault: StoreParts["vault"];

  constructor(database: Database, { limits, vault }: StoreParts) {
    this.#database = database;
    this.#limits = limits;
    this.#vault = vault;
  }

  async open({ id, detail }: Pick<Batch, "id" | "detail">, nowMs: number): Promise<void> {
    await this.#database.write([
      ...DROP_LEFT_OVER.map((sql) => statement(sql, { id })),
      statement(OPEN, { id, detail, now: nowMs }),
    ]);
  }

  async find(id: string): Promise<Batch | undefined> {
    const { rows: [row] } = await this.#database.read(statement(FIND, { id }));
    return row && batchOf(row);
  }

  async append(chunk: NewChunk, nowMs: number): Promise<Appended> {
    const { batchId: batch, position, firstRow: first, rows, refusedRows: refused } = chunk;
    const id = chunkTaskId(chunk);
    const there = await this.#database.read(statement(STANDS, { batch, position }));
    if (there.rows.length > 0) return there.rows[0]?.task_id === id ? "appended" : "conflict";
    const [key] = await this.#vault.taken(1);
    if (key === undefined) throw new Error("the vault gave no key");
    const sealed = sealBody("payload", { id, text: chunk.payload, key: key.bytes });
    const results = await this.#database.write([
      enqueueStatement(
        [{ id, revision: chunk.revision, priority: "batch", tenant: tenantOfId(batch) }],
        { limits: this.#limits, nowMs },
      ),
      ...termsStatements((chunk.terms ?? []).map((terms) => ({ ...terms, task: id })), nowMs),
      statement(LINK, { batch, position, task: id, first, rows, refused, now: nowMs }),
      statement(DROP_UNLINKED, { task: id }),
      statement(PAYLOAD, { task: id, key: key.number, sealed }),
      statement(STANDS, { batch, position }),
    ]);
    const [stands] = results.at(-1)?.rows ?? [];
    if (stands !== undefined) return stands.task_id === id ? "appended" : "conflict";
    // Either the batch has ended or goes on elsewhere, or the queue took no task.
    return (results.at(-3)?.rowsAffected ?? 0) > 0 ? "conflict" : "refused";
  }

  async receive(id: string, { chunks, nowMs }: { chunks: number; nowMs: number }) {
    const [received] = await this.#database.write([
      statement(RECEIVE, { id, chunks, now: nowMs }),
    ]);
    return (received?.rowsAffected ?? 0) > 0;
  }

  async breakOff(id: string, cause: string): Promise<void> {
    await this.#database.write([statement(BREAK_OFF, { id, cause })]);
  }

  async chunkFrom(id: string, row: number): Promise<Chunk | undefined> {
    const { rows: [found] } = await this.#database.read(
      statement(CHUNK_FROM, { batch: id, row }),
    );
    if (found === undefined) return undefined;
    const { id: task, key, body, sealed } = found;
    const [result = null] = await openBodies(this.#vault, [
      { kind: "result", id: String(task), key, body, sealed },
    ]);
    return {
      firstRow: Number(found.first_row),
      rows: Number(found.rows),
      state: found.state as Chunk["state"],
      error: found.error as string | null,
      result,
    };
  }
}

/** Names a chunk's task by its place and content. */
function chunkTaskId({ batchId, position, payload }: NewChunk): string {
  const hash = createHash("sha256").update(`${batchId}\n${position}\n${payload}`);
  return `chk_${hash.digest("hex").slice(0, 40)}`;
}

function batchOf(row: Readonly<Record<string, unknown>>): Batch {
  return {
    id: String(row.id),
    detail: row.detail as Batch["detail"],
    createdAtMs: Number(row.created_at_ms),
    receivedAtMs: row.received_at_ms as number | null,
    finishedAtMs: row.finished_at_ms as number | null,
    changedAtMs: Number(row.changed_at_ms),
    broken: row.broken as string | null,
    chunks: Number(row.chunks),
    rows: Number(row.rows),
    refusedRows: Number(row.refused_rows),
    endedRows: Number(row.ended_rows),
  };
}
