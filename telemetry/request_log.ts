/**
 * One line of JSON for each request: when, its id, the route's name, the status and how long it took. Neither the path nor the
 * query, a header, a body or an address is in it, so nothing of a person is. Lines are written together, a few times a second.
 */
import type { Clock } from "../clock.ts";

/** Lines wait so long at most. */
const FLUSH_MS = 100;
const FLUSH_CHARS = 65_536;

export interface LoggedRequest {
  readonly requestId: string;
  readonly method: string;
  /** As it is registered, such as `/v1/applications/:id`. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

export class RequestLog {
  readonly #clock: Clock;
  readonly #write: (text: string) => void;
  #text = "";
  #cancel: (() => void) | undefined;

  constructor({ clock, write }: { clock: Clock; write: (text: string) => void }) {
    this.#clock = clock;
    this.#write = write;
  }

  add({ requestId, method, route, status, milliseconds }: LoggedRequest): void {
    const time = new Date(this.#clock.now()).toISOString();
    const level = status >= 500 ? "error" : "info";
    this.#text += `${
      JSON.stringify({
        ...{ time, level, message: "request", requestId, method, route, status },
        milliseconds: Math.round(milliseconds * 1000) / 1000,
      })
    }\n`;
    if (this.#text.length >= FLUSH_CHARS) this.flush();
    else this.#cancel ??= this.#clock.after(FLUSH_MS, () => this.flush());
  }

  /** Writes what waits. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
