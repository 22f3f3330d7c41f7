/**
 * A chunk of a batch as the queue sees it: the JSON texts of its payload and its result, a row each, in the same order. A row that is
 * no application goes through as what is wrong with it. A chunk that failed is done again row by row, so a row on which the
 * models fail is named, and takes none with it.
 */
import type { Answers } from "./answers.ts";
import type { Application } from "./score.ts";

/** What is wrong with a row, as its reader put it. */
type RowErrors = readonly unknown[];

/** `terms`, on which the row was sent, tell one upload from another; nothing of them is scored. */
export type ChunkRow =
  | { readonly answers: Answers; readonly terms?: object }
  | { readonly errors: RowErrors };

export type RowResult =
  | { readonly result: unknown }
  | { readonly errors: RowErrors }
  | { readonly failure: string };

export interface QueuedTask {
  readonly id: string;
  readonly payload: string;
  readonly createdAtMs: number;
  /** 1 for the first. */
  readonly attempt: number;
}

type Outcome = { readonly result: string } | { readonly error: string };
type Handler = (tasks: readonly QueuedTask[]) => Promise<readonly Outcome[]>;

/** What is done with applications. */
export interface Work {
  /** With all of them, in their order; rejects where it cannot be done with one. */
  all(applications: readonly Application[]): Promise<readonly unknown[]>;
  /** With one that may be the cause of a failure. */
  one(application: Application): Promise<unknown>;
}

/** What the ids of chunks begin with; migration 3 tells their tasks by it. */
const CHUNK_PREFIX = "chk_";

/** Whether a task is one; else it is a chunk, which holds rows of many. */
export function isApplication(id: string): boolean {
  return !id.startsWith(CHUNK_PREFIX);
}

/** The payload of a chunk, from the JSON texts of its rows: what each row gets is the name of a work. */
export function encodeChunk(work: string, rows: readonly string[]): string {
  return `{"work":${JSON.stringify(work)},"rows":[${rows.join(",")}]}`;
}

/** JSON text of a row in a payload. */
export function encodeChunkRow(row: ChunkRow): string {
  return JSON.stringify(row);
}

export function decodeChunkResult(text: string): readonly RowResult[] {
  return JSON.parse(text);
}

/** One row of a chunk, by its place from 0: what was sent, and what came of it, `null` where nothing has yet. */
export function decodeRow(
  payload: string,
  result: string | null,
  place: number,
): { readonly answers: Answers; readonly result: unknown } {
  const row: ChunkRow | undefined = JSON.parse(payload).rows[place];
  const outcome = result === null ? null : decodeChunkResult(result)[place] ?? null;
  return {
    answers: row && "answers" in row ? row.answers : {},
    result: outcome && "result" in outcome ? outcome.result : outcome,
  };
}

/** Does chunks by the work that they name, and all other tasks by `others`. What cannot be done fails its task alone. */
export function withChunks(works: Readonly<Record<string, Work>>, others: Handler): Handler {
  return async (tasks) => {
    const rest = tasks.filter(({ id }) => isApplication(id));
    const outcomes = (rest.length > 0 ? await others(rest) : []).values();
    const all: Outcome[] = [];
    for (const task of tasks) {
      if (!isApplication(task.id)) all.push(await chunkOutcome(task, works));
      else all.push(outcomes.next().value ?? { error: "the handler gave no outcome" });
    }
    return all;
  };
}

async function chunkOutcome(
  { payload, createdAtMs, attempt }: QueuedTask,
  works: Readonly<Record<string, Work>>,
): Promise<Outcome> {
  try {
    const { work: name, rows }: { work: string; rows: ChunkRow[] } = JSON.parse(payload);
    const work = Object.hasOwn(works, name) ? works[name] : undefined;
    if (work === undefined) {
      return { error: `the stored chunk asks for ${name}, which is not known` };
    }
    const applications = rows.filter((row) => "answers" in row)
      .map(({ answers }) => ({ answers, atMs: createdAtMs }));
    const results = attempt === 1
      ? (await work.all(applications)).map((result): RowResult => ({ result }))
      : await eachAlone(applications, work);
    const next = results.values();
    return {
      result: JSON.stringify(rows.map((row) => "errors" in row ? row : next.next().value)),
    };
  } catch (error) {
    return { error: reason(error) };
  }
}

async function eachAlone(applications: readonly Application[], work: Work): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (const application of applications) {
    try {
      results.push({ result: await work.one(application) });
    } catch (error) {
      results.push({ failure: reason(error) });
    }
  }
  return results;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
