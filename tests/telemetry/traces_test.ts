/** Traces as they are exported: the service as a process, told to export, and a receiver that reads what comes. */
import assert from "node:assert/strict";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "../support/otlp_receiver.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { TraceStore } from "../../telemetry/trace_store.ts";
import { Tracing } from "../../telemetry/tracing.ts";
import { spawnService } from "../support/process.ts";
import { EXAMPLE, PROJECT } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const CANARY = "canary-7f3e";
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

function environment(folder: string, receiver: OtlpReceiver): Record<string, string> {
  return {
    PRESCORE_DATABASE_URL: `file:${folder}/prescore.db`,
    PRESCORE_PORT: "0",
    OTEL_DENO: "true",
    OTEL_DENO_CONSOLE: "ignore",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "20",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  };
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name === name);
}

function attribute({ attributes }: ReceivedSpan, key: string): unknown {
  const value = attributes.findLast((each) => each.key === key)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
}

/** The keys that the shipped configuration of a collector deletes. */
async function deletedKeys(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("docs/telemetry/collector.yaml", PROJECT));
  return [...text.matchAll(/- key: (\S+)\n\s+action: delete/g)].map(([, key = ""]) => key);
}

Deno.test("a trace shows upload, queue wait, score and store, and no value of a client behind the shipped collector", async () => {
  await using folder = await temporaryFolder();
  await using receiver = startOtlpReceiver();
  const service = await spawnService(environment(folder.path, receiver));
  try {
    const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
      await (await fetch(`${service.url}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
      })).json();
    const get = async (path: string) =>
      await (await fetch(`${service.url}${path}`, { headers: { "X-Canary": CANARY } })).text();
    await post("/upload_features", { ...EXAMPLE, position: `${CANARY} position` }, {
      traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`,
    });
    const answers = { position: `${CANARY} v1`, monthprofit: 7_654_321 };
    const sent = { answers, subject: `${CANARY} person` };
    const wanted = await post("/v1/applications", sent, { Prefer: "wait=10" });
    assert.equal(wanted.status, "decided");
    await get(`/check_task?task_id=${CANARY}`);
    await get(`/v1/applications/${CANARY}`);
    await get(`/${CANARY}?name=${CANARY}`);
    await post("/v1/subjects/report", { subject: `${CANARY} person` });
    await receiver.until((spans) =>
      named(spans, "store").length >= 2 && named(spans, "POST /v1/subjects/report").length > 0 &&
      named(spans, "GET unmatched").length > 0
    );
  } finally {
    await service.end("SIGTERM");
  }
  const { spans, bodies } = receiver;

  // By the queue: the client's own trace goes on through the service.
  const [upload] = named(spans, "POST /upload_features");
  assert.ok(upload, JSON.stringify(spans.map(({ name }) => name)));
  assert.deepEqual([upload.traceId, upload.parentSpanId], [TRACE_ID, PARENT_ID]);
  assert.equal(attribute(upload, "http.route"), "/upload_features");
  const mine = spans.filter(({ traceId }) => traceId === TRACE_ID);
  const [enqueue] = named(mine, "enqueue");
  assert.equal(enqueue?.parentSpanId, upload.spanId);
  assert.equal(attribute(enqueue, "prescore.state"), "queued");
  const ways = ["queue wait", "score", "store"].map((name) => {
    const [span, ...more] = named(mine, name);
    assert.ok(span && more.length === 0, `${name}: ${mine.map((each) => each.name)}`);
    assert.equal(span.parentSpanId, enqueue.spanId, name);
    return span;
  });
  for (const [at, span] of ways.entries()) {
    assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), span.name);
    const before = ways[at - 1];
    if (before === undefined) continue;
    // Milliseconds are what the clock of the queue has.
    const slack = 2_000_000n;
    assert.ok(BigInt(before.endTimeUnixNano) <= BigInt(span.startTimeUnixNano) + slack, span.name);
  }

  // At once, for one who waits: no queue, all below the request.
  const [created] = named(spans, "POST /v1/applications");
  assert.ok(created);
  const below = spans.filter(({ traceId }) => traceId === created.traceId);
  assert.deepEqual(
    below.filter(({ parentSpanId }) => parentSpanId === created.spanId).map(({ name }) => name)
      .toSorted(),
    ["score", "store"],
  );

  const deleted = await deletedKeys();
  assert.deepEqual(deleted, ["url.full", "url.path", "url.query"]);
  const texts = bodies.map(({ text }) =>
    JSON.stringify(
      JSON.parse(text, (_, value) =>
        Array.isArray(value)
          ? value.filter((each) => !deleted.includes(each?.key))
          : value),
    )
  );
  assert.ok(bodies.some(({ path }) => path === "/v1/traces"));
  for (const value of [CANARY, "7654321", EXAMPLE.birthdate, EXAMPLE.value]) {
    assert.ok(!texts.some((text) => text.includes(value)), value);
  }
  assert.ok(
    bodies.some(({ text }) => text.includes(CANARY)),
    "else the collector has nothing to do",
  );
});

