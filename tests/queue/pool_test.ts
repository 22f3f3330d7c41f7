import assert from "node:assert/strict";
import { type WorkerLike, type WorkerMessage, WorkerPool } from "../../queue/pool.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

type Behaviour = (request: string, worker: FakeWorker) => void;

class FakeWorker implements WorkerLike {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  terminated = false;
  readonly #behave: Behaviour;

  constructor(behave: Behaviour, first: WorkerMessage<string> | null = { kind: "ready" }) {
    this.#behave = behave;
    if (first !== null) queueMicrotask(() => this.say(first));
  }

  postMessage(request: unknown): void {
    this.#behave(String(request), this);
  }

  terminate(): void {
    this.terminated = true;
  }

  say(message: WorkerMessage<string>): void {
    if (!this.terminated) this.onmessage?.(new MessageEvent("message", { data: message }));
  }

  die(message: string): void {
    const event = new ErrorEvent("error", { message, cancelable: true });
    this.onerror?.(event);
    assert.ok(event.defaultPrevented, "an error that is not prevented ends the process");
  }
}

function echo(request: string, worker: FakeWorker): void {
  queueMicrotask(() => worker.say({ kind: "done", response: `${request}!` }));
}

async function start(spawn: () => FakeWorker, { size = 1 } = {}) {
  const clock = new FakeClock();
  const spawned: FakeWorker[] = [];
  const pool = await WorkerPool.start<string, string>({
    size,
    spawn() {
      const worker = spawn();
      spawned.push(worker);
      return worker;
    },
    timeoutMs: 100,
    clock,
  });
  return { pool, clock, spawned };
}

Deno.test("WorkerPool answers every request, more than it has workers", async () => {
  const { pool, clock } = await start(() => new FakeWorker(echo), { size: 2 });
  const answers = await Promise.all(["a", "b", "c", "d", "e"].map((text) => pool.run(text)));
  assert.deepEqual(answers, ["a!", "b!", "c!", "d!", "e!"]);
  assert.equal(clock.pending, 0);
});

Deno.test("WorkerPool gives a worker one request at a time", async () => {
  const asked: string[] = [];
  const { pool, spawned } = await start(() => new FakeWorker((request) => asked.push(request)));
  const first = pool.run("a");
  const second = pool.run("b");
  await settle();
  assert.deepEqual(asked, ["a"]);
  spawned[0]?.say({ kind: "done", response: "1" });
  assert.equal(await first, "1");
  await settle();
  assert.deepEqual(asked, ["a", "b"]);
  spawned[0]?.say({ kind: "done", response: "2" });
  assert.equal(await second, "2");
});

Deno.test("WorkerPool replaces a worker that dies, and rejects its request with the cause", async () => {
  const { pool, spawned } = await start(() =>
    new FakeWorker((request, worker) =>
      request === "kill" ? worker.die("boom") : echo(request, worker)
    )
  );
  await assert.rejects(pool.run("kill"), /the worker died: boom/);
  assert.equal(await pool.run("next"), "next!");
  assert.deepEqual(spawned.map(({ terminated }) => terminated), [true, false]);
});

Deno.test("WorkerPool rejects a request that cannot be posted, and goes on", async () => {
  const { pool } = await start(() =>
    new FakeWorker((request, worker) => {
      if (request === "uncloneable") {
        throw new DOMException("could not be cloned", "DataCloneError");
      }
      echo(request, worker);
    })
  );
  await assert.rejects(
    pool.run("uncloneable"),
    /cannot be sent to a worker: .*could not be cloned/,
  );
  assert.equal(await pool.run("next"), "next!");
});

Deno.test("WorkerPool replaces a worker that reports a failure", async () => {
  const { pool, spawned } = await start(() =>
    new FakeWorker((request, worker) =>
      request === "trap"
        ? queueMicrotask(() => worker.say({ kind: "failed", error: "engine.wasm trapped" }))
        : echo(request, worker)
    )
  );
  await assert.rejects(pool.run("trap"), /engine\.wasm trapped/);
  assert.equal(await pool.run("next"), "next!");
  assert.deepEqual(spawned.map(({ terminated }) => terminated), [true, false]);
});

Deno.test("WorkerPool replaces a worker that hangs past the timeout", async () => {
  const { pool, clock, spawned } = await start(() =>
    new FakeWorker((request, worker) => request === "hang" ? undefined : echo(request, worker))
  );
  const hung = pool.run("hang");
  const waiting = pool.run("next");
  const rejected = assert.rejects(hung, /no answer within 100 ms/);
  await clock.advance(150);
  await rejected;
  assert.equal(await waiting, "next!");
  assert.equal(spawned[0]?.terminated, true);
});

Deno.test("WorkerPool takes an answer that came in time, and was read late", async () => {
  const { pool, clock, spawned } = await start(() => new FakeWorker(() => {}));
  const answer = pool.run("a");
  await settle();
  // The thread was held up: the timer is the first to be heard, though the answer was there before it.
  await clock.advance(100);
  spawned[0]?.say({ kind: "done", response: "a!" });
  assert.equal(await answer, "a!");
  assert.equal(clock.pending, 0);
  assert.equal(spawned[0]?.terminated, false);
});

Deno.test("WorkerPool tries again to start a worker that could not be replaced", async () => {
  let spawns = 0;
  const { pool } = await start(() => {
    spawns++;
    return new FakeWorker(
      (request, worker) => request === "kill" ? worker.die("boom") : echo(request, worker),
      spawns === 2 ? { kind: "failed", error: "no memory" } : { kind: "ready" },
    );
  });
  await assert.rejects(pool.run("kill"), /boom/);
  await assert.rejects(pool.run("a"), /boom/);
  assert.equal(await pool.run("b"), "b!");
  assert.equal(spawns, 3);
});

Deno.test("WorkerPool.start() rejects and leaves no worker where one cannot get ready", async () => {
  const workers: FakeWorker[] = [];
  await assert.rejects(
    start(() => {
      const worker = new FakeWorker(
        echo,
        workers.length === 0 ? { kind: "ready" } : { kind: "failed", error: "corrupt model" },
      );
      workers.push(worker);
      return worker;
    }, { size: 2 }),
    /Cannot start a worker: corrupt model/,
  );
  assert.deepEqual(workers.map(({ terminated }) => terminated), [true, true]);
});

Deno.test("WorkerPool.start() gives up on a worker that never gets ready", async () => {
  const clock = new FakeClock();
  const worker = new FakeWorker(echo, null);
  const started = assert.rejects(
    WorkerPool.start({ size: 1, spawn: () => worker, timeoutMs: 100, clock }),
    /no answer within 100 ms/,
  );
  await clock.advance(150);
  await started;
  assert.ok(worker.terminated);
});

Deno.test("WorkerPool ends its workers when its signal is aborted, also while it starts", async () => {
  const stopping = new AbortController();
  const worker = new FakeWorker(echo, null);
  const started = assert.rejects(
    WorkerPool.start({
      size: 1,
      spawn: () => worker,
      timeoutMs: 100,
      clock: new FakeClock(),
      signal: stopping.signal,
    }),
    /the worker pool was closed/,
  );
  stopping.abort();
  await started;
  assert.ok(worker.terminated);
});

Deno.test("WorkerPool.close() ends the workers and rejects what has no answer", async () => {
  const { pool, spawned } = await start(() => new FakeWorker(() => {}));
  const requests = [pool.run("a"), pool.run("b")].map((request) =>
    assert.rejects(request, /closed/)
  );
  pool.close();
  await Promise.all(requests);
  await assert.rejects(pool.run("c"), /closed/);
  assert.ok(spawned[0]?.terminated);
});
