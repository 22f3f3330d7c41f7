/** What was acknowledged is on disk: a power cut at any moment, with writes lost and torn, takes none of it away. */
import assert from "node:assert/strict";
import { Connection } from "../../database/connection.ts";
import { runTask } from "../support/process.ts";
import { temporaryFolder } from "../support/store.ts";
import { type Damage, diskEnvironment, PowerCuts, readLog } from "./disk/disk.ts";
import { Random } from "./simulation/random.ts";

const CUTS = Number(Deno.env.get("PRESCORE_POWER_CUTS") ?? 100);

/** The promises that the files in `folder` do not keep. */
async function broken(folder: string, promised: readonly string[]): Promise<string[]> {
  const connection = await Connection.open(`file:${folder}/queue.db`);
  try {
    const { rows: integrity } = await connection.read("PRAGMA integrity_check");
    assert.deepEqual(integrity, [{ integrity_check: "ok" }]);
    const { rows: tables } = await connection.read(
      "SELECT 1 FROM sqlite_schema WHERE name = 'tenants'",
    );
    if (tables.length === 0) return [...promised];
    const { rows } = await connection.read(`
      SELECT 'task ' || tasks.id AS kept FROM tasks JOIN payloads USING (number)
      UNION ALL SELECT 'result ' || tasks.id FROM tasks JOIN results USING (number)`);
    const kept = new Set(rows.map(({ kept }) => kept));
    return promised.filter((promise) => !kept.has(promise));
  } finally {
    connection.close();
  }
}

/** Runs an uploader at this setting, and cuts the power at random moments of its life; the promises that each cut broke. */
async function brokenByCuts(synchronous: "FULL" | "NORMAL"): Promise<string[][]> {
  await using folder = await temporaryFolder();
  const { code, stderr } = await runTask(
    ["-A", "tests/queue/disk/uploader.ts", folder.path, synchronous],
    { env: await diskEnvironment(folder.path) },
  );
  assert.equal(code, 0, stderr);
  const operations = readLog(folder.path);
  const random = new Random(1);
  const moments = Array.from({ length: CUTS }, () => random.below(operations.length + 1));
  const cuts = new PowerCuts(operations);
  const all: string[][] = [];
  for (const moment of moments.sort((a, b) => a - b)) {
    cuts.advance(moment);
    for (const damage of ["lost", "torn"] satisfies Damage[]) {
      await using left = await temporaryFolder();
      cuts.cut(left.path, { damage, random });
      all.push(await broken(left.path, cuts.promised));
    }
  }
  assert.ok(cuts.promised.length > 100, "too little was promised for the cuts to mean anything");
  return all;
}

Deno.test(`${CUTS} power cuts with lost and torn writes take nothing acknowledged away`, async () => {
  for (const promises of await brokenByCuts("FULL")) assert.deepEqual(promises, []);
});

Deno.test("the same power cuts break promises at synchronous NORMAL", async () => {
  const cuts = await brokenByCuts("NORMAL");
  assert.ok(cuts.filter((promises) => promises.length > 0).length > CUTS / 4);
});
