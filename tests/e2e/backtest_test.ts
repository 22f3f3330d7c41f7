import assert from "node:assert/strict";
import { type Contender, lookBack, type Past } from "../../tasks/look_back.ts";
import { Features } from "../../scoring/features.ts";
import { standingUnder } from "../../scoring/standing.ts";
import { config, shippedScoring } from "../support/app.ts";
import { runTask } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";
import { openStore, temporaryFolder } from "../support/store.ts";
import { copyVersions } from "../support/versions.ts";
import { pastApplications } from "../../queue/history.ts";

const TASK = ["-P=operate", "tasks/backtest.ts"];
const features = new Features(config.questionnaire);
const banks = config.banks.banks.map(({ id }) => id);

/** Different clients, more than are scored together. */
function history(count: number): Past[] {
  return Array.from({ length: count }, (_, index) => ({
    application: {
      answers: { ...EXAMPLE, monthprofit: 20_000 + 500 * index, loan_amount: 30_000 + 997 * index },
      atMs: Date.UTC(2024, 0, 1 + index % 28),
    },
    ...index % 3 > 0 && { decisions: { bank_a: index % 3 === 1 } },
  }));
}

async function contender(
  { target = config.policy.target, swapped = false, rules = config.policy.rules } = {},
): Promise<Contender> {
  const { scorer } = await shippedScoring();
  const policy = { ...config.policy, target, rules };
  return {
    side: { models: swapped ? "2" : "1", policy: { version: String(target), sha256: "" } },
    standing: standingUnder({ ...config, policy, features }),
    scorer: {
      score: async (applications) =>
        (await scorer.score(applications)).map(({ probabilities, ...rest }) => ({
          ...rest,
          probabilities: swapped
            ? {
              ...probabilities,
              bank_a: probabilities.bank_b ?? NaN,
              bank_b: probabilities.bank_a ?? NaN,
            }
            : probabilities,
        })),
    },
  };
}

async function* each(past: readonly Past[]): AsyncGenerator<Past> {
  for (const one of past) yield await Promise.resolve(one);
}

Deno.test("lookBack() of nothing new swaps nobody, and looks at every application once", async () => {
  const past = history(1100);
  const same = await contender();
  const report = await lookBack({
    history: each(past),
    ...{ banks, features, before: same, after: same },
  });
  assert.equal(report.applications, 1100);
  assert.deepEqual([report.from, report.to], ["2024-01-01", "2024-01-28"]);
  for (const { cells } of [...Object.values(report.banks), report.any]) {
    assert.equal(cells.in.applications + cells.out.applications, 0);
    assert.equal(cells.kept.applications + cells.neither.applications, 1100);
  }
  const { cells } = report.banks.bank_a ?? assert.fail();
  assert.equal(cells.kept.outcomes.known + cells.neither.outcomes.known, 733);
  assert.ok(report.any.cells.kept.applications > 0 && report.any.cells.neither.applications > 0);
});

Deno.test("lookBack() of a lower target only adds advice, to chances that lie between the two", async () => {
  const [before, after] = [await contender({ target: 0.6 }), await contender({ target: 0.4 })];
  const report = await lookBack({
    history: each(history(700)),
    ...{ banks, features, before, after },
  });
  let swapped = 0;
  for (const { cells } of Object.values(report.banks)) {
    assert.equal(cells.out.applications, 0);
    swapped += cells.in.applications;
    const { after: expected = 0.5 } = cells.in.expected;
    assert.ok(expected >= 0.4 && expected < 0.6);
  }
  assert.ok(swapped > 0);
});

Deno.test("lookBack() of a rule that forbids everybody takes all advice back", async () => {
  const everybody = {
    id: "nobody",
    effect: "forbid",
    when: { value: "loan_amount", above: 0 },
    reason: { ru: "Нельзя", en: "Nobody" },
  } as const;
  const [before, after] = [
    await contender(),
    await contender({ rules: [...config.policy.rules, everybody] }),
  ];
  const report = await lookBack({
    history: each(history(200)),
    ...{ banks, features, before, after },
  });
  assert.equal(report.any.cells.kept.applications + report.any.cells.in.applications, 0);
  assert.ok(report.any.cells.out.applications > 0);
});

