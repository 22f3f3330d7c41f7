import assert from "node:assert/strict";
import { type Connection, SlowSockets } from "../../sockets/slow.ts";
import { FakeClock } from "../support/fake_clock.ts";

const [HEAD_MS, IDLE_MS, SECOND_MS] = [10_000, 75_000, 1000];

class Client {
  receivedBytes = 0;
  answeredBytes = 0;
  isOpen = true;
  readonly peerPort: number;

  constructor(peerPort: number) {
    this.peerPort = peerPort;
  }

  get id() {
    return `7:${this.peerPort}`;
  }

  close(): void {
    this.isOpen = false;
  }
}

function open(...clients: Client[]) {
  const clock = new FakeClock();
  const slow = new SlowSockets({
    connections: () => clients.filter(({ isOpen }) => isOpen) satisfies Connection[],
    ...{ clock, headMs: HEAD_MS, idleMs: IDLE_MS },
    report: (error) => {
      throw error;
    },
  });
  slow.start();
  /** Seconds pass, in each of which a client may do something. */
  const pass = async (seconds: number, each: () => void = () => {}) => {
    for (let second = 0; second < seconds; second++) {
      each();
      await clock.advance(SECOND_MS);
    }
  };
  return { clock, slow, pass, [Symbol.dispose]: () => slow.stop() };
}

function infoOf({ peerPort }: Client): Deno.ServeHandlerInfo {
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: peerPort } as const;
  return { remoteAddr, completed: Promise.resolve() };
}

Deno.test("a connection on which no head comes to its end is closed in time, however it trickles", async () => {
  const [silent, trickling] = [new Client(1), new Client(2)];
  using test = open(silent, trickling);
  await test.pass(10, () => trickling.receivedBytes++);
  assert.deepEqual([silent.isOpen, trickling.isOpen], [true, true]);
  await test.pass(1, () => trickling.receivedBytes++);
  assert.deepEqual([silent.isOpen, trickling.isOpen], [false, false]);
});

Deno.test("a connection that is answered again and again stays open", async () => {
  const client = new Client(1);
  using test = open(client);
  await test.pass(200, () => {
    client.receivedBytes += 100;
    client.answeredBytes += 100;
  });
  assert.ok(client.isOpen);
});

Deno.test("a second head has as long as the first", async () => {
  const client = new Client(1);
  client.receivedBytes = 100;
  client.answeredBytes = 100;
  using test = open(client);
  await test.pass(1);
  await test.pass(9, () => client.receivedBytes++);
  assert.ok(client.isOpen);
  await test.pass(2, () => client.receivedBytes++);
  assert.ok(!client.isOpen);
});

Deno.test("a connection that nobody uses is closed later", async () => {
  const client = new Client(1);
  client.receivedBytes = 100;
  client.answeredBytes = 100;
  using test = open(client);
  await test.pass(75);
  assert.ok(client.isOpen);
  await test.pass(1);
  assert.ok(!client.isOpen);
});

Deno.test("a connection whose request is being answered is left alone, for as long as that takes", async () => {
  const client = new Client(1);
  using test = open(client);
  const answered = Promise.withResolvers<Response>();
  client.receivedBytes = 100;
  const response = test.slow.watch(() => answered.promise)(
    new Request("http://localhost/"),
    infoOf(client),
  );
  await test.pass(300);
  assert.ok(client.isOpen);
  answered.resolve(new Response());
  await response;
  client.answeredBytes = 100;
  await test.pass(75);
  assert.ok(client.isOpen);
});

Deno.test("a handler that throws leaves nothing behind", async () => {
  const client = new Client(1);
  using test = open(client);
  const failing = test.slow.watch(() => Promise.reject(new Error("broken")));
  await assert.rejects(
    Promise.resolve(failing(new Request("http://localhost/"), infoOf(client))),
    /broken/,
  );
  await test.pass(11);
  assert.ok(!client.isOpen);
});

for (
  const [what, method, status, isRead, seconds] of [
    ["whose body was refused unread", "POST", 401, false, 4],
    ["whose body was too large", "POST", 413, true, 4],
    ["whose body came too slowly", "POST", 408, true, 4],
    ["whose body was read and refused", "POST", 422, true, 76],
    ["that asked for what is not there", "GET", 404, false, 76],
  ] as const
) {
  Deno.test(`a client ${what} keeps its connection for ${seconds} s at most`, async () => {
    const client = new Client(1);
    using test = open(client);
    client.receivedBytes = 100;
    const handler = test.slow.watch(async (request) => {
      if (isRead) await request.arrayBuffer();
      return new Response(null, { status });
    });
    const body = method === "POST" ? { body: "{}" } : {};
    await handler(new Request("http://localhost/", { method, ...body }), infoOf(client));
    client.answeredBytes = 100;
    await test.pass(seconds - 2);
    assert.ok(client.isOpen);
    await test.pass(2);
    assert.ok(!client.isOpen);
  });
}
