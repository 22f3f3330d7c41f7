/** The service on a disk that fails: full, read-only, broken, and with its file gone. */
import assert from "node:assert/strict";
import { Connection } from "../../database/connection.ts";
import { diskEnvironment, failing } from "../queue/disk/disk.ts";
import { type ServiceProcess, spawnService, writeImpatientConfig } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const RESULT_WAIT_MS = 20_000;

interface Rig extends AsyncDisposable {
  readonly folder: string;
  readonly service: ServiceProcess;
  /** Uploads another questionnaire; its status, and the task where it was acknowledged. */
  upload(): Promise<number>;
  readonly acknowledged: ReadonlySet<string>;
}

async function startOnDisk(): Promise<Rig> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  writeImpatientConfig(folder.path);
  const service = await spawnService({
    ...await diskEnvironment(folder.path),
    PRESCORE_CONFIG: folder.path,
    PRESCORE_DATABASE_URL: `file:${folder.path}/queue.db`,
    PRESCORE_PORT: "0",
  });
  resources.defer(async () => void await service.end("SIGKILL").catch(() => {}));
  const acknowledged = new Set<string>();
  let next = 0;
  const running = resources.move();
  return {
    folder: folder.path,
    service,
    acknowledged,
    async upload() {
      const response = await fetch(`${service.url}/upload_features`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...EXAMPLE, monthprofit: 50_000 + next++ }),
      });
      const { task_id } = await response.json();
      if (response.status === 201) acknowledged.add(task_id);
      return response.status;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function status(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}

/** Every acknowledged task gets its result, the service stops in order, and its file is whole. */
async function assertNothingLost({ folder, service, acknowledged }: Rig): Promise<void> {
  const deadlineMs = Date.now() + RESULT_WAIT_MS;
  for (const id of acknowledged) {
    while (await (await fetch(`${service.url}/check_task?task_id=${id}`)).json() !== true) {
      assert.ok(Date.now() < deadlineMs, `task ${id} was acknowledged and has no result`);
    }
  }
  assert.equal(await service.end("SIGTERM"), 0);
  const connection = await Connection.open(`file:${folder}/queue.db`);
  try {
    const { rows } = await connection.read("PRAGMA integrity_check");
    assert.deepEqual(rows, [{ integrity_check: "ok" }]);
  } finally {
    connection.close();
  }
}

for (
  const [what, fault] of [
    ["the disk is full", { calls: "writes", errno: "ENOSPC" }],
    ["the disk is read-only", { calls: "writes", errno: "EROFS" }],
    ["writes fail", { calls: "writes", errno: "EIO" }],
    ["syncs fail", { calls: "syncs", errno: "EIO" }],
  ] as const
) {
  Deno.test(`the service acknowledges nothing while ${what}, and goes on after it`, async () => {
    await using rig = await startOnDisk();
    for (let upload = 0; upload < 20; upload++) assert.equal(await rig.upload(), 201);
    const heal = failing(rig.folder, fault);
    for (let upload = 0; upload < 10; upload++) assert.equal(await rig.upload(), 503);
    heal();
    for (let upload = 0; upload < 20; upload++) assert.equal(await rig.upload(), 201);
    await assertNothingLost(rig);
  });
}

Deno.test("the service answers 503 where its file cannot be read, and goes on after it", async () => {
  await using rig = await startOnDisk();
  for (let upload = 0; upload < 20; upload++) assert.equal(await rig.upload(), 201);
  const heal = failing(rig.folder, { calls: "reads", errno: "EIO" });
  for (let upload = 0; upload < 10; upload++) {
    // What the database has in memory still serves.
    assert.ok([201, 503].includes(await rig.upload()));
  }
  heal();
  for (let upload = 0; upload < 20; upload++) assert.equal(await rig.upload(), 201);
  await assertNothingLost(rig);
});

Deno.test("the service notices that its file is gone: it is not well, and acknowledges nothing", async () => {
  await using rig = await startOnDisk();
  assert.equal(await rig.upload(), 201);
  assert.equal(await status(`${rig.service.url}/health`), 200);
  await Deno.rename(`${rig.folder}/queue.db`, `${rig.folder}/elsewhere.db`);
  assert.equal(await status(`${rig.service.url}/health`), 503);
  assert.equal(await rig.upload(), 503);
  await Deno.writeFile(`${rig.folder}/queue.db`, new Uint8Array());
  assert.equal(await rig.upload(), 503);
  await Deno.rename(`${rig.folder}/elsewhere.db`, `${rig.folder}/queue.db`);
  assert.equal(await rig.upload(), 201);
  await assertNothingLost(rig);
});
