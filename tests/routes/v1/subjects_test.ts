import assert from "node:assert/strict";
import { applicationSubject } from "../../../audit/mod.ts";
import { type KeyedApp, openKeyedApp } from "../../support/keys.ts";

const PERSON = { subject: "canary-person-4711" };
const CONSENT = { purposes: ["scoring", "marketing"], document: "privacy notice/3" };
const ANSWERS = { monthprofit: 50_000, position: "canary-position" };

type Headers = Record<string, string>;

/** Applications of a person, decided; their ids. */
async function apply(app: KeyedApp, headers: Headers, count: number, subject = PERSON.subject) {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const sent = { answers: { ...ANSWERS, loan_amount: 1000 + number }, subject, consent: CONSENT };
    const response = await app.post("/v1/applications", sent, { Prefer: "wait=5", ...headers });
    assert.equal(response.status, 200);
    ids.push((await response.json()).id);
  }
  return ids;
}

async function ask(app: KeyedApp, right: string, headers: Headers, body: object = PERSON) {
  const response = await app.post(`/v1/subjects/${right}`, body, headers);
  return { status: response.status, body: JSON.parse(await response.text() || "null") };
}

Deno.test("a report has everything that is stored of the person, and nothing of another", async () => {
  await using app = await openKeyedApp({ expressLanes: 1 });
  const shop = await app.as("read", "shop");
  const [id = ""] = await apply(app, shop, 1);
  await apply(app, shop, 1, "another person");
  await app.post("/v1/outcomes", {
    outcomes: [{
      ...{ application: id, bank: "bank_a", decision: "approved" },
      ...{ decidedAt: new Date(app.clock.now()).toISOString(), amount: 777_123, term: 11 },
    }],
  }, shop);
  await app.stores.connection.write([
    `INSERT INTO model_trials (id, champion, challenger, banks, started_at_ms)
     VALUES (1, '1', '2', '["bank_a"]', 0)`,
    `INSERT INTO model_trial_scores SELECT id, 1, 0, 0, x'0000003f0000c07f' FROM tasks`,
    `INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
     SELECT 'e' || number, 'crm', 'application.decided', id, 0, 0 FROM tasks`,
  ]);
  await app.project();
  await app.record();
  const rows = [{ answers: { ...ANSWERS, loan_amount: 2222 } }, {
    ...{ answers: { ...ANSWERS, loan_amount: 3333 }, ...PERSON, consent: CONSENT },
  }];
  const batch = await (await app.post("/v1/batches", rows, shop)).json();
  app.startQueue();
  await app.clock.advance(10);

  const { status, body } = await ask(app, "report", shop);
  assert.equal(status, 200);
  const [first, row, ...rest] = body.applications;
  assert.deepEqual(rest, []);
  assert.equal(first.id, id);
  assert.deepEqual(first.answers, { ...ANSWERS, loan_amount: 1000 });
  const shown = await (await app.request(`/v1/applications/${id}`, { headers: shop })).json();
  assert.deepEqual(first.result, shown.decision);
  assert.deepEqual(
    first.agreements.map(({ purpose, inForce }: { purpose: string; inForce: boolean }) => [
      purpose,
      inForce,
    ]),
    [["marketing", true], ["scoring", true]],
  );
  assert.equal(first.outcomes[0].amount, 777_123);
  assert.equal(first.outcomes[0].decision, "approved");
  assert.deepEqual(first.trials[0].scores, [0.5, null]);
  assert.ok(first.derived.told.bank_a !== undefined, JSON.stringify(first.derived));
  assert.equal(first.notices[0].endpoint, "crm");
  assert.deepEqual(first.record.map(({ action }: { action: string }) => action), ["consent.give"]);
  assert.deepEqual([row.id, row.row, row.answers.loan_amount], [batch.id, 2, 3333]);
  assert.ok(row.result.probabilities.bank_a > 0);
  assert.equal(row.agreements.length, 2);

  const entries = await Array.fromAsync(app.audit.entries());
  assert.ok(entries.some(({ action }) => action === "subject.report"));
  assert.ok(!JSON.stringify(entries).includes("canary"), "the log has no value of a person");
});

