import assert from "node:assert/strict";
import { createPrescore, unwrap } from "../../client/mod.ts";
import { runTask, spawnService, writeImpatientConfig } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const REPLAY = ["-P=operate", "tasks/replay.ts"];

Deno.test("deno task replay says whether a stored decision would be the same today", async () => {
  await using folder = await temporaryFolder();
  writeImpatientConfig(folder.path);
  const env = {
    PRESCORE_CONFIG: folder.path,
    PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
    PRESCORE_PORT: "0",
  };
  const service = await spawnService(env);
  const prescore = createPrescore(service.url);
  const { id, status } = unwrap(
    await prescore.POST("/v1/applications", {
      params: { header: { prefer: "wait=10" } },
      body: { answers: EXAMPLE },
    }),
  );
  assert.equal(status, "decided");
  const uploaded = await fetch(`${service.url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  const { task_id } = await uploaded.json();
  await service.end("SIGTERM");

  const same = await runTask([...REPLAY, id], { env });
  assert.equal(same.code, 0, same.stderr);
  assert.equal(same.stdout, "same\nthe decision is the same\n");

  const policy = { version: "another", target: 0.9 };
  await Deno.writeTextFile(`${folder.path}/policy.json`, JSON.stringify(policy));
  const changed = await runTask([...REPLAY, id], { env });
  assert.equal(changed.code, 2, changed.stderr);
  assert.match(changed.stdout, /^policy changed\n/);

  const banks = JSON.parse(await Deno.readTextFile(`${folder.path}/banks.json`));
  const [first, second] = banks.banks;
  [first.model, second.model] = [second.model, first.model];
  await Deno.writeTextFile(`${folder.path}/banks.json`, JSON.stringify(banks));
  const swapped = await runTask([...REPLAY, id], { env });
  assert.equal(swapped.code, 2, swapped.stderr);
  assert.match(swapped.stdout, /^model changed, policy changed\nthe decision is another\n/);
  assert.match(swapped.stdout, /^bank_a: was 0\.\d+, is 0\.\d+$/m);

  for (
    const [args, expected] of [
      [[], /must be given the id of one application/],
      [["app_0"], /Cannot replay app_0: it must be stored in/],
      [[task_id], /has probabilities alone|has no decision/],
    ] as const
  ) {
    const { code, stderr } = await runTask([...REPLAY, ...args], { env });
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
});
