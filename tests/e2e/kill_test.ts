import assert from "node:assert/strict";
import { Connection } from "../../queue/connection.ts";
import { type ServiceProcess, spawnService, writeImpatientConfig } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const ROUNDS = 4;
const CLIENTS = 16;
const ACKNOWLEDGED_BEFORE_KILL = 150;

/** Uploads different questionnaires until the service dies; adds each acknowledged task id. */
async function uploadUntilKilled(url: string, { round, acknowledged, onAcknowledged }: {
  round: number;
  acknowledged: Set<string>;
  onAcknowledged: () => void;
}): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (;;) {
      const body = JSON.stringify({
        ...EXAMPLE,
        monthprofit: 50_000 + 1000 * round + next++ / 100,
      });
      try {
        const response = await fetch(`${url}/upload_features`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body,
        });
        assert.equal(response.status, 201);
        acknowledged.add((await response.json()).task_id);
        onAcknowledged();
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  }));
}

Deno.test("kill -9 under load loses no acknowledged task and stores one result for each", async () => {
  await using folder = await temporaryFolder();
  writeImpatientConfig(folder.path);
  const database = `file:${folder.path}/prescore.db`;
  const env = { PRESCORE_CONFIG: folder.path, PRESCORE_DATABASE_URL: database, PRESCORE_PORT: "0" };
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const service = await spawnService(env);
    let count = 0;
    let killed: Promise<unknown> | undefined;
    await uploadUntilKilled(service.url, {
      round,
      acknowledged,
      onAcknowledged: () => {
        if (++count >= ACKNOWLEDGED_BEFORE_KILL) killed ??= service.end("SIGKILL");
      },
    });
    assert.equal(await killed, "SIGKILL");
  }
  assert.ok(acknowledged.size >= ROUNDS * ACKNOWLEDGED_BEFORE_KILL);

  const service = await spawnService(env);
  await waitForResults(service, acknowledged);
  assert.equal(await service.end("SIGTERM"), 0);
  await checkDatabase(database, acknowledged);
});

async function waitForResults(service: ServiceProcess, ids: ReadonlySet<string>): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (const id of ids) {
    while (await (await fetch(`${service.url}/check_task?task_id=${id}`)).json() !== true) {
      assert.ok(Date.now() < deadlineMs, `task ${id} was acknowledged and has no result`);
    }
  }
}

async function checkDatabase(url: string, acknowledged: ReadonlySet<string>): Promise<void> {
  const connection = await Connection.open(url);
  try {
    const integrity = await connection.read("PRAGMA integrity_check");
    assert.deepEqual(integrity.rows, [{ integrity_check: "ok" }]);
    const { rows } = await connection.read(
      "SELECT task_id, count(*) AS n FROM results GROUP BY task_id",
    );
    const results = new Map(rows.map(({ task_id, n }) => [String(task_id), Number(n)]));
    for (const id of acknowledged) assert.equal(results.get(id), 1);
    const { rows: open } = await connection.read("SELECT id FROM tasks WHERE state != 'done'");
    assert.deepEqual(open, []);
  } finally {
    connection.close();
  }
}
