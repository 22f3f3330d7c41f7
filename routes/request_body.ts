/**
 * Bodies of bounded length that come in bounded time. Whoever sends more, or too slowly, is answered; what follows is not read, and
 * the connection is closed (`sockets/slow.ts`).
 */
import type { Clock } from "../clock.ts";

/** The body has more bytes than are taken. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** The body did not come in time. */
export class BodyTimeoutError extends Error {
  override readonly name = "BodyTimeoutError";
}

export interface BodyLimits {
  readonly maxBytes: number;
  /** For the whole of a body that is read at once; of a stream, for each piece. */
  readonly timeoutMs: number;
  readonly after: Clock["after"];
}

/** The whole body. Rejects with `BodyTooLargeError` or `BodyTimeoutError`. */
export async function readBytes(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const length = request.headers.get("content-length");
  if (length === null || request.headers.has("transfer-encoding")) {
    return await readPieces(request, limits);
  }
  if (Number(length) > limits.maxBytes) {
    throw new BodyTooLargeError(`at most ${limits.maxBytes} bytes`);
  }
  return new Uint8Array(await inTime(request.arrayBuffer(), limits));
}

async function readPieces(
  { body }: Request,
  { maxBytes, timeoutMs, after }: BodyLimits,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const whole = collect(reader, maxBytes);
  try {
    return await inTime(whole, { timeoutMs, after });
  } catch (error) {
    // Nobody waits for either any more.
    whole.catch(() => {});
    reader.cancel().catch(() => {});
    throw error;
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > maxBytes) throw new BodyTooLargeError(`at most ${maxBytes} bytes`);
    pieces.push(value);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export interface StreamLimits extends BodyLimits {
  /** For all of it. */
  readonly wholeMs: number;
  readonly now: () => number;
}

/** A body that is read piece by piece; it ends with `BodyTooLargeError` or `BodyTimeoutError` where it breaks a limit. */
export function limitStream(
  body: ReadableStream<Uint8Array>,
  { maxBytes, wholeMs, now, ...limits }: StreamLimits,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const endMs = now() + wholeMs;
  let bytes = 0;
  return new ReadableStream({
    async pull(controller) {
      try {
        if (now() > endMs) throw new BodyTimeoutError("it took too long");
        const { done, value } = await inTime(reader.read(), limits);
        if (done) return controller.close();
        bytes += value.length;
        if (bytes > maxBytes) throw new BodyTooLargeError(`at most ${maxBytes} bytes`);
        controller.enqueue(value);
      } catch (error) {
        controller.error(error);
        reader.cancel().catch(() => {});
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

async function inTime<T>(
  work: Promise<T>,
  { timeoutMs, after }: Pick<BodyLimits, "timeoutMs" | "after">,
): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = after(
      timeoutMs,
      () => reject(new BodyTimeoutError(`nothing came for ${timeoutMs / 1000} s`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    work.catch(() => {});
    throw error;
  } finally {
    cancel();
  }
}
