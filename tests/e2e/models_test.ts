/** The change from one version of the models to another while the service works: nothing lost, no answer of both. */
import assert from "node:assert/strict";
import { decodePayload, decodeResult } from "../../scoring/handler.ts";
import type { Decision } from "../../scoring/decision.ts";
import { loadVersion } from "../../serving.ts";
import { startService } from "../../main.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { runTask, spawnService } from "../support/process.ts";
import { EXAMPLE, startTestService, type TestService } from "../support/service.ts";
import { openStore, temporaryFolder } from "../support/store.ts";
import { copyVersions, type Versions } from "../support/versions.ts";

const CLIENTS = 6;

async function step(test: TestService, path: string, method = "POST"): Promise<string> {
  const response = await fetch(`${test.service.url}/v1/models/${path}`, { method });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body.active;
}

/** Uploads different questionnaires, a few at a time, until it is told to end; resolves with the ids of those acknowledged. */
function uploadUntil(test: TestService, isOver: () => boolean): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const client = async () => {
    while (!isOver()) {
      const { status, body } = await test.post({ ...EXAMPLE, monthprofit: 50_000 + next++ });
      assert.equal(status, 201);
      ids.push(body.task_id);
    }
  };
  return Promise.all(Array.from({ length: CLIENTS }, client)).then(() => ids);
}

async function waitForAll(test: TestService, ids: readonly string[]): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (const id of ids) {
    while ((await test.get(`/check_task?task_id=${id}`)).body !== true) {
      assert.ok(Date.now() < deadlineMs, `task ${id} has no result`);
    }
  }
}

/** Every result must be what the version that it names gives, and its task must have that version's revision. */
async function checkResults(url: string, versions: Versions): Promise<Map<string, number>> {
  using store = await openStore(url);
  await using one = await loadVersion(alone(versions), "1");
  const { scorer } = await one.scoring();
  const revisions = new Map<string, string>();
  const counts = new Map<string, number>();
  const { rows } = await store.connection.read(
    "SELECT id, revision, tasks.created_at_ms AS at FROM tasks JOIN results USING (number)",
  );
  const ids = rows.map(({ id }) => String(id));
  const [payloads, tasks] = [await store.store.payloadEach(ids), await store.store.findEach(ids)];
  for (const { id, revision, at } of rows) {
    const { probabilities, model } = decodeResult(tasks.get(String(id))?.result ?? "");
    const { answers } = decodePayload(payloads.get(String(id)) ?? "");
    const [expected] = await scorer.score([{ answers, atMs: Number(at) }]);
    const { bank_a, bank_b, ...others } = expected?.probabilities ?? {};
    const swapped = { bank_a: bank_b, bank_b: bank_a, ...others };
    assert.deepEqual({ ...probabilities }, model === "1" ? expected?.probabilities : swapped);
    assert.equal(revisions.get(model) ?? revision, revision);
    revisions.set(model, String(revision));
    counts.set(model, (counts.get(model) ?? 0) + 1);
  }
  assert.equal(new Set(revisions.values()).size, revisions.size);
  return counts;
}

function alone({ config }: Versions) {
  return { ...config, service: { ...config.service, workers: 0 } };
}

