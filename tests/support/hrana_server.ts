/**
 * A libSQL server for tests: Hrana over HTTP, versions 2 and 3, in JSON, over an SQLite file. It speaks what a client may ask of
 * a server (pipelines, batches with conditions, sequences, descriptions, stored texts, streams that go on by a baton), and can
 * be told to cut a connection before or after it did what was asked.
 *
 * Known limits: no protobuf, no cursors, no authentication; a stream that meets a lock is refused at once and does not wait;
 * an abandoned stream lives until the server closes. Protocol: HRANA_3_SPEC.md of tursodatabase/libsql.
 */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Batch,
  BatchCondition,
  HranaError,
  PipelineAnswer,
  PipelineRequest,
  StreamRequest,
  StreamResult,
} from "./hrana_protocol.ts";
import { SqlConnection, sqlError } from "./hrana_sql.ts";

/** What a request meets: nothing, a cut before it is read, or a cut after it was carried out, so that its answer is lost. */
export type Fault = "none" | "cutBefore" | "cutAfter";

export interface HranaServerOptions {
  /** The SQLite file; it is made where it does not exist. */
  readonly path: string;
  /** Decides the fault of each pipeline, given the SQL texts in it. */
  readonly fault?: ((sql: readonly string[]) => Fault) | undefined;
}

export interface HranaServer extends AsyncDisposable {
  /** Address for a client, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Pipelines carried out. */
  readonly pipelines: number;
}

interface Stream {
  readonly connection: SqlConnection;
  readonly texts: Map<number, string>;
}

export async function startHranaServer(
  { path, fault = () => "none" }: HranaServerOptions,
): Promise<HranaServer> {
  const streams = new Streams(path);
  let pipelines = 0;
  const server = createServer(async (request, response) => {
    if (request.method === "GET") {
      response.writeHead(/^\/v[23]\/?$/.test(request.url ?? "") ? 200 : 404).end();
      return;
    }
    if (!/^\/v[23]\/pipeline$/.test(request.url ?? "")) {
      response.writeHead(404).end();
      return;
    }
    const body = await readBody(request);
    if (body === undefined) return;
    const pipeline: PipelineRequest = JSON.parse(body);
    const cut = fault(pipeline.requests.flatMap(textsOf));
    if (cut === "cutBefore") {
      request.socket.destroy();
      return;
    }
    const answer = streams.run(pipeline);
    pipelines++;
    if (cut === "cutAfter") {
      request.socket.destroy();
      return;
    }
    response.writeHead("error" in answer ? 400 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify("error" in answer ? answer.error : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get pipelines() {
      return pipelines;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      streams.close();
    },
  };
}

/** The whole text, or `undefined` where the client went away before it was here. */
async function readBody(request: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}

/** The open streams by their batons, and the connections that wait for one. */
class Streams {
  readonly #path: string;
  readonly #open = new Map<string, Stream>();
  readonly #idle: SqlConnection[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#idle.push(new SqlConnection(path));
  }

  run({ baton, requests }: PipelineRequest): PipelineAnswer | { readonly error: HranaError } {
    const stream = this.#take(baton ?? undefined);
    if (stream === undefined) {
      return { error: { message: `Cannot find stream ${baton}`, code: "STREAM_NOT_FOUND" } };
    }
    const results = requests.map((request) => runRequest(stream, request));
    if (requests.some(({ type }) => type === "close")) {
      stream.connection.reset();
      this.#idle.push(stream.connection);
      return { baton: null, base_url: null, results };
    }
    const next = crypto.randomUUID();
    this.#open.set(next, stream);
    return { baton: next, base_url: null, results };
  }

  close(): void {
    for (const { connection } of this.#open.values()) connection.close();
    for (const connection of this.#idle) connection.close();
  }

  /** A baton is good for one request. */
  #take(baton: string | undefined): Stream | undefined {
    if (baton === undefined) {
      return { connection: this.#idle.pop() ?? new SqlConnection(this.#path), texts: new Map() };
    }
    const stream = this.#open.get(baton);
    this.#open.delete(baton);
    return stream;
  }
}

function runRequest(stream: Stream, request: StreamRequest): StreamResult {
  try {
    return { type: "ok", response: answer(stream, request) };
  } catch (error) {
    return { type: "error", error: sqlError(error) };
  }
}

function answer({ connection, texts }: Stream, request: StreamRequest) {
  const { type } = request;
  switch (type) {
    case "execute":
      return { type, result: connection.execute(request.stmt, texts) };
    case "batch":
      return { type, result: runBatch(request.batch, { connection, texts }) };
    case "sequence":
      connection.sequence(connection.text(request, texts));
      return { type };
    case "describe":
      return { type, result: connection.describe(connection.text(request, texts)) };
    case "store_sql":
      texts.set(request.sql_id, request.sql);
      return { type };
    case "close_sql":
      texts.delete(request.sql_id);
      return { type };
    case "get_autocommit":
      return { type, is_autocommit: connection.isAutocommit };
    case "close":
      return { type };
  }
}

function runBatch({ steps }: Batch, { connection, texts }: Stream) {
  const results: unknown[] = [];
  const errors: (HranaError | null)[] = [];
  function holds(condition: BatchCondition): boolean {
    switch (condition.type) {
      case "ok":
        return Boolean(results[condition.step]);
      case "error":
        return Boolean(errors[condition.step]);
      case "not":
        return !holds(condition.cond);
      case "and":
        return condition.conds.every(holds);
      case "or":
        return condition.conds.some(holds);
      case "is_autocommit":
        return connection.isAutocommit;
    }
  }
  for (const [index, { condition, stmt }] of steps.entries()) {
    results[index] = errors[index] = null;
    if (condition && !holds(condition)) continue;
    try {
      results[index] = connection.execute(stmt, texts);
    } catch (error) {
      errors[index] = sqlError(error);
    }
  }
  return { step_results: results, step_errors: errors };
}

function textsOf(request: StreamRequest): string[] {
  if (request.type === "execute") return [request.stmt.sql ?? ""];
  if (request.type === "batch") return request.batch.steps.map(({ stmt }) => stmt.sql ?? "");
  return "sql" in request && request.sql ? [request.sql] : [];
}