Deno.test("lookBack() of models that exchange two banks exchanges what is expected of them", async () => {
  const report = await lookBack({
    history: each(history(300)),
    ...{ banks, features, before: await contender(), after: await contender({ swapped: true }) },
  });
  const expected = (bank: string, side: "before" | "after") => {
    const { cells } = report.banks[bank] ?? assert.fail();
    return Object.values(cells).reduce(
      (sum, cell) => sum + cell.applications * (cell.expected[side] ?? 0),
      0,
    );
  };
  assert.ok(Math.abs(expected("bank_a", "after") - expected("bank_b", "before")) < 1e-6);
  assert.equal(expected("bank_c", "after"), expected("bank_c", "before"));
});

Deno.test("pastApplications() gives every stored application of the period once, over many pages, and no chunk", async () => {
  await using test = await openStore();
  const ids = Array.from({ length: 1203 }, (_, index) => `task${index}`);
  for (const [at, id] of ids.entries()) {
    await test.store.enqueue([{ id, payload: `{"answers":{"n":${at}}}`, revision: "1" }], at);
  }
  await test.store.enqueue([{ id: "chk_1", payload: "{}", revision: "1" }], 600);
  const stores = { database: test.connection, store: test.store };
  const all = await Array.fromAsync(
    pastApplications(stores, { fromMs: -Infinity, toMs: Infinity }),
  );
  assert.deepEqual(all.map(({ id }) => id), ids);
  assert.equal(all[700]?.payload, '{"answers":{"n":700}}');
  const some = await Array.fromAsync(pastApplications(stores, { fromMs: 10, toMs: 20 }));
  assert.deepEqual(
    some.map(({ createdAtMs }) => createdAtMs),
    ids.slice(10, 20).map((_, i) => 10 + i),
  );
});

Deno.test("deno task backtest compares versions on a table with decisions, and on the stored applications", async () => {
  await using folder = await temporaryFolder();
  await using versions = await copyVersions();
  const env = {
    PRESCORE_CONFIG: `${versions.path}/configs`,
    PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
  };
  const out = `${folder.path}/report.json`;
  const table = ["--data", "training/sample/applications.csv"];
  const read = await runTask([...TASK, "--models", "2", ...table, "--out", out], { env });
  assert.equal(read.code, 0, read.stderr);
  assert.match(read.stdout, /^\d+ applications, 20\d\d-.* to 20/);
  assert.match(read.stdout, /models\/1 with policy 2 -> models\/2 with policy 2/);
  assert.match(read.stdout, /newly advised: \d+; expected 0\.\d+ -> 0\.\d+; approved 0\.\d+ \(/);
  const report = JSON.parse(await Deno.readTextFile(out));
  assert.ok(report.banks.bank_a.cells.in.applications > 0);
  assert.ok(report.banks.bank_a.brier.before < report.banks.bank_a.brier.after);
  assert.equal(report.banks.bank_c.cells.in.applications, 0);

  {
    using test = await openStore(env.PRESCORE_DATABASE_URL);
    const payload = JSON.stringify({ answers: EXAMPLE });
    await test.store.enqueue([{ id: "one", payload, revision: "1" }], Date.UTC(2026, 0, 2));
  }
  await Deno.writeTextFile(
    `${folder.path}/policy.json`,
    JSON.stringify({ ...config.policy, version: "strict", target: 0.99 }),
  );
  const policy = ["--policy", `${folder.path}/policy.json`];
  const stored = await runTask([...TASK, ...policy], { env });
  assert.equal(stored.code, 0, stored.stderr);
  assert.match(
    stored.stdout,
    /^1 applications, 2026-01-02 to 2026-01-02\nmodels\/1 with policy 2 -> /,
  );
  const none = await runTask([...TASK, ...policy, "--to", "2026-01-01"], { env });
  assert.equal(none.stdout, "there are no applications to look back at\n");
});

Deno.test("deno task backtest says what is wrong with its options", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/policy.json`, '{"version": "1", "target": 7}');
  const env = { PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db` };
  const policy = `${folder.path}/policy.json`;
  for (
    const [args, message] of [
      [[], /must be given --models VERSION, --policy FILE, or both/],
      [["--models", "../x"], /must be the plain name of a folder/],
      [["--policy", policy], /policy\.json: target: current value is 7/],
      [["--models", "1", "--from", "soon"], /--from: current value is soon, must be a date/],
      [["--models", "1", "--data", "/none.csv"], /--data: cannot read \/none\.csv/],
    ] as const
  ) {
    const { code, stderr } = await runTask([...TASK, ...args], { env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
});
