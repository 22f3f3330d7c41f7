import assert from "node:assert/strict";
import { decisionSchema } from "../../../scoring/decision.ts";
import { setImmediate } from "node:timers";
import { openApp, shippedScoring } from "../../support/app.ts";
import { settle } from "../../support/fake_clock.ts";
import { EXAMPLE } from "../../support/service.ts";

const BODY = { answers: EXAMPLE };
const PATH = "/v1/applications";

/** The status and the body of an answer, which must be a problem. */
async function problem(response: Response) {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.status, response.status);
  return body;
}

Deno.test("POST /v1/applications answers 200 with the decision when it is there in time", async () => {
  await using app = await openApp();
  app.startQueue();
  const response = await app.post(PATH, BODY, { Prefer: "wait=5, respond-async" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("preference-applied"), "wait=5");
  const body = await response.json();
  assert.equal(response.headers.get("location"), `${PATH}/${body.id}`);
  assert.match(body.id, /^app_[0-9a-f]{32}$/);
  assert.equal(body.status, "decided");
  const decision = decisionSchema.parse(body.decision);
  assert.equal(decision.banks.length, 5);
  assert.equal(app.clock.pending, 1, "what waited has cleared its timers: one is the dispatcher's");
  const read = await app.request(`${PATH}/${body.id}`);
  assert.deepEqual(await read.json(), body);
});

Deno.test("an idle service decides before it stores, to the same answer", async () => {
  const bodies = [];
  for (const expressLanes of [0, 1]) {
    await using app = await openApp({ expressLanes });
    if (expressLanes === 0) app.startQueue();
    const key = { "Idempotency-Key": '"one"' };
    const response = await app.post(PATH, BODY, { ...key, Prefer: "wait=5" });
    assert.equal(response.status, 200);
    bodies.push(await response.json());
    assert.deepEqual(await (await app.post(PATH, BODY, key)).json(), bodies.at(-1));
  }
  assert.deepEqual(bodies[1], bodies[0]);
});

Deno.test("what cannot be decided at once waits for the queue", async () => {
  const { handler } = await shippedScoring();
  let calls = 0;
  await using app = await openApp({
    expressLanes: 1,
    handler: (tasks) => calls++ === 0 ? Promise.reject(new Error("trapped")) : handler(tasks),
  });
  app.startQueue();
  const response = await app.post(PATH, BODY, { Prefer: "wait=5" });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).status, "decided");
  assert.equal(calls, 2);
});

Deno.test("POST /v1/applications answers 202 at once without a wish to wait", async () => {
  await using app = await openApp();
  const response = await app.post(PATH, BODY);
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("preference-applied"), null);
  assert.equal(response.headers.get("retry-after"), "1");
  const body = await response.json();
  assert.deepEqual(Object.keys(body), ["id", "status", "createdAt"]);
  assert.equal(body.status, "queued");
  assert.equal(response.headers.get("location"), `${PATH}/${body.id}`);
});

Deno.test("POST /v1/applications answers 202 when the wait is over, which is cut to the longest allowed", async () => {
  await using app = await openApp();
  let answered = false;
  const waiting = app.post(PATH, BODY, { Prefer: "wait=9999" }).finally(() => answered = true);
  await settleRequests();
  await app.clock.advance(59_999);
  assert.equal(answered, false);
  await app.clock.advance(1);
  const response = await waiting;
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("preference-applied"), "wait=60");
});

Deno.test("whoever waits is answered when the service stops", async () => {
  await using app = await openApp();
  const waiting = app.post(PATH, BODY, { Prefer: "wait=60" });
  await settleRequests();
  app.completions.close();
  assert.equal((await waiting).status, 202);
});

Deno.test("GET /v1/applications/{id} waits for the decision where it is asked to", async () => {
  await using app = await openApp();
  const { id } = await (await app.post(PATH, BODY)).json();
  const waiting = app.request(`${PATH}/${id}`, { headers: { Prefer: "wait=10" } });
  await settleRequests();
  app.startQueue();
  const response = await waiting;
  assert.equal(response.headers.get("preference-applied"), "wait=10");
  assert.equal((await response.json()).status, "decided");
});

Deno.test("the same key and body are one application, whatever the order of the fields", async () => {
  await using app = await openApp();
  const key = { "Idempotency-Key": '"a key"' };
  const first = await (await app.post(PATH, BODY, key)).json();
  const turned = Object.fromEntries(Object.entries(EXAMPLE).reverse());
  const again = await app.post(PATH, { answers: turned }, key);
  assert.equal(again.status, 202);
  assert.deepEqual(await again.json(), first);
  const other = await (await app.post(PATH, BODY, { "Idempotency-Key": '"another"' })).json();
  assert.notEqual(other.id, first.id);
});

Deno.test("the same key and body get the decision that they got, whatever it would be now", async () => {
  await using app = await openApp();
  app.startQueue();
  const key = { "Idempotency-Key": '"a key"' };
  const { id } = await (await app.post(PATH, BODY, key)).json();
  await app.clock.advance(0);
  const decided = await (await app.request(`${PATH}/${id}`)).text();
  assert.equal(JSON.parse(decided).status, "decided");
  await app.stores.connection.write(["UPDATE tasks SET revision = 'of other models'"]);
  const again = await app.post(PATH, BODY, key);
  assert.equal(again.status, 200);
  assert.equal(await again.text(), decided);
});

Deno.test("the same key with another body is answered 409, and changes nothing", async () => {
  await using app = await openApp();
  const key = { "Idempotency-Key": '"a key"' };
  const { id } = await (await app.post(PATH, BODY, key)).json();
  const stored = await app.stores.store.payload(id);
  const body = await problem(await app.post(PATH, { answers: { ...EXAMPLE, gender: 1 } }, key));
  assert.equal(body.status, 409);
  assert.equal(body.type, "/problems/idempotency-key-reused");
  assert.equal(await app.stores.store.payload(id), stored);
});