Deno.test("a report of many applications comes in parts, none twice", async () => {
  await using app = await openKeyedApp();
  const shop = await app.as("read", "shop");
  const wanted: string[] = [];
  for (let number = 0; number < 120; number++) {
    const sent = { answers: { loan_amount: number }, ...PERSON };
    wanted.push((await (await app.post("/v1/applications", sent, shop)).json()).id);
  }
  const ids: string[] = [];
  let parts = 0;
  for (let after: number | undefined = 0; after !== undefined; parts++) {
    const { body } = await ask(app, "report", shop, { ...PERSON, ...after > 0 && { after } });
    ids.push(...body.applications.map(({ id }: { id: string }) => id));
    after = body.next;
  }
  assert.deepEqual(ids, wanted);
  assert.equal(parts, 3);
});

Deno.test("a person's applications are erased together, and another's and the other tenants' stay", async () => {
  await using app = await openKeyedApp({ expressLanes: 1 });
  const shop = await app.as("operate", "shop");
  const other = await app.as("operate", "other");
  const mine = await apply(app, shop, 3);
  const [anothers] = await apply(app, shop, 1, "another person");
  const [theirs] = await apply(app, other, 1);
  const rows = [{ answers: { loan_amount: 2222 } }, { answers: ANSWERS, ...PERSON }];
  const batch = await (await app.post("/v1/batches", rows, shop)).json();
  const erased = await ask(app, "erasure", shop);
  assert.deepEqual(erased, {
    status: 200,
    body: { applications: 3, rows: 0, beingScored: [{ id: batch.id, row: 2 }] },
  }, "a row that is still to be scored stays");
  app.startQueue();
  await app.clock.advance(10);
  assert.deepEqual((await ask(app, "erasure", shop)).body, {
    ...{ applications: 0, rows: 1, beingScored: [] },
  });
  assert.equal((await ask(app, "erasure", shop)).status, 404);
  const results = await app.request(`/v1/batches/${batch.id}/results`, { headers: shop });
  const lines = (await results.text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ row, status }) => [row, status]), [[1, "scored"], [2, "refused"]]);
  assert.equal(lines[1].errors[0].detail, "it was erased");
  for (const id of mine) {
    const path = `/v1/applications/${id}`;
    assert.equal((await app.request(path, { headers: shop })).status, 404);
    const [entry] = await app.audit.page({ limit: 1, subject: applicationSubject(`${id}@shop`) });
    assert.equal(entry?.action, "application.erase");
  }
  const status = async (id: string | undefined, headers: Headers) =>
    (await app.request(`/v1/applications/${id}`, { headers })).status;
  assert.equal(await status(anothers, shop), 200);
  assert.equal(await status(theirs, other), 200);
});

Deno.test("what is withdrawn for a person is withdrawn for every application and row, after its giving is on record", async () => {
  await using app = await openKeyedApp();
  const shop = await app.as("read", "shop");
  const sent = { answers: ANSWERS, ...PERSON, consent: CONSENT };
  const { id } = await (await app.post("/v1/applications", sent, shop)).json();
  await app.post("/v1/batches", [sent], shop);
  assert.equal((await ask(app, "withdrawal", shop)).status, 204);
  const { body } = await ask(app, "report", shop);
  for (const { agreements } of body.applications) {
    assert.deepEqual(agreements.map(({ inForce }: { inForce: boolean }) => inForce), [
      false,
      false,
    ]);
  }
  assert.equal(body.applications.length, 2);
  const actions = (await Array.fromAsync(app.audit.entries())).map(({ action }) => action);
  assert.deepEqual(actions.filter((action) => action.startsWith("consent.")), [
    ...["consent.give", "consent.give", "consent.withdraw"],
  ]);
  assert.match(id, /^app_/);
});

Deno.test("of a person who is another tenant's, or nobody's, the answer is one and the same", async () => {
  await using app = await openKeyedApp();
  const shop = await app.as("admin", "shop");
  const other = await app.as("admin", "other");
  await app.post("/v1/applications", { answers: ANSWERS, ...PERSON }, shop);
  for (const right of ["report", "erasure", "withdrawal"]) {
    const nobody = await ask(app, right, other, { subject: "nobody" });
    assert.equal(nobody.status, 404);
    assert.deepEqual(await ask(app, right, other), nobody);
    assert.ok(!JSON.stringify(nobody).includes('nobody"'));
    assert.equal((await ask(app, right, shop)).status < 300, true);
    await app.post("/v1/applications", { answers: ANSWERS, ...PERSON }, shop);
  }
});
