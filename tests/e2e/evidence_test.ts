import assert from "node:assert/strict";
import { decodeResult } from "../../scoring/handler.ts";
import { openStores } from "../../stores.ts";
import { startService } from "../../main.ts";
import { readConfig, startTestService } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const APPLICANT = { born: "1990-05-01", income: 2500, amount: 1200 };

Deno.test("the service refuses to start with a model that has no evidence and no override", async () => {
  const config = readConfig("tests/fixtures/small/configs");
  const banks = config.banks.banks.map(({ override: _, ...bank }) => bank);
  await assert.rejects(
    startService({ ...config, banks: { ...config.banks, banks } }),
    /Cannot serve these banks.*"override".*\n.*north: model trees: no evidence.*\n.*south: model network/,
  );
});

Deno.test("an answer under an override says so in a header, and its body stays the contract's", async () => {
  await using test = await startTestService(readConfig("tests/fixtures/small/configs"));
  const { task_id, ...probabilities } = await test.score(APPLICANT);
  assert.deepEqual(Object.keys(probabilities), ["north", "south"]);
  const { headers } = await test.get(`/get_result?task_id=${task_id}`);
  assert.equal(headers.get("Prescore-No-Evidence"), "north, south");
});

Deno.test("an answer of models with evidence has no such header", async () => {
  await using test = await startTestService(readConfig());
  const { task_id } = await test.score({});
  const { headers } = await test.get(`/get_result?task_id=${task_id}`);
  assert.equal(headers.get("Prescore-No-Evidence"), null);
});

Deno.test("a stored result keeps which banks were without evidence", async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/kept.db`;
  const { service, ...config } = readConfig("tests/fixtures/small/configs");
  const running = await startService({ ...config, service: { ...service, port: 0, databaseUrl } });
  const uploaded = await fetch(`${running.url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(APPLICANT),
  });
  const { task_id } = await uploaded.json();
  await running.stop();
  const { store } = await openStores({ databaseUrl, limits: service.limits }, Date.now());
  try {
    const task = await store.find(task_id);
    assert.ok(task?.result);
    assert.deepEqual(decodeResult(task.result).withoutEvidence, ["north", "south"]);
  } finally {
    store.close();
  }
});
