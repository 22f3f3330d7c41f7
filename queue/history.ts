/** The stored applications one after the other, for those who look back at all of them: a page at a time, however many there are. */
import { type Database, statement } from "../database/database.ts";
import type { TaskStore } from "./store.ts";

export interface PastApplication {
  /** As it is stored. */
  readonly id: string;
  readonly payload: string;
  readonly createdAtMs: number;
}

export interface Period {
  /** Milliseconds since the epoch, inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

const PAGE = 500;

/** Without chunks, which hold many rows each. */
const NEXT = `
  SELECT number, id, created_at_ms FROM tasks
  WHERE number > :after AND id NOT GLOB 'chk_*' ORDER BY number LIMIT ${PAGE}`;

/**
 * Applications of every tenant that were made in a period, in the order in which they were first stored; not the rows of batches.
 * What is stored meanwhile may come too, and what is removed meanwhile is left out.
 */
export async function* pastApplications(
  { database, store }: {
    readonly database: Pick<Database, "read">;
    readonly store: Pick<TaskStore, "payloadEach">;
  },
  { fromMs, toMs }: Period,
): AsyncGenerator<PastApplication> {
  for (let after = 0;;) {
    const { rows } = await database.read(statement(NEXT, { after }));
    const made = rows
      .map((row) => ({ id: String(row.id), createdAtMs: Number(row.created_at_ms) }))
      .filter(({ createdAtMs }) => createdAtMs >= fromMs && createdAtMs < toMs);
    const payloads = await store.payloadEach(made.map(({ id }) => id));
    for (const { id, createdAtMs } of made) {
      const payload = payloads.get(id);
      if (payload !== undefined) yield { id, payload, createdAtMs };
    }
    if (rows.length < PAGE) return;
    after = Number(rows.at(-1)?.number);
  }
}
