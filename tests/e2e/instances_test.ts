/** Several processes that share the work of one database on a server. */
import assert from "node:assert/strict";
import {
  type HranaServer,
  type HranaServerOptions,
  startHranaServer,
} from "../support/hrana_server.ts";
import { type ServiceProcess, spawnService, writeImpatientConfig } from "../support/process.ts";
import { EXAMPLE, EXAMPLE_ID } from "../support/service.ts";
import { openStore, temporaryFolder } from "../support/store.ts";

const CLIENTS = 12;
const UPLOADS = 450;
const RESULT_WAIT_MS = 20_000;

interface Cluster extends AsyncDisposable {
  readonly server: HranaServer;
  start(env?: Record<string, string>): Promise<ServiceProcess>;
}

/** Cuts some connections before and some after their work was done, regularly. */
function cutting(): HranaServerOptions["fault"] {
  let request = 0;
  return () => ++request % 29 === 0 ? "cutAfter" : request % 31 === 0 ? "cutBefore" : "none";
}

async function startCluster(fault?: HranaServerOptions["fault"]): Promise<Cluster> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  writeImpatientConfig(folder.path);
  const server = resources.use(
    await startHranaServer({ path: `${folder.path}/prescore.db`, fault }),
  );
  const running = resources.move();
  return {
    server,
    start: (env = {}) =>
      spawnService({
        PRESCORE_CONFIG: folder.path,
        PRESCORE_DATABASE_URL: server.url,
        PRESCORE_PORT: "0",
        PRESCORE_WORKERS: "1",
        ...env,
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The id, or `undefined` where nobody acknowledged. */
async function upload(url: string, body: unknown): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/upload_features`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const { task_id } = await response.json();
    return response.status === 201 ? task_id : undefined;
  } catch {
    return undefined;
  }
}

async function waitForResult(url: string, id: string): Promise<void> {
  const deadlineMs = Date.now() + RESULT_WAIT_MS;
  while (await (await fetch(`${url}/check_task?task_id=${id}`)).json() !== true) {
    assert.ok(Date.now() < deadlineMs, `task ${id} was acknowledged and has no result`);
  }
}

Deno.test("three instances on a server that cuts connections, two killed in turn under load: nothing lost, nothing twice", async () => {
  await using cluster = await startCluster(cutting());
  const instances = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
  const [first, second, survivor] = instances;
  assert.ok(first && second && survivor);
  const alive = new Set(instances);
  const killed: Promise<unknown>[] = [];
  const acknowledged = new Set<string>();

  function killAt(share: number, instance: ServiceProcess): void {
    if (acknowledged.size < share * UPLOADS || !alive.delete(instance)) return;
    killed.push(instance.end("SIGKILL"));
  }
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (acknowledged.size < UPLOADS) {
      const number = next++;
      const targets = [...alive];
      const target = targets[number % targets.length];
      assert.ok(target);
      const id = await upload(target.url, { ...EXAMPLE, monthprofit: 50_000 + number });
      if (id !== undefined) acknowledged.add(id);
      killAt(1 / 3, first);
      killAt(2 / 3, second);
    }
  }));
  assert.deepEqual(await Promise.all(killed), ["SIGKILL", "SIGKILL"]);

  for (const id of acknowledged) await waitForResult(survivor.url, id);
  assert.equal(await survivor.end("SIGTERM"), 0);

  using test = await openStore(cluster.server.url);
  const { rows } = await test.connection.read(
    "SELECT id, count(*) AS n FROM tasks JOIN results USING (number) GROUP BY id",
  );
  const results = new Map(rows.map(({ id, n }) => [String(id), n]));
  for (const id of acknowledged) assert.equal(results.get(id), 1);
  const { rows: dead } = await test.connection.read("SELECT id FROM tasks WHERE state = 'dead'");
  assert.deepEqual(dead, []);
});

Deno.test("an api process takes uploads that a worker process scores", async () => {
  await using cluster = await startCluster();
  const api = await cluster.start({ PRESCORE_ROLE: "api" });
  assert.equal(await upload(api.url, EXAMPLE), EXAMPLE_ID);
  assert.equal(await (await fetch(`${api.url}/check_task?task_id=${EXAMPLE_ID}`)).json(), false);

  const worker = await cluster.start({ PRESCORE_ROLE: "worker" });
  await waitForResult(api.url, EXAMPLE_ID);
  assert.equal((await fetch(`${worker.url}/health`)).status, 200);
  assert.equal(await upload(worker.url, EXAMPLE), undefined);

  assert.equal(await worker.end("SIGTERM"), 0);
  assert.equal(await api.end("SIGTERM"), 0);
});

Deno.test("a process that stood still past its lease stores nothing when it goes on", async () => {
  await using cluster = await startCluster();
  const api = await cluster.start({ PRESCORE_ROLE: "api" });
  const sleeper = await cluster.start({ PRESCORE_ROLE: "worker" });
  using test = await openStore(cluster.server.url);
  const leased = async () =>
    (await test.connection.read("SELECT id FROM tasks WHERE state = 'leased'")).rows;
  const ids: string[] = [];

  /** Stops the sleeper with tasks in its hands. */
  async function catchAtWork(): Promise<number> {
    for (let number = 0; number < 3000; number++) {
      const id = await upload(api.url, { ...EXAMPLE, monthprofit: 50_000 + number });
      assert.ok(id);
      ids.push(id);
      sleeper.signal("SIGSTOP");
      const held = (await leased()).length;
      if (held > 0) return held;
      sleeper.signal("SIGCONT");
    }
    return 0;
  }
  assert.ok(await catchAtWork() > 0, "the sleeper never held a task");
  const held = (await leased()).map(({ id }) => String(id));

  const other = await cluster.start({ PRESCORE_ROLE: "worker" });
  for (const id of ids) await waitForResult(api.url, id);
  const stored = async () =>
    (await test.connection.read(
      "SELECT id, body, results.fence FROM tasks JOIN results USING (number) ORDER BY id",
    )).rows;
  const before = await stored();
  for (const id of held) {
    const { fence } = before.find((result) => result.id === id) ?? {};
    assert.ok(Number(fence) > 1, `task ${id} was not claimed again`);
  }

  sleeper.signal("SIGCONT");
  // A stop waits for the batch at work: what it had to say late has been said then.
  assert.equal(await sleeper.end("SIGTERM"), 0);
  assert.deepEqual(await stored(), before);
  assert.equal(await other.end("SIGTERM"), 0);
  assert.equal(await api.end("SIGTERM"), 0);
});

Deno.test("GET /health answers 503 while the database does not", async () => {
  const cluster = await startCluster();
  const api = await cluster.start({ PRESCORE_ROLE: "api" });
  assert.equal((await fetch(`${api.url}/health`)).status, 200);
  await cluster[Symbol.asyncDispose]();
  const response = await fetch(`${api.url}/health`);
  assert.equal(response.status, 503);
  await response.body?.cancel();
  assert.equal(await api.end("SIGTERM"), 0);
});
