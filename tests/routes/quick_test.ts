import assert from "node:assert/strict";
import { openApp, type TestApp } from "../support/app.ts";
import { openKeyedApp } from "../support/keys.ts";
import { EXAMPLE, EXAMPLE_ID } from "../support/service.ts";

const PATHS = ["/check_task", "/check_state", "/get_result"];
const quick = (path: string) => `${path}?task_id=${EXAMPLE_ID}`;
/** The same question in words that are left to the route. */
const slow = (path: string) => `${path}?task_id=other&task_id=${EXAMPLE_ID}`;

/** All that a client sees; of its rate, which goes down, and of the request's id the names. */
async function seen(response: Response) {
  const headers = [...response.headers]
    .map(([name, value]) => [name, /^(ratelimit|x-request-id)$/.test(name) ? "" : value]);
  return { status: response.status, headers, body: await response.text() };
}

/** Uploads the example as a client with these headers, and lets it be scored. */
async function score(app: TestApp, headers: Record<string, string> = {}): Promise<void> {
  await app.post("/upload_features", EXAMPLE, headers);
  app.startQueue();
  for (let look = 0; look < 100; look++) {
    const done = await (await app.request(slow("/check_task"), { headers })).text();
    if (done === "true") return;
    await app.clock.advance(10);
  }
  assert.fail("the example was not scored");
}

Deno.test("what was read a moment ago is answered as the routes answer it", async () => {
  await using app = await openApp();
  await score(app);
  for (const path of PATHS) {
    const expected = await seen(await app.request(slow(path)));
    assert.equal(expected.status, 200);
    assert.deepEqual(await seen(await app.request(quick(path))), expected);
  }
});

Deno.test("a caller with a key gets the same quickly, is counted, and is refused when that was too often", async () => {
  await using app = await openKeyedApp({ rate: { perSecond: 0.001, burst: 150 } });
  const headers = await app.as("submit", "shop");
  await score(app, headers);
  const left = (response: Response) =>
    Number(/r=(\d+)/.exec(response.headers.get("ratelimit") ?? "")?.[1]);
  const first = await app.request(quick("/get_result"), { headers });
  const second = await app.request(quick("/get_result"), { headers });
  assert.equal(left(second), left(first) - 1);
  assert.deepEqual(
    await seen(second),
    await seen(await app.request(slow("/get_result"), { headers })),
  );
  let answer = first;
  for (let rest = left(first); rest > 0 && answer.status === 200; rest--) {
    await answer.body?.cancel();
    answer = await app.request(quick("/get_result"), { headers });
  }
  assert.equal(answer.status, 429);
  assert.ok(answer.headers.has("retry-after"));
});

Deno.test("nobody is answered quickly who would not be answered by the routes", async () => {
  await using app = await openKeyedApp();
  const owner = await app.as("submit", "shop");
  await score(app, owner);
  assert.equal((await app.request(quick("/get_result"), { headers: owner })).status, 200);
  const other = await app.as("admin", "broker");
  assert.equal((await app.request(quick("/get_result"), { headers: other })).status, 404);
  assert.equal((await app.request(quick("/get_result"))).status, 401);
});

Deno.test("what was read a moment ago is asked of no database", async () => {
  await using app = await openApp();
  await score(app);
  await app.stores.connection.write(["DELETE FROM results"]);
  for (const path of PATHS) assert.equal((await app.request(quick(path))).status, 200);
  await app.clock.advance(1000);
  assert.equal((await app.request(quick("/get_result"))).status, 404);
});
