/** The service as an edge platform runs it: no workers, no disk, no native libraries, and a database on a server. */
import assert from "node:assert/strict";
import { keyText, newKey } from "../../access/mod.ts";
import { OPEN_TO_EVERYONE } from "../../configs/mod.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { runTask, spawnService } from "../support/process.ts";
import { EXAMPLE, EXAMPLE_ID } from "../support/service.ts";
import { openStore, temporaryFolder } from "../support/store.ts";

/** What the platform allows: the network, the environment and the program's own files. */
const PLATFORM = [
  "--preload=tests/support/edge_platform.ts",
  "--allow-net",
  "--allow-env",
  "--allow-read=.",
  "--no-prompt",
  "edge.ts",
];
const SWEEP_WAIT_MS = 5000;

/** A word of the configuration, or the keys, say who may come. */
async function startEdge(access: Record<string, string> = { PRESCORE_ACCESS: OPEN_TO_EVERYONE }) {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const server = resources.use(await startHranaServer({ path: `${folder.path}/prescore.db` }));
  const test = resources.use(await openStore(server.url));
  const edge = await spawnService(
    { PRESCORE_DATABASE_URL: server.url, PRESCORE_PORT: "0", ...access },
    PLATFORM,
  );
  resources.defer(() => void edge.end("SIGKILL").catch(() => {}));
  const running = resources.move();
  return { edge, store: test.store, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** As a process leaves it that was stopped between the commit and the scoring. */
async function leaveStored(store: Awaited<ReturnType<typeof startEdge>>["store"]): Promise<void> {
  const payload = JSON.stringify({ answers: EXAMPLE });
  await store.enqueue([{ id: "left", payload, revision: "1" }], Date.now());
}

Deno.test("edge.ts scores an upload before it answers", async () => {
  await using test = await startEdge();
  const response = await fetch(`${test.edge.url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(EXAMPLE),
  });
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { task_id: EXAMPLE_ID, is_complete: true });
  const result = await (await fetch(`${test.edge.url}/get_result?task_id=${EXAMPLE_ID}`)).json();
  assert.ok(Number(result.bank_a) > 0 && Number(result.bank_a) < 1);
});

Deno.test("edge.ts scores what a stopped process left, when somebody asks for it", async () => {
  await using test = await startEdge();
  await leaveStored(test.store);
  const asked = await fetch(`${test.edge.url}/check_task?task_id=left`);
  assert.equal(await asked.json(), true);
});

Deno.test("edge.ts scores what nobody asks for in its sweep", async () => {
  await using test = await startEdge();
  await leaveStored(test.store);
  test.edge.signal("SIGUSR1");
  const deadlineMs = Date.now() + SWEEP_WAIT_MS;
  while ((await test.store.find("left"))?.state !== "done") {
    assert.ok(Date.now() < deadlineMs, "the sweep left a task");
  }
});

Deno.test("edge.ts refuses a database in a file", async () => {
  const { code, stderr } = await runTask(PLATFORM, { env: { PRESCORE_DATABASE_URL: "file:a.db" } });
  assert.equal(code, 1);
  assert.match(stderr, /PRESCORE_DATABASE_URL must name a database on a server/);
});

Deno.test("edge.ts does not start without keys, for others reach it whatever the address", async () => {
  await using folder = await temporaryFolder();
  await using server = await startHranaServer({ path: `${folder.path}/prescore.db` });
  const { code, stderr } = await runTask(PLATFORM, {
    env: { PRESCORE_DATABASE_URL: server.url, PRESCORE_PORT: "0" },
  });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot listen on 0\.0\.0\.0: .* PRESCORE_ADMIN_KEY/s);
});

Deno.test("edge.ts asks for the key that its environment names", async () => {
  const key = keyText(newKey((bytes) => crypto.getRandomValues(bytes)));
  await using test = await startEdge({ PRESCORE_ADMIN_KEY: key });
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${test.edge.url}/check_task?task_id=a`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.deepEqual([await ask({}), await ask({ Authorization: `Bearer ${key}` })], [401, 404]);
});

Deno.test("edge.ts ends in order when the platform stops it", async () => {
  await using test = await startEdge();
  assert.equal(await test.edge.end("SIGINT"), 0);
});
