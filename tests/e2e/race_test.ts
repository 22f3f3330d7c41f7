/** The same questionnaire, uploaded by many at once: one task, one result. */
import assert from "node:assert/strict";
import { startHranaServer } from "../support/hrana_server.ts";
import { EXAMPLE, readConfig, startTestService } from "../support/service.ts";
import { openStore, temporaryFolder } from "../support/store.ts";

/** More with PRESCORE_RACES. */
const RACES = Number(Deno.env.get("PRESCORE_RACES") ?? 20);
const WAYS = 64;

type Post = (
  body: unknown,
) => Promise<{ readonly status: number; readonly body: { task_id: string } }>;

/** Races over these services; the ids of the tasks, one for each race. */
async function race(races: number, posts: readonly Post[]): Promise<Set<string>> {
  const all = new Set<string>();
  for (let number = 0; number < races; number++) {
    const body = { ...EXAMPLE, monthprofit: 50_000 + number };
    const answers = await Promise.all(
      Array.from({ length: WAYS }, (_, way) => posts[way % posts.length]?.(body)),
    );
    const ids = new Set(answers.map((answer) => answer?.body.task_id ?? ""));
    assert.ok(answers.every((answer) => answer?.status === 201));
    assert.equal(ids.size, 1);
    for (const id of ids) all.add(id);
  }
  assert.equal(all.size, races);
  return all;
}

async function assertOneEach(databaseUrl: string, ids: ReadonlySet<string>): Promise<void> {
  using test = await openStore(databaseUrl);
  const { rows } = await test.connection.read(
    "SELECT id, attempt, tasks.fence, body IS NOT NULL AS done FROM tasks LEFT JOIN results USING (number)",
  );
  assert.deepEqual(new Set(rows.map(({ id }) => id)), ids);
  for (const row of rows) {
    assert.deepEqual(row, { id: row.id, attempt: 1, fence: 1, done: 1 });
  }
}

Deno.test(`${RACES} races of ${WAYS} uploads make one task each`, async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/prescore.db`;
  await using test = await startTestService(readConfig(), { databaseUrl });
  const ids = await race(RACES, [test.post]);
  for (const id of ids) {
    while ((await test.get(`/check_task?task_id=${id}`)).body !== true);
  }
  await assertOneEach(databaseUrl, ids);
});

Deno.test(`races of ${WAYS} uploads to three services on one database make one task each`, async () => {
  await using folder = await temporaryFolder();
  await using server = await startHranaServer({ path: `${folder.path}/prescore.db` });
  const { service, ...config } = readConfig();
  const one = { ...config, service: { ...service, workers: 0 } };
  const { url: databaseUrl } = server;
  await using a = await startTestService(one, { databaseUrl });
  await using b = await startTestService(one, { databaseUrl });
  await using c = await startTestService(one, { databaseUrl });
  const ids = await race(10, [a.post, b.post, c.post]);
  for (const id of ids) {
    while ((await a.get(`/check_task?task_id=${id}`)).body !== true);
  }
  await assertOneEach(databaseUrl, ids);
});
