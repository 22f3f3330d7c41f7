/** What the running service tells of itself, and that it tells nothing of the people it scores. */
import assert from "node:assert/strict";
import { EXAMPLE, readConfig, startTestService } from "../support/service.ts";

const CANARY = "Канарейкина";

Deno.test("metrics count requests, tasks, scores and workers, and name nobody", async () => {
  const config = readConfig();
  await using test = await startTestService(config);
  await test.service.workers;
  await test.score({ ...EXAMPLE, position: CANARY });
  await test.post({ ...EXAMPLE, position: CANARY, monthprofit: CANARY });
  const { url } = test.service;
  await (await fetch(`${url}/v1/applications`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "wait=5" },
    body: JSON.stringify({ answers: { position: CANARY, monthprofit: 50_000 } }),
  })).text();
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const value = (series: string) => {
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? NaN);
  };
  const requests = "prescore_http_request_duration_seconds_count";
  assert.equal(value(`${requests}{method="POST",route="/upload_features",status="201"}`), 1);
  assert.equal(value(`${requests}{method="POST",route="/upload_features",status="422"}`), 1);
  assert.equal(value(`${requests}{method="POST",route="/v1/applications",status="200"}`), 1);
  for (const { id } of config.banks.banks) {
    assert.ok(value(`prescore_score_count{bank="${id}"}`) >= 2, id);
  }
  assert.equal(value('prescore_attempts_total{outcome="stored"}'), 1);
  assert.equal(value('prescore_queue_tasks{state="queued"}'), 0);
  assert.equal(value('prescore_queue_oldest_seconds{state="leased"}'), 0);
  assert.ok(value("prescore_worker_starts_total") >= config.service.workers);
  assert.ok(value("process_resident_memory_bytes") > 1e6);
  assert.ok(!text.includes(CANARY));
  const ready = await test.get("/readyz");
  assert.deepEqual(ready.body, { ready: true, parts: { database: "ok", scoring: "ok" } });
});
