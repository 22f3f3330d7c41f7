import assert from "node:assert/strict";
import { openKeyedApp } from "../../support/keys.ts";
import { EXAMPLE } from "../../support/service.ts";

Deno.test("an application is erased by who may operate, of the own tenant alone, and is gone at once", async () => {
  await using app = await openKeyedApp({ expressLanes: 1 });
  const operator = await app.as("operate", "shop");
  const reader = await app.as("read", "shop");
  const other = await app.as("operate", "other");
  const response = await app.post("/v1/applications", { answers: { monthprofit: 50_000 } }, {
    Prefer: "wait=5",
    ...operator,
  });
  const path = `/v1/applications/${(await response.json()).id}`;
  const erase = async (headers: Record<string, string>, at = path) =>
    (await app.request(at, { method: "DELETE", headers })).status;
  assert.equal((await app.request(path, { headers: operator })).status, 200);
  assert.equal(await erase(reader), 403);
  assert.equal(await erase(other), 404);
  assert.equal(await erase(operator), 204);
  assert.equal((await app.request(path, { headers: operator })).status, 404);
  assert.equal(await erase(operator), 404);
});

Deno.test("a result that was read a moment ago is not answered any more", async () => {
  await using app = await openKeyedApp();
  const headers = await app.as("operate", "shop");
  const { task_id } = await (await app.post("/upload_features", EXAMPLE, headers)).json();
  app.startQueue();
  await app.clock.advance(10);
  const result = `/get_result?task_id=${task_id}`;
  assert.equal((await app.request(result, { headers })).status, 200);
  const erased = await app.request(`/v1/applications/${task_id}`, { method: "DELETE", headers });
  assert.equal(erased.status, 204);
  assert.equal((await app.request(result, { headers })).status, 404);
});
