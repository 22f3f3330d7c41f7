/**
 * A chunk of a batch as the queue sees it: the JSON texts of its payload and its result, a row each, in the same order. A row that is
 * no application goes through as what is wrong with it. A chunk that failed is done again row by row, so a row on which the
 * models fail is named, and takes none with it.
 */
import type { Answers } from "./answers.ts";
import type { Application } from "./score.ts";

/** What is wrong with a row, as its reader put it. */
type RowErrors = readonly unknown[];

export type ChunkRow = { readonly answers: Answers } | { readonly errors: RowErrors };

export type RowResult =
  | { readonly result: unknown }
  | { readonly errors: RowErrors }
  | { readonly failure: string };

export interface QueuedChunk {
  readonly payload: string;
  readonly createdAtMs: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What is done with applications, in their order; throws where it cannot be done with one of them. */
export type Work = (applications: readonly Application[]) => Promise<readonly unknown[]>;

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

/** The handler of chunks; its result is JSON text. Throws where the payload cannot be read, or the first attempt fails. */
export function chunkHandler(
  works: Readonly<Record<string, Work>>,
): (chunk: QueuedChunk) => Promise<string> {
  return async ({ payload, createdAtMs, attempt }) => {
    const { work: name, rows }: { work: string; rows: ChunkRow[] } = JSON.parse(payload);
    const work = Object.hasOwn(works, name) ? works[name] : undefined;
    if (work === undefined) {
      throw new Error(`the stored chunk asks for ${name}, which is not known`);
    }
    const applications = rows.filter((row) => "answers" in row)
      .map(({ answers }) => ({ answers, atMs: createdAtMs }));
    const results = attempt === 1
      ? (await work(applications)).map((result): RowResult => ({ result }))
      : await eachAlone(applications, work);
    const next = results.values();
    return JSON.stringify(rows.map((row) => "errors" in row ? row : next.next().value));
  };
}

async function eachAlone(applications: readonly Application[], work: Work): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (const application of applications) {
    try {
      const [result] = await work([application]);
      results.push({ result });
    } catch (error) {
      results.push({ failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return results;
}
