import assert from "node:assert/strict";
import { type Enqueued, QueueFullError, StoreError, type Task } from "../../queue/store.ts";
import { createApp } from "../../routes/mod.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { readConfig } from "../support/service.ts";

const options = documentOptions(readConfig());
const BODY_BYTES = 2000;
const reported: unknown[] = [];

function app(
  task?: Partial<Task>,
  enqueue: () => Promise<Enqueued> = () => Promise.resolve("queued"),
) {
  const stored = {
    ...{ state: "queued", attempt: 0, error: null, result: null } as const,
    ...{ createdAtMs: 0, finishedAtMs: null },
  };
  return createApp({
    ...options,
    store: {
      ...options.store,
      find: (id) => Promise.resolve(task && { id, ...stored, ...task }),
    },
    enqueue,
    limits: { ...options.limits, bodyBytes: BODY_BYTES },
    report: (error) => reported.push(error),
  });
}

function uploadRequest(body: BodyInit): Request {
  return new Request("http://localhost/upload_features", {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
  });
}

async function upload(body: BodyInit) {
  const response = await app().request(uploadRequest(body));
  return { status: response.status, body: await response.json() };
}

Deno.test("GET / leads to the documentation", async () => {
  const response = await app().request("/");
  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), "/docs");
});

Deno.test("GET /docs and its assets come from the service alone", async () => {
  const html = await (await app().request("/docs")).text();
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  assert.ok(paths.length >= 4);
  for (const path of paths) {
    assert.match(path, /^\/(docs\/|openapi\.json)/);
    const response = await app().request(path);
    assert.equal(response.status, 200, path);
    assert.ok((await response.arrayBuffer()).byteLength > 100, path);
  }
});

Deno.test("POST /upload_features refuses a body over the limit, with and without a length", async () => {
  const large = JSON.stringify({ position: "x".repeat(BODY_BYTES) });
  const expected = {
    status: 413,
    body: { detail: `Request body is too large: at most ${BODY_BYTES} bytes` },
  };
  assert.deepEqual(await upload(large), expected);
  const stream = new Blob([large]).stream();
  assert.equal((await app().request(uploadRequest(stream))).status, 413);
});

Deno.test("POST /upload_features refuses a deep body", async () => {
  const deep = `{"position":${"[".repeat(990)}${"]".repeat(990)}}`;
  assert.deepEqual(await upload(deep), {
    status: 400,
    body: { detail: "There was an error parsing the body" },
  });
});

for (
  const [what, error, status, retryAfter, isReported] of [
    ["the database fails", new StoreError("SQLITE_FULL: disk is full"), 503, "1", true],
    ["too many uploads wait", new QueueFullError("5 wait already"), 429, "1", false],
    ["something else breaks", new TypeError("x is undefined"), 500, null, true],
  ] as const
) {
  Deno.test(`POST /upload_features answers ${status} where ${what}, without the cause`, async () => {
    reported.length = 0;
    const response = await app(undefined, () => Promise.reject(error)).request(uploadRequest("{}"));
    assert.equal(response.status, status);
    assert.equal(response.headers.get("retry-after"), retryAfter);
    assert.ok(!(await response.text()).includes(error.message));
    assert.deepEqual(reported, isReported ? [error] : []);
  });
}

Deno.test("POST /upload_features answers 429 where the queue is full", async () => {
  const full = app(undefined, () => Promise.resolve("refused"));
  const response = await full.request(uploadRequest("{}"));
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.match((await response.json()).detail, /not stored, try again/);
});

Deno.test("a Host header that would change the path is refused", async () => {
  for (const host of ["evil/openapi.json?", "a?b", "a#b", "user@host"]) {
    const response = await app().request("/check_task", { headers: { host } });
    assert.equal(response.status, 400, host);
  }
  for (const host of ["localhost:8000", "[::1]:8000", "prescore.example"]) {
    assert.equal((await app().request("/docs", { headers: { host } })).status, 200, host);
  }
});

Deno.test("a trailing slash leads to the route without it, with the query", async () => {
  const response = await app().request("/check_task/?task_id=a");
  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), "/check_task?task_id=a");
  assert.equal((await app().request("/nothing/")).status, 404);
});

for (const path of ["/check_task", "/check_state", "/get_result"]) {
  Deno.test(`GET ${path} answers 404 for a task that is not known`, async () => {
    const response = await app().request(`${path}?task_id=nothing`);
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), { detail: "Task not found" });
  });

  Deno.test(`GET ${path} says why a task failed for good`, async () => {
    const dead = app({ state: "dead", attempt: 3, error: "engine.wasm trapped" });
    const response = await dead.request(`${path}?task_id=a`);
    assert.equal(response.status, 410);
    assert.deepEqual(await response.json(), {
      detail: "Task failed: after 3 attempts: engine.wasm trapped",
    });
  });
}

for (const path of ["/check_task", "/check_state"]) {
  Deno.test(`GET ${path} is true only for a finished task`, async () => {
    for (const state of ["queued", "leased", "done"] as const) {
      const response = await app({ state }).request(`${path}?task_id=a`);
      assert.equal(await response.json(), state === "done");
    }
  });
}

Deno.test("GET /get_result answers 404 and when to come back for an unfinished task", async () => {
  const response = await app({ state: "leased" }).request("/get_result?task_id=a");
  assert.equal(response.status, 404);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.match((await response.json()).detail, /Task not finished yet/);
});

Deno.test("GET /get_result gives probabilities as the reference prints them", async () => {
  const result = JSON.stringify({
    probabilities: { bank_a: 0.40770822763442993, bank_b: 1e-7 },
    model: "1",
  });
  const response = await app({ state: "done", result }).request("/get_result?task_id=a");
  assert.deepEqual(await response.json(), {
    task_id: "a",
    bank_a: "0.40770822763442993",
    bank_b: "1e-07",
  });
});

Deno.test("a path that is not there answers 404, and a method that is not there 405", async () => {
  assert.deepEqual(await (await app().request("/nothing")).json(), { detail: "Not Found" });
  const response = await app().request("/upload_features");
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "POST");
  assert.deepEqual(await response.json(), { detail: "Method Not Allowed" });
});

Deno.test("the OpenAPI document names every route, and no other", async () => {
  const document = await (await app().request("/openapi.json")).json();
  const documented = Object.entries(document.paths)
    .flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`)
    );
  const routed = app().routes.filter(({ method, path }) =>
    method !== "ALL" && !/^\/($|docs|openapi)/.test(path)
  )
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual(documented.sort(), [...new Set(routed)].sort());
});
