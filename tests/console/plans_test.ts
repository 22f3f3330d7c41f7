/** How pages are answered: by searches of indexes, however much is stored. */
import assert from "node:assert/strict";
import { TrialStore } from "../../lifecycle/mod.ts";
import { pagesOf } from "../support/pages.ts";
import { openRecorded, type Plan } from "../support/plans.ts";
import { temporaryFolder } from "../support/store.ts";

/** What does not grow with applications: what operators made, and the values of a list that was bound. */
const BOUNDED = [
  ...["api_keys", "model_serving", "model_trials", "model_versions"],
  ...["asked VIRTUAL", "json_each VIRTUAL", "CONSTANT"],
];

/** The newest row by the table's own order: no more than that is read. */
const NEWEST = /^SELECT [\w, ]+ FROM audit ORDER BY sequence DESC LIMIT 1$/;

/** Steps that read all of a table that grows. */
function scansOf({ sql, steps }: Plan): string[] {
  if (NEWEST.test(sql)) return [];
  return steps.filter((step) =>
    step.startsWith("SCAN ") && !BOUNDED.some((name) => `${step} `.startsWith(`SCAN ${name} `))
  );
}

Deno.test("no page and no read model reads a whole table that grows with applications", async () => {
  await using folder = await temporaryFolder();
  await using recorded = await openRecorded({ databaseUrl: `file:${folder.path}/prescore.db` });
  const { app } = recorded;
  const subject = "client-4711";
  const made = await app.post("/v1/applications", {
    answers: { monthprofit: 180_000, loan_amount: 137_000, loan_term: 18 },
    subject,
    consent: { purposes: ["scoring"], document: "notice/1" },
  }, { Prefer: "wait=5" });
  const { id } = await made.json();
  const told = await app.post("/v1/outcomes", {
    outcomes: [{
      ...{ application: id, bank: "bank_a", decision: "approved" },
      decidedAt: new Date(app.clock.now()).toISOString(),
    }],
  });
  assert.equal(told.status, 200);
  await app.record();
  await app.project();
  await new TrialStore(app.stores.connection).record(
    { champion: "1", challenger: "2", banks: ["bank_a"] },
    {
      rows: [{ ...{ id, atMs: 1, servedBy: "champion" }, champion: [0.5], challenger: [0.6] }],
      ...{ dropped: 0, failed: 0, nowMs: 1 },
    },
  );
  const asked = pagesOf({ application: id, entry: 2, person: { subject, after: 1 } });
  const statements = new Set<string>();
  const steps: string[] = [];
  for (const page of asked) {
    for (const plan of await recorded.plansOf(page)) {
      statements.add(plan.sql);
      steps.push(...plan.steps);
      assert.deepEqual(scansOf(plan), [], `${page.name}: ${plan.sql}`);
    }
  }
  for (const index of ["outcomes_latest", "model_trial_scores_latest"]) {
    assert.ok(steps.some((step) => step.includes(`USING COVERING INDEX ${index} `)), index);
  }
  for (const table of ["tasks", "results", "payloads", "outcomes", "facts", "fact_days", "audit"]) {
    assert.ok([...statements].some((sql) => sql.includes(` ${table}`)), `nothing asked ${table}`);
  }
});

Deno.test("scansOf() tells reading all of a table from looking something up in it", () => {
  const scans = (sql: string, ...steps: string[]) => scansOf({ sql, steps });
  assert.deepEqual(scans("SELECT 1 FROM tasks", "SCAN tasks"), ["SCAN tasks"]);
  assert.deepEqual(scans("SELECT * FROM audit", "SCAN audit"), ["SCAN audit"]);
  assert.deepEqual(scans("SELECT 1", "SEARCH facts USING INTEGER PRIMARY KEY (rowid=?)"), []);
  assert.deepEqual(
    scans("SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1", "SCAN audit"),
    [],
  );
});
