/** What is too much, too deep, too slow or too often is refused, and what was begun for it ends. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { limitsOf } from "../../routes/limits.ts";
import { tooMuchJson } from "../../routes/v1/json_limits.ts";
import { config, openApp } from "../support/app.ts";
import { bearer, makeKey, openKeyedApp } from "../support/keys.ts";
import { EXAMPLE } from "../support/service.ts";

const limits = limitsOf(config.service);
const ANSWERS = { answers: EXAMPLE };
const JSON_POSTS = ["/upload_features", "/v1/applications", "/v1/what-if"] as const;

/** A body of these pieces that then says no more, and no end. */
function hanging(...pieces: string[]) {
  const state = { isCancelled: false, pulls: 0 };
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces[state.pulls++];
      if (piece === undefined) await new Promise(() => {});
      controller.enqueue(encoder.encode(piece));
    },
    cancel: () => void (state.isCancelled = true),
  });
  return { state, body };
}

function post(body: BodyInit, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } };
}

for (const path of JSON_POSTS) {
  Deno.test(`POST ${path} answers 408 to a body that does not come in time, and reads no further`, async () => {
    await using app = await openApp();
    const { body, state } = hanging("{");
    const response = app.request(path, post(body));
    await app.clock.advance(limits.bodyMs - 1);
    assert.ok(!state.isCancelled);
    await app.clock.advance(1);
    assert.equal((await response).status, 408);
    assert.ok(state.isCancelled);
    assert.equal(app.clock.pending, 0);
  });

  Deno.test(`POST ${path} answers 413 to a body without a length that is too long, and reads no further`, async () => {
    await using app = await openApp();
    const { body, state } = hanging(...Array<string>(8).fill(" ".repeat(limits.bodyBytes / 4)));
    assert.equal((await app.request(path, post(body))).status, 413);
    assert.ok(state.isCancelled);
    assert.ok(state.pulls <= 6, `${state.pulls} pieces were read`);
  });
}

Deno.test("POST /v1/batches ends with what is stored when nothing comes any more, and says so", async () => {
  await using app = await openApp();
  const lines = `${JSON.stringify(ANSWERS)}\n`.repeat(600);
  const { body, state } = hanging(lines);
  const upload = app.request("/v1/batches", post(body, { "Content-Type": "application/x-ndjson" }));
  let isAnswered = false;
  const answered = upload.finally(() => isAnswered = true);
  // The rows take the event loop some turns, and the time begins when they are read.
  while (!isAnswered) await app.clock.advance(limits.bodyMs);
  const response = await answered;
  const problem = await response.json();
  assert.deepEqual(
    [response.status, problem.type, problem.batch.rows],
    [408, "/problems/request-timeout", 500],
  );
  assert.ok(state.isCancelled);
  const batch = await (await app.request(`/v1/batches/${problem.batch.id}`)).json();
  assert.equal(batch.status, "interrupted");
});

for (const pieces of [["birthdate;position"], ["birthdate;position\n1988-07-21;a\n", "1988"]]) {
  Deno.test(`POST /v1/batches answers 408 to a table that stops after ${pieces.length} pieces`, async () => {
    await using app = await openApp();
    const { body, state } = hanging(...pieces);
    const upload = app.request("/v1/batches", post(body, { "Content-Type": "text/csv" }));
    let isAnswered = false;
    const answered = upload.finally(() => isAnswered = true);
    for (let turn = 0; turn < 1000 && !isAnswered; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await app.clock.advance(limits.bodyMs);
    }
    assert.equal((await answered).status, 408);
    assert.ok(state.isCancelled);
  });
}

for (
  const [what, type, piece] of [
    ["blank lines", "application/x-ndjson", "\n".repeat(65_536)],
    ["space before the array", "application/json", " ".repeat(65_536)],
    ["one line without an end", "application/x-ndjson", "x".repeat(65_536)],
    ["one quoted cell without an end", "text/csv", `"${"x".repeat(65_536)}`],
  ] as const
) {
  Deno.test(`POST /v1/batches does not read ${what} for ever`, async () => {
    await using app = await openApp();
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces++;
        controller.enqueue(new TextEncoder().encode(pieces === 1 ? piece : piece.slice(1)));
      },
    });
    const response = await app.request("/v1/batches", post(body, { "Content-Type": type }));
    assert.equal(response.status, 400);
    assert.ok(pieces <= 40, `${pieces} pieces of 64 KB were read`);
  });
}

Deno.test("POST /v1/batches refuses a length over the limit before it reads", async () => {
  await using app = await openApp();
  const { body, state } = hanging();
  const response = await app.request(
    "/v1/batches",
    post(body, { "Content-Length": String(2 ** 30), "Content-Type": "text/csv" }),
  );
  assert.equal(response.status, 413);
  // The stream itself asks for a piece when it is made.
  assert.equal(state.pulls, 1);
});