Deno.test("under load a version is activated and rolled back: nothing is lost, and no answer is of both", async () => {
  await using versions = await copyVersions();
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/models.db`;
  let ids: string[] = [];
  {
    await using test = await startTestService(versions.config, { databaseUrl });
    await test.service.workers;
    let over = false;
    const uploading = uploadUntil(test, () => over);
    await step(test, "2/register");
    assert.equal(await step(test, "2/activate"), "2");
    assert.equal(await step(test, "rollback"), "1");
    assert.equal(await step(test, "2/activate"), "2");
    over = true;
    ids = await uploading;
    await waitForAll(test, ids);
    // The same questionnaire, under the version that is active now: bank_a answers as bank_b did.
    const again = await test.score(EXAMPLE);
    assert.equal((await test.get("/v1/models")).body.serving.active, "2");
    assert.ok(Number(again.bank_a) > 0.9 && Number(again.bank_b) < 0.6, JSON.stringify(again));
  }
  const counts = await checkResults(databaseUrl, versions);
  assert.equal((counts.get("1") ?? 0) + (counts.get("2") ?? 0), new Set(ids).size + 1);
  assert.ok((counts.get("1") ?? 0) > 0 && (counts.get("2") ?? 0) > 0, JSON.stringify([...counts]));
});

Deno.test("a decision is of one version alone, whatever is activated while it is made", async () => {
  await using versions = await copyVersions();
  await using test = await startTestService(versions.config);
  await test.service.workers;
  await step(test, "2/register");
  const decide = async (at: number): Promise<Decision> => {
    const response = await fetch(`${test.service.url}/v1/applications`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Prefer": "wait=20" },
      body: JSON.stringify({ answers: { ...EXAMPLE, monthprofit: 90_000 + at } }),
    });
    return (await response.json()).decision;
  };
  const [decisions] = await Promise.all([
    Promise.all(Array.from({ length: 30 }, (_, at) => decide(at))),
    step(test, "2/activate"),
  ]);
  decisions.push(await decide(30));
  const hashes = new Map((await test.get("/v1/models")).body.versions.map((
    { version, banks }: { version: string; banks: { bank: string; onnxSha256: string }[] },
  ) => [version, Object.fromEntries(banks.map(({ bank, onnxSha256 }) => [bank, onnxSha256]))]));
  for (const { receipt: { model }, banks } of decisions) {
    assert.deepEqual(model.onnxSha256, hashes.get(model.version));
    const [a, b] = banks;
    assert.ok(a?.status === "decided" && b?.status === "decided");
    assert.equal(a.probability < b.probability, model.version === "1");
  }
  assert.equal(decisions.at(-1)?.receipt.model.version, "2");
});

Deno.test("an activation that fails leaves the old version answering", async () => {
  await using versions = await copyVersions();
  await using test = await startTestService(versions.config);
  await step(test, "2/register");
  await Deno.writeTextFile(`${versions.path}/models/2/bank_a.forest`, "spoilt");
  const refused = await fetch(`${test.service.url}/v1/models/2/activate`, { method: "POST" });
  const problem = await refused.json();
  assert.deepEqual([refused.status, problem.type], [409, "/problems/step-refused"]);
  assert.match(problem.detail, /must be those that were registered.*bank_a.forest/);
  const scored = await test.score(EXAMPLE);
  assert.ok(Number(scored.bank_b) > 0.9, JSON.stringify(scored));
  const { body: { entries: [entry] } } = await test.get("/v1/audit?limit=1");
  assert.deepEqual([entry.action, entry.actor, entry.subject], [
    "models.refuse",
    "anyone",
    "models/2",
  ]);
});

Deno.test("a restart keeps the active version, and refuses one whose files were changed", async () => {
  await using versions = await copyVersions();
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/models.db`;
  {
    await using test = await startTestService(versions.config, { databaseUrl });
    await step(test, "2/register");
    await step(test, "2/activate");
  }
  {
    await using test = await startTestService(versions.config, { databaseUrl });
    assert.equal((await test.get("/v1/models")).body.serving.active, "2");
    assert.ok(Number((await test.score(EXAMPLE)).bank_a) > 0.9);
  }
  await versions.change("2", "golden.json", ({ rows }) => rows.pop());
  await assert.rejects(
    startService({
      ...versions.config,
      service: { ...versions.config.service, port: 0, databaseUrl },
    }),
    /Cannot use models\/2: its files must be those that were registered.*golden.json/,
  );
});

