/**
 * The typed client: every operation of the OpenAPI document through `fetch`, by openapi-fetch, with the types that
 * openapi-typescript makes of the document. It runs wherever `fetch` does. Beside it stands what most callers want: a decision,
 * however long it takes, and the results of a batch row by row.
 */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.ts";

export type Prescore = Client<paths>;
export type Answers = components["schemas"]["Answers"];
export type Application = components["schemas"]["Application"];
export type Batch = components["schemas"]["Batch"];
export type BatchRow = components["schemas"]["BatchRow"];
export type Decision = components["schemas"]["Decision"];
export type ProblemDetails = components["schemas"]["ProblemDetails"];

/** What a server holds a request open for without being asked again. */
const WAIT_S = 30;

/** The service refused, or failed: `details` is its problem (RFC 9457). */
export class PrescoreProblem extends Error {
  override readonly name = "PrescoreProblem";
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails) {
    super(details.detail === undefined ? details.title : `${details.title}: ${details.detail}`);
    this.details = details;
  }
}

/** A client of the service at `baseUrl`, such as `http://127.0.0.1:8000`. */
export function createPrescore(baseUrl: string): Prescore {
  return createClient<paths>({ baseUrl });
}

/** The data of an answer; throws `PrescoreProblem` where it is a problem. */
export function unwrap<Data>(
  { data, error }: { readonly data?: Data; readonly error?: ProblemDetails },
): Data {
  if (error !== undefined) throw new PrescoreProblem(error);
  if (data === undefined) throw new TypeError("Cannot read the answer: it has no body");
  return data;
}

export interface DecideOptions {
  /** Names this request: sent again with the same key it is the same application. */
  readonly idempotencyKey: string;
  readonly signal?: AbortSignal;
}

/** Has an application decided, and waits for it. Throws `PrescoreProblem` where it cannot be. */
export async function decide(
  prescore: Prescore,
  answers: Answers,
  { idempotencyKey, signal }: DecideOptions,
): Promise<Decision> {
  const wait = { prefer: `wait=${WAIT_S}` };
  const request = signal === undefined ? {} : { signal };
  let application = unwrap(
    await prescore.POST("/v1/applications", {
      params: { header: { ...wait, "idempotency-key": JSON.stringify(idempotencyKey) } },
      body: { answers },
      ...request,
    }),
  );
  while (application.status === "queued" || application.status === "scoring") {
    application = unwrap(
      await prescore.GET("/v1/applications/{id}", {
        params: { path: { id: application.id }, header: wait },
        ...request,
      }),
    );
  }
  if (application.decision) return application.decision;
  throw new PrescoreProblem({
    type: "about:blank",
    title: "The application cannot be decided",
    status: 200,
    ...application.failure !== undefined && { detail: application.failure },
  });
}

/** The rows of a batch with their results, in their order, as they get there; ends with the batch, or with what an interrupted upload left. */
export async function* batchResults(
  prescore: Prescore,
  id: string,
  { pollMs = 500 }: { readonly pollMs?: number } = {},
): AsyncGenerator<BatchRow> {
  for (let from = 1;;) {
    const answer = await prescore.GET("/v1/batches/{id}/results", {
      params: { path: { id }, query: { format: "ndjson", from } },
      parseAs: "stream",
    });
    const first = from;
    for await (const row of ndjson(unwrap(answer))) {
      from = row.row + 1;
      yield row;
    }
    const status = answer.response.headers.get("prescore-batch-status");
    if (status === "finished" || (status === "interrupted" && from === first)) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function* ndjson(body: ReadableStream<Uint8Array<ArrayBuffer>> | null) {
  let text = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as BatchRow;
  }
}
