import assert from "node:assert/strict";
import { QueueAdmin } from "../../queue/admin.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import { type Endpoint, webhookEvent, WebhookSender } from "../../queue/webhook_sender.ts";
import { parseWebhookSecret, signedHeaders } from "../../queue/webhook_signature.ts";
import { WebhookStore } from "../../queue/webhook_store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LIMITS, openStore, type TestStore } from "../support/store.ts";
import { openRemoteStore } from "../support/remote_store.ts";

const KEY = parseWebhookSecret(`whsec_${new Uint8Array(24).fill(7).toBase64()}`);
const POLICY = { timeoutMs: 1000, maxAttempts: 3, backoffMs: { base: 1000, max: 4000 } };
const ENDPOINTS: Endpoint[] = ["crm", "shop"].map((id) => ({
  tenant: "",
  id,
  url: `https://${id}.example/hook`,
  keys: [KEY],
}));

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly redirect: string | undefined;
}

type Answer = (sent: Sent, signal: AbortSignal) => Promise<number> | number;

interface RigOptions {
  readonly open?: () => Promise<Opened>;
  readonly endpoints?: readonly Endpoint[];
}

type Opened = Pick<TestStore, "store" | "connection" | "vault"> & (AsyncDisposable | Disposable);

async function rig(
  answer: Answer,
  { open = openStore, endpoints = ENDPOINTS }: RigOptions = {},
) {
  await using resources = new AsyncDisposableStack();
  const test: Opened = resources.use(await open());
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const store = new WebhookStore(test.connection);
  const make = () =>
    new WebhookSender({
      store,
      endpoints,
      policy: POLICY,
      pollEveryMs: 250,
      clock,
      random: () => 0.5,
      report: (error) => assert.fail(String(error)),
      async fetch(url, init) {
        const each = {
          url: String(url),
          headers: Object.fromEntries(new Headers(init?.headers)),
          body: String(init?.body),
          redirect: init?.redirect,
        };
        sent.push(each);
        assert.ok(init?.signal);
        return new Response(null, { status: await answer(each, init.signal) });
      },
    });
  await store.configure(endpoints);
  const sender = make();
  resources.defer(() => sender.stop());
  const running = resources.move();
  return {
    ...test,
    clock,
    sent,
    sender,
    make,
    webhooks: store,
    batches: new LibsqlBatches(test.connection, { limits: LIMITS, vault: test.vault }),
    /** Ends a task as the queue would. */
    async end(id: string, error?: string) {
      await test.store.enqueue([{ id, payload: "{}", revision: "1" }], clock.now());
      await this.work(error);
    },
    async work(error?: string) {
      const claim = { leaseMs: 1000, limit: 10, retryHorizonMs: 1000 };
      const { claimed } = await test.store.settle({ nowMs: clock.now(), claim });
      await test.store.settle({
        nowMs: clock.now(),
        ...error === undefined
          ? { completed: claimed.map((task) => ({ ...task, result: "[]" })) }
          : { failed: claimed.map((task) => ({ ...task, error, retryAtMs: null })) },
      });
    },
    async waiting() {
      const { rows } = await test.connection.read(
        "SELECT endpoint_id, attempt, run_at_ms, error FROM webhook_deliveries ORDER BY endpoint_id",
      );
      return rows.map((row) => ({ ...row }));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const KINDS: [string, () => Promise<Opened>][] = [
  ["in memory", openStore],
  ["over Hrana", openRemoteStore],
];

for (const [where, open] of KINDS) {
  Deno.test(`${where}: each address is told once of an application that ended, signed`, async () => {
    await using test = await rig(() => 204, { open });
    await test.end("app_1");
    await test.end("0bf47865db14802e29de4d4f769c00b97966a691");
    assert.equal(await test.sender.sendDue(), true);
    assert.equal(await test.sender.sendDue(), false);
    assert.deepEqual(await test.waiting(), []);
    assert.deepEqual(test.sent.map(({ url }) => url).sort(), ENDPOINTS.map(({ url }) => url));
    for (const { headers, body, redirect } of test.sent) {
      assert.deepEqual(JSON.parse(body), {
        type: "application.decided",
        timestamp: new Date(test.clock.now()).toISOString(),
        data: { id: "app_1", path: "/v1/applications/app_1" },
      });
      assert.equal(headers["content-type"], "application/json");
      const id = headers["webhook-id"] ?? "";
      assert.equal(id, test.sent[0]?.headers["webhook-id"]);
      const timestampS = Math.floor(test.clock.now() / 1000);
      const expected = signedHeaders({ id, timestampS, body }, [KEY]);
      for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value);
      assert.equal(redirect, "manual");
    }
  });

  Deno.test(`${where}: a batch is told of when its last chunk has ended and it was received`, async () => {
    await using test = await rig(() => 200, { open });
    const chunk = { batchId: "bat_1", rows: 1, refusedRows: 0, revision: "1" };
    const now = test.clock.now();
    await test.batches.open({ id: "bat_1", detail: "probabilities" }, now);
    await test.batches.append({ ...chunk, position: 0, firstRow: 1, payload: "[1]" }, now);
    await test.work();
    await test.batches.append({ ...chunk, position: 1, firstRow: 2, payload: "[2]" }, now);
    assert.equal(await test.batches.receive("bat_1", { chunks: 2, nowMs: now }), true);
    assert.deepEqual(await test.waiting(), []);
    await test.work("it failed");
    await test.sender.sendDue();
    assert.deepEqual(test.sent.map(({ body }) => JSON.parse(body).type), [
      "batch.finished",
      "batch.finished",
    ]);
    assert.deepEqual(JSON.parse(test.sent[0]?.body ?? "").data, {
      id: "bat_1",
      path: "/v1/batches/bat_1",
    });
  });
}

Deno.test("an application that failed is told of as failed", async () => {
  await using test = await rig(() => 200);
  await test.end("app_1", "it failed");
  await test.sender.sendDue();
  assert.equal(JSON.parse(test.sent[0]?.body ?? "").type, "application.failed");
});

Deno.test("what was not taken is sent again with backoff under the same id, and given up at last", async () => {
  await using test = await rig(({ url }) => url.includes("crm") ? 503 : 302);
  await test.end("app_1");
  test.sender.start();
  await test.clock.advance(0);
  const now = test.clock.now();
  assert.deepEqual(await test.waiting(), [
    { endpoint_id: "crm", attempt: 1, run_at_ms: now + 500, error: "answered 503" },
    { endpoint_id: "shop", attempt: 1, run_at_ms: now + 500, error: "answered 302" },
  ]);
  await test.clock.advance(60_000);
  assert.equal(test.sent.length, 2 * POLICY.maxAttempts);
  assert.equal(new Set(test.sent.map(({ headers }) => headers["webhook-id"])).size, 1);
  assert.deepEqual((await test.waiting()).map(({ run_at_ms }) => run_at_ms), [null, null]);
});

Deno.test("QueueAdmin lists what was given up, and has it sent again", async () => {
  let status = 410;
  await using test = await rig(({ url }) => url.includes("crm") ? status : 204);
  const admin = new QueueAdmin(test.connection);
  await test.end("app_1");
  await test.end("app_2");
  test.sender.start();
  await test.clock.advance(0);
  const [first, second] = await admin.givenUp(9);
  assert.ok(first && second);
  assert.deepEqual(first, {
    eventId: "evt_app_1_1",
    endpointId: "crm",
    attempt: 1,
    occurredAtMs: first.occurredAtMs,
    error: "answered 410",
  });
  assert.deepEqual(await admin.givenUp(1), [first]);
  status = 204;
  assert.deepEqual(await admin.resend([second.eventId, "unknown"], test.clock.now()), [
    second.eventId,
  ]);
  test.sender.wake();
  await test.clock.advance(0);
  assert.deepEqual(await admin.givenUp(9), [first]);
  assert.deepEqual(await admin.resend("all", test.clock.now()), [first.eventId]);
  test.sender.wake();
  await test.clock.advance(0);
  assert.deepEqual(await test.waiting(), []);
});

Deno.test("an address that wants no more of an event is not sent it again", async () => {
  await using test = await rig(() => 410);
  await test.end("app_1");
  test.sender.start();
  await test.clock.advance(60_000);
  assert.equal(test.sent.length, ENDPOINTS.length);
});

Deno.test("an address that does not answer, or fails, holds up no other", async () => {
  await using test = await rig(({ url }, signal) => {
    if (!url.includes("crm")) return 200;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  await test.end("app_1");
  const sending = test.sender.sendDue();
  await test.clock.advance(POLICY.timeoutMs);
  await sending;
  const [left, ...others] = await test.waiting();
  assert.deepEqual(others, []);
  assert.equal(left?.endpoint_id, "crm");
  assert.equal(left?.error, "no answer in time");
});

Deno.test("a sender that dies leaves what it claimed to the next, when its lease is over", async () => {
  let alive = false;
  await using test = await rig(() => alive ? 200 : new Promise<number>(() => {}));
  await test.end("app_1");
  void test.make().sendDue();
  await test.clock.advance(0);
  assert.equal(await test.sender.sendDue(), false);
  alive = true;
  test.sender.start();
  await test.clock.advance(POLICY.timeoutMs + 5000 + 250);
  assert.equal(test.sent.length, 2 * ENDPOINTS.length);
  assert.deepEqual(await test.waiting(), []);
});

Deno.test("WebhookSender.stop() cuts off what is under way, and it is sent again later", async () => {
  await using test = await rig((_, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
  );
  await test.end("app_1");
  test.sender.start();
  await test.clock.advance(0);
  await test.sender.stop();
  assert.deepEqual((await test.waiting()).map(({ attempt }) => attempt), [1, 1]);
});

Deno.test("an address that is configured no more is forgotten with what it was still to be told", async () => {
  await using test = await rig(() => 200);
  await test.end("app_1");
  await test.webhooks.configure([{ id: "shop", tenant: "" }]);
  await test.sender.sendDue();
  assert.deepEqual(test.sent.map(({ url }) => url), ["https://shop.example/hook"]);
  await test.end("app_2");
  assert.deepEqual((await test.waiting()).map(({ endpoint_id }) => endpoint_id), ["shop"]);
});

Deno.test("nothing is written where nobody is to be told", async () => {
  await using test = await rig(() => 200, { endpoints: [] });
  await test.end("app_1");
  assert.deepEqual(await test.waiting(), []);
});

Deno.test("webhookEvent says nothing about the client", () => {
  const occurredAtMs = Date.UTC(2026, 0, 31);
  assert.deepEqual(webhookEvent({ type: "batch.finished", subject: "bat_1", occurredAtMs }), {
    type: "batch.finished",
    timestamp: "2026-01-31T00:00:00.000Z",
    data: { id: "bat_1", path: "/v1/batches/bat_1" },
  });
});
