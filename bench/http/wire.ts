/**
 * As much of HTTP/1.1 as a load needs: requests over connections that stay open, one after another on each. `fetch` takes three times
 * the processor time, which on shared processors is time that the server does not have.
 */

const HEAD_END = "\r\n\r\n";

/** Connections to one server; more are opened when all are in use. */
export class Wire {
  readonly #address: Deno.ConnectOptions;
  readonly #idle: Deno.TcpConn[] = [];
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#address = { hostname, port: Number(port) };
  }

  get(path: string): Promise<string> {
    return this.#ask(`GET ${path} HTTP/1.1\r\nHost: load${HEAD_END}`);
  }

  post(path: string, body: string): Promise<string> {
    const length = this.#encoder.encode(body).length;
    return this.#ask(
      `POST ${path} HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\nContent-Length: ${length}${HEAD_END}${body}`,
    );
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** The body of the answer. Rejects where the status is not one of success. */
  async #ask(request: string): Promise<string> {
    const connection = this.#idle.pop() ?? await this.#connect();
    const bytes = this.#encoder.encode(request);
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    const answer = await this.#answer(connection);
    this.#idle.push(connection);
    return answer;
  }

  async #connect(): Promise<Deno.TcpConn> {
    const connection = await Deno.connect(this.#address);
    connection.setNoDelay();
    return connection;
  }

  /** Answers here are short, of ASCII, and say their length. */
  async #answer(connection: Deno.TcpConn): Promise<string> {
    const buffer = new Uint8Array(4096);
    for (let text = "";;) {
      const read = await connection.read(buffer);
      if (read === null) throw new Error(`the connection was closed after: ${text}`);
      text += this.#decoder.decode(buffer.subarray(0, read));
      const head = text.indexOf(HEAD_END);
      if (head < 0) continue;
      const body = text.slice(head + HEAD_END.length);
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (!/^HTTP\/1.1 2/.test(text) || Number.isNaN(length)) throw new Error(text);
      if (body.length >= length) return body;
    }
  }
}
