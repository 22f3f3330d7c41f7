/**
 * A fixed number of workers that answer one request at a time. A worker that fails, dies or hangs past the timeout is
 * replaced, and the request it had is rejected with the cause: whoever asked decides whether to ask again.
 */
import type { Clock } from "../clock.ts";

/** What a pool needs of a Web Worker. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

/** What a worker posts: once when it is ready to work or cannot be, then one answer for each request. */
export type WorkerMessage<Response> =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly response: Response }
  | { readonly kind: "failed"; readonly error: string };

export interface WorkerPoolOptions {
  readonly size: number;
  /** Makes a worker, which begins by posting `ready`, or `failed`. */
  readonly spawn: () => WorkerLike;
  /** How long a worker may take to get ready, or to answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Closes the pool, while it starts too. */
  readonly signal?: AbortSignal;
}

/** After a timeout: what came while this thread was held up is read first. */
const READ_FIRST_MS = 50;

interface Job<Request, Response> {
  readonly request: Request;
  readonly transfer: Transferable[];
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerPool<Request, Response> {
  readonly #options: WorkerPoolOptions;
  readonly #idle: Slot[] = [];
  readonly #slots = new Set<Slot>();
  readonly #waiting: Job<Request, Response>[] = [];
  #closed = false;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when every worker is ready. Rejects, with no worker left behind, where one cannot be. */
  static async start<Request, Response>(
    options: WorkerPoolOptions,
  ): Promise<WorkerPool<Request, Response>> {
    const pool = new WorkerPool<Request, Response>(options);
    options.signal?.throwIfAborted();
    options.signal?.addEventListener("abort", () => pool.close(), { once: true });
    try {
      const slots = await Promise.all(
        Array.from({ length: options.size }, () => pool.#addSlot()),
      );
      pool.#idle.push(...slots);
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Sends the request to the next free worker. Rejects with the cause where the worker fails or is lost. */
  run(request: Request, transfer: Transferable[] = []): Promise<Response> {
    if (this.#closed) return Promise.reject(new Error("the worker pool is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, transfer, resolve, reject });
      this.#assign();
    });
  }

  /** Ends every worker; requests without an answer are rejected. */
  close(): void {
    this.#closed = true;
    for (const slot of this.#slots) slot.end("the worker pool was closed");
    this.#slots.clear();
    for (const job of this.#waiting.splice(0)) job.reject(new Error("the worker pool was closed"));
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const slot = this.#idle.shift();
      const job = this.#waiting.shift();
      if (slot && job) void this.#work(slot, job);
    }
  }

  async #work(slot: Slot, { request, transfer, resolve, reject }: Job<Request, Response>) {
    try {
      const message = await slot.ask<Response>(request, transfer);
      if (message.kind === "done") resolve(message.response);
      else {
        throw new Error(message.kind === "failed" ? message.error : "the worker was not asked yet");
      }
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      slot.end(cause.message);
      reject(cause);
    }
    this.#idle.push(slot.ended ? await this.#replace(slot) : slot);
    this.#assign();
  }

  /** A new worker in the place of a lost one; where none gets ready, the slot stays and fails its next request. */
  async #replace(lost: Slot): Promise<Slot> {
    this.#slots.delete(lost);
    if (this.#closed) return lost;
    try {
      return await this.#addSlot();
    } catch {
      return lost;
    }
  }

  async #addSlot(): Promise<Slot> {
    const slot = new Slot(this.#options);
    this.#slots.add(slot);
    const message = await slot.ready;
    if (message.kind === "ready") return slot;
    const cause = message.kind === "failed" ? message.error : "it answered before it was asked";
    slot.end(cause);
    this.#slots.delete(slot);
    throw new Error(`Cannot start a worker: ${cause}`);
  }
}

/** One worker and the one message that it owes. */
class Slot {
  readonly #worker: WorkerLike;
  readonly #options: WorkerPoolOptions;
  readonly ready: Promise<WorkerMessage<never>>;
  #owed:
    | { resolve: (message: WorkerMessage<unknown>) => void; reject: (e: Error) => void }
    | undefined;
  #cause: string | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#worker = options.spawn();
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage<unknown>>) => {
      const owed = this.#owed;
      this.#owed = undefined;
      owed?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      // Without this the error would end the whole process.
      event.preventDefault();
      this.end(`the worker died: ${event.message}`);
    };
    this.ready = this.#next<never>();
  }

  get ended(): boolean {
    return this.#cause !== undefined;
  }

  async ask<Response>(
    request: unknown,
    transfer: Transferable[],
  ): Promise<WorkerMessage<Response>> {
    if (this.#cause !== undefined) throw new Error(this.#cause);
    const answer = this.#next<Response>();
    try {
      this.#worker.postMessage(request, transfer);
    } catch (error) {
      this.end(`the request cannot be sent to a worker: ${error}`);
    }
    return await answer;
  }

  /** Terminates the worker; what it still owes is rejected with the cause. */
  end(cause: string): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#worker.terminate();
    this.#owed?.reject(new Error(cause));
    this.#owed = undefined;
  }

  async #next<Response>(): Promise<WorkerMessage<Response>> {
    const { clock, timeoutMs } = this.#options;
    let cancel = clock.after(timeoutMs, () => {
      cancel = clock.after(
        READ_FIRST_MS,
        () => this.end(`the worker gave no answer within ${timeoutMs} ms`),
      );
    });
    try {
      return await new Promise<WorkerMessage<Response>>((resolve, reject) => {
        this.#owed = { resolve: (message) => resolve(message as WorkerMessage<Response>), reject };
      });
    } finally {
      cancel();
    }
  }
}