Deno.test("of 32 requests that race with one key and two bodies one body wins", async () => {
  await using app = await openApp({ expressLanes: 2 });
  app.startQueue();
  const answers = [EXAMPLE, { ...EXAMPLE, gender: 1 }];
  const responses = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      app.post(PATH, { answers: answers[index % 2] }, {
        "Idempotency-Key": '"race"',
        Prefer: "wait=5",
      })),
  );
  const statuses = responses.map(({ status }) => status);
  const won = statuses.indexOf(200) % 2;
  assert.deepEqual(statuses, statuses.map((_, index) => index % 2 === won ? 200 : 409));
  const ids = await Promise.all(
    responses.filter(({ status }) => status === 200).map(async (each) => (await each.json()).id),
  );
  assert.equal(new Set(ids).size, 1);
});

Deno.test("an application that failed says why, and is not made again by its key", async () => {
  await using app = await openApp({
    handler: (tasks) => Promise.resolve(tasks.map(() => ({ error: "the worker died" }))),
  });
  app.startQueue();
  const key = { "Idempotency-Key": '"a key"', Prefer: "wait=60" };
  const waiting = app.post(PATH, BODY, key);
  for (let attempt = 0; attempt < 3; attempt++) {
    await settleRequests();
    await app.clock.advance(10_000);
  }
  const body = await (await waiting).json();
  assert.equal(body.status, "failed");
  assert.equal(body.failure, "after 3 attempts: the worker died");
  assert.equal((await (await app.post(PATH, BODY, key)).json()).status, "failed");
});

Deno.test("a refused application names each value that is wrong", async () => {
  await using app = await openApp();
  const body = await problem(
    await app.post(PATH, {
      answers: {
        gender: "0",
        childcount: 1.5,
        monthprofit: null,
        "a/b~": 1,
        "#\ud800": 1,
        loan_term: [],
      },
      more: true,
    }),
  );
  assert.equal(body.status, 422);
  assert.deepEqual(
    body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(),
    [
      "#/answers/%23%EF%BF%BD",
      "#/answers/a~1b~0",
      "#/answers/childcount",
      "#/answers/gender",
      "#/answers/loan_term",
      "#/more",
    ],
  );
  assert.equal(body.errors[0].detail, 'current value is "0": must be a whole number, or null');
});

for (
  const [what, init, status, type] of [
    ["no JSON", { body: "{" }, 400, "unreadable-body"],
    ["no UTF-8", { body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, "unreadable-body"],
    ["no answers", { body: "{}" }, 422, "invalid-request"],
    [
      "a deep answer",
      { body: `{"answers":{"gender":${"[".repeat(30_000)}${"]".repeat(30_000)}}}` },
      422,
      "invalid-request",
    ],
    [
      "another media type",
      { headers: { "Content-Type": "text/plain" } },
      415,
      "unsupported-media-type",
    ],
    [
      "too much",
      { body: `{"answers":{"position":"${"x".repeat(70_000)}"}}` },
      413,
      "body-too-large",
    ],
    ["an empty key", { headers: { "Idempotency-Key": '""' } }, 400, "invalid-idempotency-key"],
    ["a Host that is no name", { headers: { Host: "a/b" } }, 400, "strange-host"],
  ] as const
) {
  Deno.test(`POST /v1/applications answers ${status} to ${what}`, async () => {
    await using app = await openApp();
    const headers = {
      "Content-Type": "application/json",
      ..."headers" in init ? init.headers : {},
    };
    const body = "body" in init ? init.body : JSON.stringify(BODY);
    const answer = await problem(await app.request(PATH, { method: "POST", body, headers }));
    assert.equal(answer.status, status);
    assert.equal(answer.type, `/problems/${type}`);
    const page = await app.request(answer.type);
    assert.equal(page.status, 200);
    assert.ok((await page.text()).startsWith(answer.title));
  });
}

Deno.test("what the database does is no client's fault, and its cause stays inside", async () => {
  await using app = await openApp();
  app.stores.connection.close();
  const body = await problem(await app.post(PATH, BODY));
  assert.ok([500, 503].includes(body.status));
  assert.equal(body.detail, undefined);
  assert.equal(app.reported.length, 1);
});

Deno.test("ids that name no application are answered 404, and a wrong method 405", async () => {
  await using app = await openApp();
  const uploaded = await app.post("/upload_features", EXAMPLE);
  const { task_id } = await uploaded.json();
  for (const id of ["app_0", task_id, "nothing"]) {
    for (const path of [`${PATH}/${id}`, `${PATH}/${id}/events`]) {
      assert.equal((await problem(await app.request(path))).status, 404, path);
    }
  }
  const wrong = await app.request(`${PATH}/app_0`, { method: "PUT" });
  assert.equal(wrong.headers.get("allow"), "GET, DELETE");
  assert.equal((await problem(wrong)).status, 405);
  assert.equal((await problem(await app.request("/v1/nothing"))).status, 404);
});

Deno.test("the reference's contract does not know the tasks of the v1 API", async () => {
  await using app = await openApp();
  app.startQueue();
  const { id } = await (await app.post(PATH, BODY, { Prefer: "wait=5" })).json();
  for (const path of ["/check_task", "/get_result"]) {
    assert.equal((await app.request(`${path}?task_id=${id}`)).status, 404);
  }
});

/** Lets requests go as far as they can without the clock; the database answers on promises alone. */
async function settleRequests(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await settle();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