for (
  const [what, text] of [
    ["deep arrays", `{"answers":{"position":${"[".repeat(33)}${"]".repeat(33)}}}`],
    ["deep objects", `${'{"a":'.repeat(33)}1${"}".repeat(33)}`],
    ["an open depth", "[".repeat(30_000)],
    ["many members", `{"answers":{${Array.from({ length: 1001 }, (_, n) => `"a${n}":1`)}}}`],
    ["many elements", `{"answers":[${Array(1001).fill(0)}]}`],
  ] as const
) {
  Deno.test(`v1 bodies with ${what} are refused before they are read as JSON`, async () => {
    await using app = await openApp();
    for (const path of ["/v1/applications", "/v1/what-if"]) {
      const response = await app.request(path, post(text));
      assert.equal(response.status, 422);
      assert.match((await response.json()).errors[0].detail, /may be/);
    }
    const batch = await app.request(
      "/v1/batches",
      post(`${text}\n`, { "Content-Type": "application/x-ndjson" }),
    );
    assert.equal((await batch.json()).rows.refused, 1);
  });
}

Deno.test("tooMuchJson counts as JSON.parse would find it, whatever stands in strings", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
      : 0;
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const depth = depthOf(value);
    const within = (jsonDepth: number) => tooMuchJson(bytes, { jsonDepth, jsonMembers: 1e9 });
    assert.equal(within(depth), undefined);
    if (depth > 0) assert.match(within(depth - 1) ?? "", /deep/);
  }));
});

Deno.test("a key has its burst of requests, and then those that come back; another key has its own", async () => {
  await using app = await openKeyedApp({ rate: { perSecond: 2, burst: 5 } });
  const [one, other] = [await app.as("submit"), await app.as("submit")];
  const ask = (path: string, headers: Record<string, string>) => app.request(path, { headers });
  for (let left = 4; left >= 0; left--) {
    const response = await ask("/v1/banks", one);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("ratelimit-policy"), '"requests";q=5;w=3');
    assert.equal(
      response.headers.get("ratelimit"),
      `"requests";r=${left};t=${Math.ceil((5 - left) / 2)}`,
    );
  }
  const refused = await ask("/v1/banks", one);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(refused.headers.get("ratelimit"), '"requests";r=0;t=3');
  assert.equal((await refused.json()).type, "/problems/too-many-requests");
  const contract = await ask("/check_task?task_id=a", one);
  assert.equal(contract.status, 429);
  assert.match((await contract.json()).detail, /Too many requests/);
  assert.equal((await ask("/v1/banks", other)).status, 200);
  await app.clock.advance(1000);
  assert.deepEqual(
    [200, 200, 429],
    [
      (await ask("/v1/banks", one)).status,
      (await ask("/v1/banks", one)).status,
      (await ask("/v1/banks", one)).status,
    ],
  );
});

Deno.test("a key's own rate goes before the configuration's", async () => {
  await using app = await openKeyedApp({ rate: { perSecond: 1, burst: 1 } });
  const headers = bearer(await makeKey(app.keys, { perSecond: 7 }));
  const response = await app.request("/v1/banks", { headers });
  assert.equal(response.headers.get("ratelimit-policy"), '"requests";q=14;w=2');
});

Deno.test("what-if has a quota for each applicant, whatever the loan, and one for each key", async () => {
  const quota = { probesPerApplicantAndHour: 3, probesPerKeyAndHour: 5 };
  await using app = await openKeyedApp({ options: { limits: { ...limits, ...quota } } });
  const [one, other] = [await app.as("submit"), await app.as("submit")];
  const probe = async (headers: Record<string, string>, changes: object) =>
    await app.post("/v1/what-if", { answers: { ...EXAMPLE, ...changes } }, headers);
  const statuses = async (headers: Record<string, string>, changes: readonly object[]) => {
    const answers: number[] = [];
    for (const change of changes) answers.push((await probe(headers, change)).status);
    return answers;
  };
  const loans = [1000, 2000, 3000, 4000].map((loan_amount) => ({ loan_amount }));
  assert.deepEqual(await statuses(one, loans), [200, 200, 200, 429]);
  const people = [1, 2, 3].map((childcount) => ({ childcount }));
  assert.deepEqual(await statuses(one, people), [200, 200, 429]);
  const refused = await probe(one, {});
  assert.equal((await refused.json()).type, "/problems/too-many-probes");
  assert.equal(refused.headers.get("ratelimit-policy"), '"probes";q=3;w=3600');
  assert.equal(refused.headers.get("retry-after"), "1200");
  assert.equal((await probe(other, {})).status, 200);
  // Only what-if is counted.
  assert.equal((await app.post("/v1/applications", ANSWERS, one)).status, 202);
});

Deno.test("nobody is waited for who has gone: a long poll ends with its client", async () => {
  await using app = await openApp();
  const { id } = await (await app.post("/v1/applications", ANSWERS)).json();
  const before = app.clock.pending;
  const gone = new AbortController();
  const request = new Request(`http://localhost/v1/applications/${id}`, {
    headers: { Prefer: "wait=60" },
    signal: gone.signal,
  });
  const polling = app.fetch(request);
  await app.clock.advance(1000);
  assert.ok(app.clock.pending > before);
  gone.abort();
  await polling;
  assert.equal(app.clock.pending, before);
});
