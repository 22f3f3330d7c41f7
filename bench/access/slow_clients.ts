/** Opens many connections, 500 a second, that send nothing, a head or a body byte by byte; says when the server has closed the last. */
const [url = "", count = ""] = Deno.args;
const { hostname, port } = new URL(url);
const encoder = new TextEncoder();

const HEADS = [
  "",
  "GET /v1/banks HTTP/1.1\r\nHost: a\r\n",
  "POST /upload_features HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n",
  "POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n",
];
const EVERY_MS = 1000;
const APART_MS = 2;

async function slow(number: number): Promise<number> {
  const kind = number % HEADS.length;
  await new Promise((resolve) => setTimeout(resolve, number * APART_MS));
  const startMs = performance.now();
  const connection = await Deno.connect({ hostname, port: Number(port) });
  let trickle: ReturnType<typeof setInterval> | undefined;
  try {
    await connection.write(encoder.encode(HEADS[kind]));
    // The fourth sends the beginning of a chunk and no more; the first nothing at all.
    const byte = encoder.encode(kind === 1 ? "x" : kind === 2 ? " " : kind === 3 ? "ff\r\na" : "");
    if (kind === 3) await connection.write(byte);
    else if (kind > 0) {
      trickle = setInterval(() => void connection.write(byte).catch(() => {}), EVERY_MS);
    }
    const buffer = new Uint8Array(1024);
    while (await connection.read(buffer) !== null);
  } catch {
    // Cut off in the middle of a write.
  }
  clearInterval(trickle);
  connection.close();
  return (performance.now() - startMs) / 1000;
}

console.log("true");
const seconds = await Promise.all(
  Array.from({ length: Number(count) }, (_, number) => slow(number)),
);
console.log(JSON.stringify({ closed: seconds.length, lastClosedS: Math.max(...seconds) }));
