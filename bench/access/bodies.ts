/** What huge, endless and deep bodies are answered, and how much memory they cost the service while they come. */
import { start } from "./support.ts";

const GIGABYTE = 2 ** 30;
const PIECE = new TextEncoder().encode(" ".repeat(65_536));
/** An endless body is sent for so long, whatever it is answered. */
const ENDLESS_MS = 8000;

const DEEP = `{"answers":{"position":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;
/** Within the limit of bytes. */
const DEEP_SHORT = `{"answers":{"position":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`;
const WIDE = `{"answers":{${Array.from({ length: 6000 }, (_, n) => `"a${n}":1`).join()}}}`;

const ROUTES = [
  ["/upload_features", "application/json"],
  ["/v1/applications", "application/json"],
  ["/v1/what-if", "application/json"],
  ["/v1/batches", "application/json"],
  ["/v1/batches", "application/x-ndjson"],
  ["/v1/batches", "text/csv"],
] as const;

export async function bodies() {
  await using resources = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
  resources.defer(() => Deno.remove(folder, { recursive: true }));
  const service = resources.use(await start({ databaseUrl: `file:${folder}/prescore.db` }));
  // What is loaded at first use counts for neither side.
  for (const [path, type] of ROUTES) await send(service.url, { path, type, body: "[{}" });
  const rows = [];
  for (const [path, type] of ROUTES) {
    for (
      const [what, options] of [
        ["100,000 deep", { body: DEEP }],
        ["30,000 deep", { body: DEEP_SHORT }],
        ["6,000 members", { body: WIDE }],
        ["1 GB with its length", { length: GIGABYTE }],
        ["chunked without an end", {}],
      ] as const
    ) {
      const before = await residentMb(service.pid);
      const watch = peakMb(service.pid);
      const status = await send(service.url, { path, type, ...options });
      const grownMb = Math.round((await watch.stop() - before) * 10) / 10;
      rows.push({ path, type, what, status, grownMb });
      console.error(path, type, what, status, grownMb);
    }
  }
  // A line of a batch is refused alone, in the results; the reference leaves out members that it does not know.
  const refused = rows.every(({ status, type, path, what }) =>
    status >= 400 && status < 500 || type === "application/x-ndjson" && !/length|end/.test(what) ||
    path === "/upload_features" && what.includes("members")
  );
  return { refused, mostGrownMb: Math.max(...rows.map(({ grownMb }) => grownMb)), rows };
}

interface Sent {
  readonly path: string;
  readonly type: string;
  /** Of spaces; absent with no body: without an end. */
  readonly length?: number;
  readonly body?: string;
}

/** The status of the answer; what was not sent by then is not sent. */
async function send(url: string, { path, type, length, body }: Sent): Promise<number> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const encoder = new TextEncoder();
  const bytes = body === undefined ? undefined : encoder.encode(body);
  const framing = bytes !== undefined || length !== undefined
    ? `Content-Length: ${bytes?.length ?? length}`
    : "Transfer-Encoding: chunked";
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;
  const status = answered(connection);
  try {
    await writeAll(connection, encoder.encode(head));
    if (bytes !== undefined) await writeAll(connection, bytes);
    else await flood(connection, { left: length ?? Infinity, isChunked: length === undefined });
  } catch {
    // Cut off, as it should be.
  }
  return await status;
}

async function flood(
  connection: Deno.Conn,
  { left, isChunked }: { left: number; readonly isChunked: boolean },
): Promise<void> {
  const untilMs = performance.now() + ENDLESS_MS;
  const encoder = new TextEncoder();
  for (; left > 0 && performance.now() < untilMs; left -= PIECE.length) {
    if (isChunked) await writeAll(connection, encoder.encode(`${PIECE.length.toString(16)}\r\n`));
    await writeAll(connection, PIECE);
    if (isChunked) await writeAll(connection, encoder.encode("\r\n"));
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function answered(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(65_536);
  const length = await connection.read(buffer).catch(() => null);
  const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
}

async function residentMb(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** The most of resident memory from now on, looked at every 20 ms. */
function peakMb(pid: number) {
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await residentMb(pid));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return most;
    },
  };
}