Deno.test("what a command activates, two processes on one server follow", async () => {
  await using versions = await copyVersions();
  await versions.configure("service.json", (service) => {
    service.models.followEveryMs = 50;
  });
  const server = await startHranaServer({ path: `${versions.path}/prescore.db` });
  const env = {
    PRESCORE_CONFIG: `${versions.path}/configs`,
    PRESCORE_DATABASE_URL: server.url,
    PRESCORE_PORT: "0",
    PRESCORE_WORKERS: "1",
  };
  const processes = await Promise.all([
    spawnService({ ...env, PRESCORE_ROLE: "api" }),
    spawnService({ ...env, PRESCORE_ROLE: "worker" }),
    spawnService(env),
  ]);
  const [api, , both] = processes;
  assert.ok(api && both);
  const models = (...args: string[]) =>
    runTask(["-P=operate", "tasks/models.ts", ...args], { env });
  for (const args of [["register", "2"], ["activate", "2"]]) {
    const { code, stderr } = await models(...args);
    assert.equal(code, 0, stderr);
  }
  const answers = { ...EXAMPLE, monthprofit: 70_000 };
  for (const { url } of [api, both]) {
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const response = await fetch(`${url}/v1/what-if`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ answers }),
      });
      const { decision } = await response.json();
      if (decision.receipt.model.version === "2") break;
      assert.ok(Date.now() < deadlineMs, `${url} does not follow`);
    }
  }
  const listed = await models();
  assert.match(listed.stdout, /^1 {2}previous .*\n2 {2}active {2}[0-9a-f]{12} {2}bank_a 0\.\d+/);
  const refused = await models("activate", "2");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Cannot activate models\/2: it is active already\n$/);
  for (const process of processes) assert.equal(await process.end("SIGTERM"), 0);
  await server[Symbol.asyncDispose]();
});

Deno.test("a task is done again under the version that is active when it is sent again", async () => {
  await using versions = await copyVersions();
  await using test = await startTestService(versions.config);
  const before = await test.score(EXAMPLE);
  assert.deepEqual(await test.score(EXAMPLE), before);
  await step(test, "2/register");
  await step(test, "2/activate");
  const after = await test.score(EXAMPLE);
  assert.deepEqual([after.bank_a, after.bank_b], [before.bank_b, before.bank_a]);
});

Deno.test("a challenger scores beside, answers its share, always the same applications, and the comparison shows it", async () => {
  await using versions = await copyVersions();
  await using test = await startTestService(versions.config);
  await step(test, "2/register");
  const trial = (share: number) =>
    fetch(`${test.service.url}/v1/models/challenger`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ version: "2", share }),
    }).then((response) => response.json());
  assert.deepEqual(await trial(0), { active: "1", challenger: { version: "2", share: 0 } });
  const bodies = Array.from({ length: 40 }, (_, at) => ({ ...EXAMPLE, monthprofit: 60_000 + at }));
  for (const body of bodies) await test.score(body);
  const shadowed = await compareAfter(test, 40);
  assert.deepEqual(shadowed.arms.challenger.applications, 0);
  const means = (name: string) =>
    shadowed.banks.map((bank: Record<string, { mean: number }>) => bank[name]?.mean);
  const [a, b, ...others] = means("champion");
  const [otherA, otherB, ...same] = means("challenger");
  assert.ok(Math.abs(a - otherB) < 1e-6 && Math.abs(b - otherA) < 1e-6);
  assert.deepEqual(same, others);

  assert.equal((await trial(0.5)).challenger.share, 0.5);
  const answers = [];
  for (const body of bodies) answers.push(await test.score({ ...body, merch_code: 12 }));
  const split = await compareAfter(test, 80);
  const { champion, challenger } = split.arms;
  assert.equal(champion.applications + challenger.applications, 80);
  // Of 40 at one half each: six standard deviations are 19.
  assert.ok(challenger.applications > 1 && challenger.applications < 39);
  const { body: { entries } } = await test.get("/v1/audit");
  assert.deepEqual(entries.map(({ action }: { action: string }) => action), [
    ...["models.split", "models.shadow", "models.register"],
  ]);
  assert.deepEqual(await answersAgain(test, bodies), answers);
});

/** The same questionnaires, sent again: stored answers are of who answers them now. */
async function answersAgain(test: TestService, bodies: readonly Record<string, unknown>[]) {
  const answers = [];
  for (const body of bodies) answers.push(await test.score({ ...body, merch_code: 12 }));
  return answers;
}

/** The comparison once it stands on as many applications. */
async function compareAfter(test: TestService, applications: number) {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const { status, body } = await test.get("/v1/models/comparison");
    if (status === 200 && body.applications === applications) return body;
    assert.ok(Date.now() < deadlineMs, JSON.stringify(body));
  }
}
