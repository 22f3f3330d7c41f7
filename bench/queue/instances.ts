/**
 * `deno task bench-instances [--tasks 3000]`: one, two and three services on one remote database, and three of which two are killed
 * in turn under load: uploads and results a second, and whether every acknowledged task has its one result.
 * Figures go to bench/results/instances.json.
 *
 * Known limit: the server is the tests' own, on the same cores, and does not wait for the disk.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { startHranaServer } from "../../tests/support/hrana_server.ts";
import {
  type ServiceProcess,
  spawnService,
  writeImpatientConfig,
} from "../../tests/support/process.ts";
import { EXAMPLE } from "../../tests/support/service.ts";
import { openStore, temporaryFolder } from "../../tests/support/store.ts";

const { values: options } = parseArgs({ options: { tasks: { type: "string", default: "3000" } } });
const tasks = Number(options.tasks);
const CLIENTS = 48;

interface Run {
  readonly instances: number;
  /** How many of them are killed under load, in turn. */
  readonly killed: number;
}

interface Figures extends Run {
  readonly uploadsPerS: number;
  readonly resultsPerS: number;
}

async function run({ instances: count, killed }: Run): Promise<Figures> {
  await using folder = await temporaryFolder();
  writeImpatientConfig(folder.path);
  await using server = await startHranaServer({ path: `${folder.path}/prescore.db` });
  const instances = await Promise.all(Array.from({ length: count }, () =>
    spawnService({
      PRESCORE_CONFIG: folder.path,
      PRESCORE_DATABASE_URL: server.url,
      PRESCORE_PORT: "0",
      PRESCORE_WORKERS: "1",
    })));
  const alive = [...instances];
  const ends: Promise<unknown>[] = [];
  const acknowledged = new Set<string>();
  let next = 0;

  async function upload(): Promise<void> {
    while (acknowledged.size < tasks) {
      const number = next++;
      const id = await uploadTo(alive[number % alive.length], number);
      if (id !== undefined) acknowledged.add(id);
      const dead = count - alive.length;
      if (dead < killed && acknowledged.size >= tasks * (dead + 1) / (killed + 1)) {
        const victim = alive.shift();
        if (victim) ends.push(victim.end("SIGKILL"));
      }
    }
  }
  const startMs = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, upload));
  const uploadedMs = performance.now() - startMs;
  await Promise.all(ends);

  using test = await openStore(server.url);
  let done: ReadonlySet<string> = new Set();
  while (![...acknowledged].every((id) => done.has(id))) {
    const { rows } = await test.connection.read(
      "SELECT id AS task_id FROM tasks JOIN results USING (number)",
    );
    assert.equal(new Set(rows.map(({ task_id }) => task_id)).size, rows.length);
    done = new Set(rows.map(({ task_id }) => String(task_id)));
  }
  const doneMs = performance.now() - startMs;
  for (const instance of alive) assert.equal(await instance.end("SIGTERM"), 0);
  return {
    instances: count,
    killed,
    uploadsPerS: Math.round(acknowledged.size / uploadedMs * 1000),
    resultsPerS: Math.round(done.size / doneMs * 1000),
  };
}

/** The task where it was acknowledged. */
async function uploadTo(service: ServiceProcess | undefined, number: number) {
  try {
    const response = await fetch(`${service?.url}/upload_features`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...EXAMPLE, monthprofit: 50_000 + number }),
    });
    const { task_id } = await response.json() as { task_id: string };
    return response.status === 201 ? task_id : undefined;
  } catch {
    return undefined;
  }
}

const figures: Figures[] = [];
for (
  const each of [
    { instances: 1, killed: 0 },
    { instances: 2, killed: 0 },
    { instances: 3, killed: 0 },
    { instances: 3, killed: 2 },
  ]
) {
  const found = await run(each);
  console.log(JSON.stringify(found));
  figures.push(found);
}
await Deno.writeTextFile(
  new URL("../results/instances.json", import.meta.url),
  JSON.stringify(
    { cores: navigator.hardwareConcurrency, loadAverage: Deno.loadavg(), tasks, figures },
    null,
    1,
  ) + "\n",
);
