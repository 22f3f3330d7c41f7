import assert from "node:assert/strict";
import { Connection } from "../../database/connection.ts";
import { runTask } from "../support/process.ts";
import { EXAMPLE, EXAMPLE_ID, readConfig } from "../support/service.ts";
import { startService } from "../../main.ts";
import { temporaryFolder } from "../support/store.ts";

const CLIENTS = 4;

function backup(database: string, ...args: string[]) {
  return runTask(["-P=operate", "tasks/backup.ts", ...args], {
    env: { PRESCORE_DATABASE_URL: database },
  });
}

function start(databaseUrl: string) {
  const { service, ...config } = readConfig();
  return startService({ ...config, service: { ...service, port: 0, databaseUrl, workers: 0 } });
}

async function upload(url: string, body: unknown): Promise<string> {
  const response = await fetch(`${url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 201);
  return (await response.json()).task_id;
}

Deno.test("a backup made under load has every task acknowledged before it, and starts", async () => {
  await using folder = await temporaryFolder();
  const database = `file:${folder.path}/prescore.db`;
  const copy = `${folder.path}/backup.db`;
  const service = await start(database);
  const before: string[] = [];
  try {
    before.push(await upload(service.url, EXAMPLE));
    let loading = true;
    let next = 0;
    const load = Array.from({ length: CLIENTS }, async () => {
      while (loading) await upload(service.url, { ...EXAMPLE, monthprofit: 50_000 + next++ });
    });
    for (let number = 0; number < 50; number++) {
      before.push(await upload(service.url, { ...EXAMPLE, loan_amount: 50_000 + number }));
    }
    const { code, stdout, stderr } = await backup(
      database,
      ...["--to", copy, "--keys-to", `${copy}.keys.db`],
    );
    loading = false;
    await Promise.all(load);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\d+ bytes in .*\n\d+ bytes in .*\.keys\.db/);
  } finally {
    await service.stop();
  }

  const connection = await Connection.open(`file:${copy}`);
  const { rows } = await connection.read("SELECT id FROM tasks");
  connection.close();
  const kept = new Set(rows.map(({ id }) => id));
  for (const id of before) assert.ok(kept.has(id), `task ${id} is not in the backup`);

  const restored = await start(`file:${copy}`);
  try {
    const result = await fetch(`${restored.url}/get_result?task_id=${EXAMPLE_ID}`);
    assert.equal(result.status, 200);
    await result.body?.cancel();
  } finally {
    await restored.stop();
  }
});

for (
  const [what, database, args, expected] of [
    ["no file to write", "file:a.db", [], /--to must name the file to write/],
    ["a file that is there", "file:a.db", ["--to", "deno.json"], /deno\.json is there already/],
    [
      "a database that is not there",
      "file:nowhere/a.db",
      ["--to", "nowhere.db"],
      /Cannot back up file:nowhere\/a\.db to nowhere\.db: No such file/,
    ],
    [
      "a database on a server",
      "libsql://db.example?authToken=secret",
      ["--to", "nowhere.db"],
      /use the server's own backups/,
    ],
  ] as const
) {
  Deno.test(`backup refuses ${what}, and leaves nothing behind`, async () => {
    const { code, stderr } = await backup(database, ...args);
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /secret|\n\s+at /);
    await assert.rejects(Deno.stat("nowhere.db"), Deno.errors.NotFound);
  });
}
