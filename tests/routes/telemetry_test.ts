import assert from "node:assert/strict";
import { declaredRoutes } from "../../routes/access.ts";
import { createApp } from "../../routes/mod.ts";
import type { SeenRequest, TelemetryOptions } from "../../routes/observed.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config, openApp } from "../support/app.ts";
import { EXAMPLE, EXAMPLE_ID } from "../support/service.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const CANARY = "canary-7f3a";

async function openWatched(telemetry: Partial<TelemetryOptions> = {}) {
  const seen: SeenRequest[] = [];
  const app = await openApp({
    options: {
      telemetry: {
        seen: (request) => seen.push(request),
        metrics: () => Promise.resolve("metric 1\n"),
        parts: {},
        after: () => () => {},
        ...telemetry,
      },
    },
  });
  return Object.assign(app, { seen });
}

Deno.test("every request is told of by its route's name, and nothing of what it carried", async () => {
  await using app = await openWatched();
  const paths = [
    ["GET", `/get_result?task_id=${CANARY}`, "/get_result", 404],
    ["GET", `/v1/applications/app_${CANARY}`, "/v1/applications/:id", 404],
    ["GET", `/${CANARY}`, "unmatched", 404],
    ["POST", `/v1/${CANARY}?x=${CANARY}`, "unmatched", 404],
    [CANARY.toUpperCase(), "/check_task", "unmatched", 405],
  ] as const;
  for (const [method, path, route, status] of paths) {
    await app.request(path, { method, headers: { [CANARY]: CANARY } });
    const { milliseconds, requestId, ...told } = app.seen.at(-1) ?? assert.fail("nobody was told");
    assert.deepEqual(told, {
      route,
      status,
      method: method === "GET" || method === "POST" ? method : "other",
    });
    assert.ok(milliseconds >= 0);
    assert.match(requestId, /^[0-9a-f-]{36}$/);
  }
  await app.post("/upload_features", { position: CANARY, monthprofit: CANARY });
  await app.post("/v1/applications", { answers: { position: CANARY, [CANARY]: 1 } });
  assert.equal(app.seen.length, paths.length + 2);
  assert.doesNotMatch(JSON.stringify(app.seen).toLowerCase(), new RegExp(CANARY));
});

Deno.test("a request's own id is kept where it is a plain one, and made anew where it is not", async () => {
  await using app = await openWatched();
  const idOf = async (id: string) =>
    (await app.request("/healthz", { headers: { "X-Request-Id": id } })).headers.get(
      "x-request-id",
    );
  assert.equal(await idOf("trace-42"), "trace-42");
  const made = await idOf('x" onload="');
  assert.match(made ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(app.seen.at(-1)?.requestId, made);
});

Deno.test("every answer says to take it for what it is and to run nothing of it", async () => {
  await using app = await openWatched();
  const routes = declaredRoutes(createApp(documentOptions(config)));
  for (const { method, path } of [...routes, { method: "GET", path: "/nowhere" }]) {
    const { headers } = await app.request(path, { method, ...method === "POST" && { body: "{}" } });
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'/, `${method} ${path}`);
    assert.match(policy, /frame-ancestors 'none'/, `${method} ${path}`);
    assert.doesNotMatch(policy, /script-src[^;]*'unsafe/, `${method} ${path}`);
    assert.equal(headers.get("x-content-type-options"), "nosniff", `${method} ${path}`);
    assert.equal(headers.get("referrer-policy"), "no-referrer", `${method} ${path}`);
    assert.equal(headers.get("strict-transport-security"), null);
  }
  const { headers } = await app.request("/docs", { headers: { "X-Forwarded-Proto": "https" } });
  assert.match(headers.get("strict-transport-security") ?? "", /^max-age=\d{8}$/);
});

Deno.test("the service is ready when every part works, and says which does not", async () => {
  const clock = new FakeClock();
  const works = () => Promise.resolve();
  const cases = [
    [{ database: works, scoring: works }, 200, { database: "ok", scoring: "ok" }],
    [
      { database: () => Promise.reject(new Error(CANARY)), scoring: works },
      503,
      { database: "failed", scoring: "ok" },
    ],
    [
      { database: works, scoring: () => new Promise(() => {}) },
      503,
      { database: "ok", scoring: "slow" },
    ],
  ] as const;
  for (const [parts, status, expected] of cases) {
    await using app = await openWatched({ parts, after: (ms, then) => clock.after(ms, then) });
    const asked = app.request("/readyz");
    await settle();
    await clock.advance(2000);
    const response = await asked;
    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), { ready: status === 200, parts: expected });
    assert.equal((await app.request("/healthz")).status, 200);
  }
  assert.equal(clock.pending, 0);
});

Deno.test("what is answered past the routes is told of as well", async () => {
  await using app = await openWatched();
  await app.post("/upload_features", EXAMPLE);
  app.startQueue();
  const path = `/check_task?task_id=${EXAMPLE_ID}`;
  for (let look = 0; look < 100; look++) {
    if (await (await app.request(path)).text() === "true") break;
    await app.clock.advance(10);
  }
  const told = app.seen.length;
  for (const headers of [{}, { "X-Request-Id": "mine" }]) await app.request(path, { headers });
  const [quick, slow] = app.seen.slice(told);
  assert.equal(app.seen.length, told + 2);
  assert.deepEqual([quick?.route, quick?.status], ["/check_task", 200]);
  assert.deepEqual([slow?.route, slow?.status, slow?.requestId], ["/check_task", 200, "mine"]);
});
