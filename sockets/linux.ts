/**
 * The open connections of one of this process's ports, asked of the Linux kernel through the C library: one poll(2) says
 * which files are open, and of those that are sockets of that port `TCP_INFO` (linux/tcp.h) says how much has gone each way.
 *
 * The server's connections are opened and closed by the thread that runs this, so no file can be another's between the calls.
 */
import type { Connection } from "./slow.ts";

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const SHUT_RDWR = 2;
const [AF_INET, AF_INET6] = [2, 10];
/** A `sockaddr_in6`; that of IPv4 is shorter, with the port in the same place. */
const ADDRESS_BYTES = 28;
/** Up to and with `tcpi_bytes_received`, which Linux has since 4.1. */
const INFO_BYTES = 136;
const [BYTES_ACKED, BYTES_RECEIVED] = [120, 128];

const RLIMIT_NOFILE = 7;
/** A `struct pollfd`: the file, what is asked, what is answered. */
const POLL_BYTES = 8;
const POLLNVAL = 0x20;
/** The kernel gives the lowest free number, so that many more than before cannot have been opened between two looks. */
const ROOM = 65_536;

const SYMBOLS = {
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
} as const;

export interface OpenConnections extends Disposable {
  /** Those whose own end is this port. */
  of(port: number): Iterable<Connection>;
}

/** Throws where the C library cannot be asked. */
export function openConnections(): OpenConnections {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  const { getrlimit, poll, getsockname, getpeername, getsockopt, shutdown } = library.symbols;
  const [address, info] = [new Uint8Array(ADDRESS_BYTES), new Uint8Array(INFO_BYTES)];
  const length = new Uint8Array(4);
  const [addressView, infoView, lengthView] = [address, info, length]
    .map(({ buffer }) => new DataView(buffer)) as [DataView, DataView, DataView];

  /** The port at one end of a socket; `undefined` for a file that is none, or is not connected. */
  function portOf(end: typeof getsockname, file: number): number | undefined {
    lengthView.setUint32(0, ADDRESS_BYTES, true);
    if (end(file, address, length) !== 0) return undefined;
    const family = addressView.getUint16(0, true);
    return family === AF_INET || family === AF_INET6 ? addressView.getUint16(2) : undefined;
  }

  const limits = new BigUint64Array(2);
  if (getrlimit(RLIMIT_NOFILE, new Uint8Array(limits.buffer)) !== 0) {
    throw new Error("getrlimit(RLIMIT_NOFILE) failed");
  }
  const mostFiles = Number(limits[0]);
  let highest = 0;

  function* openFiles(): Generator<number> {
    const count = Math.min(mostFiles, highest + ROOM);
    const asked = new Int32Array(count * POLL_BYTES / 4);
    for (let file = 0; file < count; file++) asked[2 * file] = file;
    const bytes = new Uint8Array(asked.buffer);
    if (poll(bytes, BigInt(count), 0) < 0) throw new Error("poll() failed");
    highest = 0;
    const isOpen = (file: number) => ((asked[2 * file + 1] ?? 0) >>> 16 & POLLNVAL) === 0;
    for (let file = 0; file < count; file++) if (isOpen(file)) highest = file;
    for (let file = 0; file <= highest; file++) if (isOpen(file)) yield file;
  }

  return {
    *of(port) {
      for (const file of openFiles()) {
        if (portOf(getsockname, file) !== port) continue;
        const peerPort = portOf(getpeername, file);
        if (peerPort === undefined) continue;
        lengthView.setUint32(0, INFO_BYTES, true);
        if (getsockopt(file, IPPROTO_TCP, TCP_INFO, info, length) !== 0) continue;
        if (lengthView.getUint32(0, true) < INFO_BYTES) continue;
        yield {
          id: `${file}:${peerPort}`,
          peerPort,
          receivedBytes: Number(infoView.getBigUint64(BYTES_RECEIVED, true)),
          answeredBytes: Number(infoView.getBigUint64(BYTES_ACKED, true)),
          close: () => void shutdown(file, SHUT_RDWR),
        };
      }
    },
    [Symbol.dispose]: () => library.close(),
  };
}