Deno.test("without OTEL_DENO nothing of traces is loaded or stored", async () => {
  const { startTracing } = await import("../../watch.ts");
  const unasked = () => assert.fail("the database was asked");
  const database = { write: unasked, read: unasked, close() {} };
  assert.equal(Deno.env.get("OTEL_DENO"), undefined);
  const clock = { now: () => 0, after: () => () => {} };
  assert.equal(await startTracing(database, { clock, report: unasked }), undefined);
});

Deno.test("a trace goes on in the process that scores, by the database that both share", async () => {
  await using folder = await temporaryFolder();
  await using receiver = startOtlpReceiver();
  await using server = await startHranaServer({ path: `${folder.path}/shared.db` });
  const env = { ...environment(folder.path, receiver), PRESCORE_DATABASE_URL: server.url };
  const [api, worker] = await Promise.all([
    spawnService({ ...env, PRESCORE_ROLE: "api", OTEL_SERVICE_NAME: "api" }),
    spawnService({ ...env, PRESCORE_ROLE: "worker", OTEL_SERVICE_NAME: "worker" }),
  ]);
  try {
    await fetch(`${api.url}/upload_features`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(EXAMPLE),
    });
    await receiver.until((spans) => named(spans, "store").length > 0);
  } finally {
    await Promise.all([api.end("SIGTERM"), worker.end("SIGTERM")]);
  }
  const [enqueue] = named(receiver.spans, "enqueue");
  assert.ok(enqueue);
  for (const name of ["queue wait", "score", "store"]) {
    const [span] = named(receiver.spans, name);
    assert.deepEqual([span?.traceId, span?.parentSpanId], [enqueue.traceId, enqueue.spanId], name);
    const { text = "" } = receiver.bodies.find(({ text }) => text.includes(`${span?.spanId}`)) ??
      {};
    assert.match(text, /"stringValue":\s*"worker"/, name);
  }
});

Deno.test("where the trace of a task cannot be read the task is done all the same", async () => {
  const reported: unknown[] = [];
  const tracing = new Tracing({
    traces: new TraceStore({
      write: () => Promise.reject(new Error("locked")),
      read: () => Promise.reject(new Error("locked")),
      close() {},
    }),
    ...{ now: () => 0, report: (error) => reported.push(error) },
  });
  const task = { id: "app_1", payload: "{}", attempt: 1, fence: 1, createdAtMs: 0 };
  const outcomes = await tracing.handler(() => Promise.resolve([{ result: "{}" }]))([task]);
  assert.deepEqual(outcomes, [{ result: "{}" }]);
  tracing.ended(["app_1"]);
  assert.equal(await tracing.enqueue(task, () => Promise.resolve("done")), "done");
  assert.deepEqual(reported.map(String), ["Error: locked", "Error: locked"]);
});
