/**
 * Closes the connections of slow clients: those whose request's head does not come to its end in time, and those that are open for
 * long without a use. `Deno.serve` waits for both for ever, and offers no way to it; so once a second the kernel is asked about every
 * connection of the process, which costs a request nothing but its place in a set.
 *
 * A connection is waited for from its last answer on, or from when it was first seen. While a request of it is being answered it is
 * left alone: bodies have a time limit of their own, where they are read. What is left of a body that was refused is given a moment,
 * so that the client can read the answer: the server would take it to its end, which may never come.
 *
 * Known limits: only where `sockets/linux.ts` can ask, else a proxy must do this (docs/security.md). A request is known by its
 * client's port alone, so one that is being answered also keeps another connection from the same port of another host.
 */
import type { Clock } from "../clock.ts";

/** One connection as the kernel knows it. */
export interface Connection {
  /** Names it while it is open. */
  readonly id: string;
  readonly peerPort: number;
  readonly receivedBytes: number;
  /** Bytes of answers that have arrived at the client. */
  readonly answeredBytes: number;
  close(): void;
}

export interface SlowSocketsOptions {
  /** The connections that are open now. */
  readonly connections: () => Iterable<Connection>;
  readonly clock: Clock;
  readonly headMs: number;
  readonly idleMs: number;
  readonly report: (error: unknown) => void;
}

const LOOK_EVERY_MS = 1000;
/** How long a connection stays open whose client was refused before its body had come to its end. */
const LINGER_MS = 2000;
/** Refusals of a body that was partly read. */
const [REQUEST_TIMEOUT, TOO_LARGE] = [408, 413];

interface Seen {
  sinceMs: number;
  answeredBytes: number;
  /** What had come when it was answered last: more is the head of a request. */
  receivedBytes: number;
  isRefused: boolean;
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

export class SlowSockets {
  readonly #options: SlowSocketsOptions;
  readonly #answering = new Set<Deno.ServeHandlerInfo>();
  /** Ports of clients that were refused in the middle of a body since the last look, and before it. */
  #refused = new Set<number>();
  #refusedBefore = new Set<number>();
  #seen = new Map<string, Seen>();
  #cancel: (() => void) | undefined;

  constructor(options: SlowSocketsOptions) {
    this.#options = options;
  }

  /** The handler, with its requests known here while they are being answered. */
  watch(handler: Handler): Handler {
    const answering = this.#answering;
    const answered = (response: Response, request: Request, info: Deno.ServeHandlerInfo) => {
      if (response.status >= 400 && isBodyLeft(request, response)) {
        this.#refused.add(portOf(info));
      }
      return response;
    };
    return (request, info) => {
      const answer = handler(request, info);
      // What is answered at once is never looked at in between.
      if (answer instanceof Response) return answered(answer, request, info);
      answering.add(info);
      return answer.then((response) => answered(response, request, info))
        .finally(() => answering.delete(info));
    };
  }

  start(): void {
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => {
      try {
        this.look();
      } catch (error) {
        this.#options.report(error);
      }
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Closes what has taken too long; returns how many. */
  look(): number {
    const { connections, clock, headMs, idleMs } = this.#options;
    const nowMs = clock.now();
    const busy = new Set(Array.from(this.#answering, portOf));
    const seen = new Map<string, Seen>();
    let closed = 0;
    for (const connection of connections()) {
      const { id, peerPort, receivedBytes, answeredBytes } = connection;
      const known = this.#seen.get(id);
      const wasAnswered = answeredBytes !== (known?.answeredBytes ?? 0);
      // For two looks: the answer may arrive after the first.
      const isRefused = this.#refused.has(peerPort) || this.#refusedBefore.has(peerPort);
      const state = known === undefined || wasAnswered || isRefused || busy.has(peerPort)
        ? {
          ...{ sinceMs: nowMs, answeredBytes, isRefused },
          receivedBytes: wasAnswered ? receivedBytes : 0,
        }
        : known;
      const isHeadComing = receivedBytes > state.receivedBytes || state.answeredBytes === 0;
      const limitMs = state.isRefused ? LINGER_MS : isHeadComing ? headMs : idleMs;
      if (nowMs - state.sinceMs < limitMs) seen.set(id, state);
      else {
        connection.close();
        closed++;
      }
    }
    this.#seen = seen;
    this.#refusedBefore = this.#refused;
    this.#refused = new Set();
    return closed;
  }
}

function isBodyLeft(request: Request, { status }: Response): boolean {
  if (request.method === "GET" || request.method === "HEAD") return false;
  return !request.bodyUsed || status === REQUEST_TIMEOUT || status === TOO_LARGE;
}

function portOf(info: Deno.ServeHandlerInfo): number {
  return "port" in info.remoteAddr ? info.remoteAddr.port : 0;
}
