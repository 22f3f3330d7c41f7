import assert from "node:assert/strict";
import { compareVersions, type Decisions, Shadow, TrialStore } from "../../lifecycle/mod.ts";
import type { Answered, Pair, ScoredBeside } from "../../lifecycle/mod.ts";
import { compared } from "../../lifecycle/comparison.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openStore, type TestStore } from "../support/store.ts";

const PAIR: Pair = { champion: "1", challenger: "2", banks: ["a", "b"] };

function answered(count: number, prefix = "app"): Answered[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `${prefix}_${at}`,
    payload: "{}",
    createdAtMs: 1000 + at,
    result: String(at / count),
  }));
}

/** The champion gave what stands in the result, the challenger half of it. */
function half({ result }: Answered): ScoredBeside {
  const p = Number(result);
  return { servedBy: "champion", champion: [p, NaN], challenger: [p / 2, 0.5] };
}

function open(test: TestStore, options: Partial<ConstructorParameters<typeof Shadow>[0]> = {}) {
  const clock = new FakeClock();
  const reported: unknown[] = [];
  const trials = new TrialStore(test.connection);
  const shadow = new Shadow({
    store: trials,
    pair: () => PAIR,
    score: (answered) => Promise.resolve(answered.map(half)),
    ...{ clock, limit: 100, batch: 10, afterMs: 50 },
    report: (error) => reported.push(error),
    ...options,
  });
  return { clock, reported, trials, shadow };
}

async function enqueue({ store }: TestStore, tasks: readonly Answered[]): Promise<void> {
  await store.enqueue(tasks.map(({ id, payload }) => ({ id, payload, revision: "1" })), 0);
}

Deno.test("Shadow scores nothing before the pause, then a batch at a time until nothing waits", async () => {
  using test = await openStore();
  const { clock, shadow, trials } = open(test);
  const tasks = answered(25);
  await enqueue(test, tasks);
  shadow.offer(tasks);
  await clock.advance(49);
  assert.equal(await trials.find(), undefined);
  await clock.advance(1);
  assert.equal((await trials.find())?.scored, 10);
  await clock.advance(100);
  const trial = await trials.find(PAIR);
  assert.deepEqual([trial?.scored, trial?.dropped, trial?.failed], [25, 0, 0]);
  assert.equal(clock.pending, 0);
  assert.ok(trial);
  const scores = await trials.scores(trial, 3);
  assert.deepEqual(scores.map(({ id }) => id), ["app_24", "app_23", "app_22"]);
  assert.deepEqual(scores[0], {
    ...{ id: "app_24", atMs: 1024, servedBy: "champion" },
    champion: [Math.fround(0.96), NaN],
    challenger: [Math.fround(0.48), 0.5],
  });
});

Deno.test("Shadow drops what it has no room for, and counts it", async () => {
  using test = await openStore();
  const { shadow, trials } = open(test, { limit: 30 });
  const tasks = answered(50);
  await enqueue(test, tasks);
  shadow.offer(tasks);
  await shadow.flush();
  const trial = await trials.find();
  assert.deepEqual([trial?.scored, trial?.dropped], [30, 20]);
});

Deno.test("Shadow counts what the challenger fails on, reports it, and goes on", async () => {
  using test = await openStore();
  let failing = true;
  const { shadow, trials, reported } = open(test, {
    score(answered) {
      if (failing) return Promise.reject(new Error("it trapped"));
      return Promise.resolve(answered.map(half));
    },
  });
  await enqueue(test, answered(20));
  shadow.offer(answered(20).slice(0, 10));
  await shadow.flush();
  failing = false;
  shadow.offer(answered(20).slice(10));
  await shadow.flush();
  const trial = await trials.find();
  assert.deepEqual([trial?.scored, trial?.failed, String(reported)], [10, 10, "Error: it trapped"]);
});

Deno.test("Shadow does nothing while there is no trial, nor after it was closed", async () => {
  using test = await openStore();
  const { clock, shadow, trials } = open(test, { pair: () => undefined });
  shadow.offer(answered(3));
  await shadow.flush();
  assert.deepEqual([clock.pending, await trials.find()], [0, undefined]);
  const other = open(test);
  other.shadow.offer(answered(3));
  await other.shadow[Symbol.asyncDispose]();
  assert.equal(other.clock.pending, 0);
  assert.equal(await trials.find(), undefined);
});

Deno.test("scores go with their application, and none is kept of one that is gone", async () => {
  using test = await openStore();
  const { shadow, trials } = open(test);
  await enqueue(test, answered(2));
  shadow.offer(answered(3));
  await shadow.flush();
  const trial = await trials.find();
  assert.ok(trial);
  assert.equal((await trials.scores(trial, 10)).length, 2);
  await test.connection.write([
    "DELETE FROM payloads WHERE number = (SELECT number FROM tasks WHERE id = 'app_0')",
    "DELETE FROM tasks WHERE id = 'app_0'",
  ]);
  assert.deepEqual((await trials.scores(trial, 10)).map(({ id }) => id), ["app_1"]);
});

Deno.test("a comparison tells distributions, changed decisions, and quality where outcomes are known", async () => {
  using test = await openStore();
  const { shadow, trials } = open(test);
  const tasks = answered(100);
  await enqueue(test, tasks);
  shadow.offer(tasks);
  await shadow.flush();
  const decisions: Decisions = new Map(
    tasks.slice(0, 60).map(({ id }, at) => [id, { a: at % 3 !== 0 }]),
  );
  const asked: number[] = [];
  const comparison = await compareVersions({
    trials,
    decisionsOf(ids) {
      asked.push(ids.length);
      return Promise.resolve(decisions);
    },
    target: 0.4,
  }, PAIR);
  assert.deepEqual(asked, [100]);
  const [bank, ...others] = comparison?.banks ?? [];
  // The champion gave bank b nothing: there is nothing to compare.
  assert.equal(others.length, 0);
  assert.ok(bank && comparison);
  // 0.40 to 0.79 by the champion are below 0.4 by the challenger, which halves.
  assert.deepEqual([bank.applications, bank.raised, bank.lowered], [100, 0, 40]);
  assert.ok(Math.abs(bank.agreement - 0.6) < 1e-12 && bank.psi > 1);
  assert.deepEqual([bank.champion.counts.length, bank.champion.counts[0]], [20, 5]);
  assert.ok(Math.abs(bank.champion.mean - 2 * bank.challenger.mean) < 1e-6);
  assert.deepEqual([bank.outcomes?.applications, bank.outcomes?.approved], [60, 40]);
  // Halving keeps the order.
  assert.equal(bank.outcomes?.difference.auc?.value, 0);
  assert.deepEqual(
    [
      comparison.arms.champion.outcomes,
      comparison.arms.champion.approved,
      comparison.arms.challenger,
    ],
    [60, 40, { applications: 0, outcomes: 0, approved: 0 }],
  );
});

Deno.test("a comparison of nothing is nothing, and of a trial without scores says so", async () => {
  using test = await openStore();
  const { trials } = open(test);
  const options = { trials, decisionsOf: () => Promise.resolve(new Map()), target: 0.5 };
  assert.equal(await compareVersions(options), undefined);
  await trials.record(PAIR, { rows: [], dropped: 3, failed: 0, nowMs: 5 });
  const trial = await trials.find();
  assert.ok(trial);
  const { applications, dropped, banks } = compared(trial, {
    rows: [],
    decisions: new Map(),
    target: 0.5,
  });
  assert.deepEqual([applications, dropped, banks], [0, 3, []]);
});
