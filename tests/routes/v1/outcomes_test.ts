import assert from "node:assert/strict";
import { OutcomeStore } from "../../../analytics/mod.ts";
import { config, openApp, type TestApp } from "../../support/app.ts";
import { exampleAnswers } from "../../../routes/v1/application_schema.ts";
import { openKeyedApp } from "../../support/keys.ts";
import { recordDecisions, tightening } from "../../support/outcomes.ts";
import { EXAMPLE } from "../../support/service.ts";

const AT = "2023-11-14T12:00:00Z";

/** A value that a field of categories has, by its place. */
function categoryOf(field: string, at: number) {
  const { meaning } = config.questionnaire.fields.find(({ id }) => id === field) ??
    assert.fail(field);
  return (meaning.kind === "category" ? meaning.values[at] : undefined) ?? assert.fail(field);
}

/** An application that is decided; its id. */
async function apply(app: TestApp, headers: Record<string, string> = {}): Promise<string> {
  const response = await app.post("/v1/applications", { answers: { monthprofit: 50_000 } }, {
    Prefer: "wait=5",
    ...headers,
  });
  const { id, status } = await response.json();
  assert.equal(status, "decided");
  return id;
}

async function tell(app: TestApp, outcomes: unknown[], headers: Record<string, string> = {}) {
  const response = await app.post("/v1/outcomes", { outcomes }, headers);
  assert.equal(response.status, 200);
  return await response.json();
}

async function ledger(app: TestApp, headers: Record<string, string> = {}) {
  const response = await app.request("/v1/analytics/ledger", { headers });
  const { banks } = await response.json();
  return banks.find(({ bank }: { bank: string }) => bank === "bank_a");
}

Deno.test("what banks decided is told in JSON or as a table, and the ledger moves", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const ids = [await apply(app), await apply(app)];
  const outcome = { application: ids[0], bank: "bank_a", decision: "approved", decidedAt: AT };
  assert.deepEqual(await tell(app, [outcome]), { received: 1, recorded: 1, rejected: [] });
  assert.deepEqual(await tell(app, [outcome]), { received: 1, recorded: 0, rejected: [] });
  const table = `Application;decided_at;bank;decision;note\n${ids[1]};${AT};bank_a;refused;x\n`;
  const response = await app.request("/v1/outcomes", {
    method: "POST",
    headers: { "Content-Type": "text/csv" },
    body: table,
  });
  assert.deepEqual(await response.json(), { received: 1, recorded: 1, rejected: [] });
  const before = await ledger(app);
  assert.deepEqual([before.outcomes, before.approved], [2, 1]);
  assert.equal(before.bands[0].state, "too_few");
  await tell(app, [{ ...outcome, decision: "refused", decidedAt: "2023-11-14T13:00:00+01:00" }]);
  assert.equal((await ledger(app)).approved, 1, "of one moment the further step counts");
  await tell(app, [{ ...outcome, decision: "refused", decidedAt: "2023-11-14T13:00:00Z" }]);
  assert.equal((await ledger(app)).approved, 0, "the bank has changed its mind");
});

Deno.test("what a bank gave is told with its decision, and with no other", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const id = await apply(app);
  const table = "application;bank;decision;decided_at;amount;term\n" +
    `${id};bank_a;funded;${AT};"90 000,50";12\n${id};bank_b;refused;${AT};;\n` +
    `${id};bank_c;refused;${AT};90000;\n${id};bank_d;approved;${AT};much;12\n`;
  const response = await app.request("/v1/outcomes", {
    method: "POST",
    headers: { "Content-Type": "text/csv" },
    body: table,
  });
  const { recorded, rejected } = await response.json();
  assert.equal(recorded, 2);
  assert.deepEqual(rejected.map(({ row }: { row: number }) => row), [3, 4]);
  assert.match(rejected[0].detail, /a bank gives none where it says refused/);
  assert.match(rejected[1].detail, /^amount: /);
  const outcomes = new OutcomeStore(app.stores.connection);
  assert.deepEqual((await outcomes.loansOf([id])).get(id), {
    bank_a: { amount: 90_000.5, term: 12 },
  });
});

Deno.test("applications of the reference's contract have outcomes too", async () => {
  await using app = await openApp();
  app.startQueue();
  const { task_id } = await (await app.post("/upload_features", EXAMPLE)).json();
  await app.clock.advance(10);
  const told = await tell(app, [
    { application: task_id, bank: "bank_a", decision: "funded", decidedAt: AT },
  ]);
  assert.deepEqual(told, { received: 1, recorded: 1, rejected: [] });
  assert.equal((await ledger(app)).approved, 1);
});

Deno.test("a row that is wrong is named, and spoils no other", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const application = await apply(app);
  const good = { application, bank: "bank_a", decision: "approved", decidedAt: AT };
  const { recorded, rejected } = await tell(app, [
    { ...good, bank: "bank_z" },
    { ...good, application: "app_none" },
    { ...good, decision: "maybe" },
    { ...good, decidedAt: "yesterday" },
    { ...good, decidedAt: "2033-01-01T00:00:00Z" },
    { ...good, comment: "x" },
    7,
    good,
  ]);
  assert.equal(recorded, 1);
  assert.deepEqual(rejected.map(({ row }: { row: number }) => row), [1, 2, 3, 4, 5, 6, 7]);
  const details = rejected.map(({ detail }: { detail: string }) => detail);
  assert.match(details[0], /bank_z must be one of bank_a, /);
  assert.match(details[1], /there is no application app_none/);
  assert.match(details[2], /^decision: /);
  assert.match(details[3], /^decidedAt: /);
  assert.match(details[4], /must not be to come/);
  assert.match(details[5], /comment/);
});

Deno.test("what is no table of outcomes is refused whole, with the reason", async () => {
  await using app = await openApp();
  const send = async (body: string) => {
    const headers = { "Content-Type": "text/csv" };
    const response = await app.request("/v1/outcomes", { method: "POST", headers, body });
    return [response.status, (await response.json()).detail] as const;
  };
  for (
    const [table, reason] of [
      ["application;bank\n1;2\n", /must have a column decision, decided_at/],
      ["application;bank;decision;decided_at\n", /has no row/],
      ["", /./],
      [`application;bank;decision;decided_at\n${"a;b;c;d\n".repeat(1001)}`, /at most 1000 rows/],
    ] as const
  ) {
    const [status, detail] = await send(table);
    assert.equal(status, 400);
    assert.match(detail, reason);
  }
});

Deno.test("a tenant tells of its own applications alone, and has a ledger of its own", async () => {
  await using app = await openKeyedApp({ expressLanes: 1 });
  const [shop, other] = [await app.as("read", "shop"), await app.as("read", "other")];
  const application = await apply(app, shop);
  const outcome = { application, bank: "bank_a", decision: "approved", decidedAt: AT };
  const foreign = await tell(app, [outcome, { ...outcome, application: "app_none" }], other);
  assert.equal(foreign.recorded, 0);
  assert.deepEqual(
    foreign.rejected.map(({ detail }: { detail: string }) => detail.replace(/app_\w+/, "")),
    ["there is no application ", "there is no application "],
  );
  assert.equal((await tell(app, [outcome], shop)).recorded, 1);
  assert.equal((await ledger(app, shop)).outcomes, 1);
  assert.equal((await ledger(app, other)).outcomes, 0);
});

Deno.test("the ledger of a cohort counts those who gave its answer, and no others", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const { value } = categoryOf("employment_status", 2);
  const told = async (answers: object, decision: string) => {
    const response = await app.post("/v1/applications", { answers }, { Prefer: "wait=5" });
    const { id } = await response.json();
    await tell(app, [{ application: id, bank: "bank_a", decision, decidedAt: AT }]);
  };
  await told({ employment_status: value }, "approved");
  await told({ monthprofit: 50_000 }, "refused");
  const cohort = async (query: string) => {
    const response = await app.request(`/v1/analytics/ledger?${query}`);
    const { banks } = await response.json();
    return [response.status, banks?.[0].outcomes, banks?.[0].approved];
  };
  assert.deepEqual(await cohort("split=employment_status&bin=2"), [200, 1, 1]);
  assert.deepEqual(await cohort("split=employment_status&bin=none"), [200, 1, 0]);
  assert.deepEqual(await cohort("split=employment_status&bin=3"), [200, 0, 0]);
  assert.equal((await cohort("split=employment_status&bin=99"))[0], 404);
  assert.equal((await cohort("split=employment_status"))[0], 422);
});

Deno.test("changes of banks are found of the caller's own decisions, and looked for again after a minute", async () => {
  await using app = await openApp();
  const drift = async () => {
    const { banks } = await (await app.request("/v1/analytics/drift")).json();
    return banks.find(({ bank }: { bank: string }) => bank === "bank_b");
  };
  assert.deepEqual((await drift()).changes, []);
  await recordDecisions(app, tightening("bank_b", Date.UTC(2023, 0, 1)));
  assert.equal((await drift()).decisions, 0, "as of the last minute");
  await app.clock.advance(60_000);
  const { decisions: count, changes: [change, ...others] } = await drift();
  assert.equal(count, 1200);
  assert.deepEqual(others, []);
  assert.equal(change.direction, "tightened");
  assert.equal(change.cohort, undefined);
  assert.equal(change.since.slice(0, 10), "2023-02-07");
  assert.equal(change.text.en, "Bank B has tightened since February 7, 2023");
});

Deno.test("a decision names its bands that come true too seldom, from the minute after", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const { id } = await (await app.post(
    "/v1/applications",
    { answers: exampleAnswers(config.questionnaire) },
    { Prefer: "wait=5" },
  )).json();
  const read = async () => await (await app.request(`/v1/applications/${id}`)).json();
  const before = await read();
  assert.equal(before.downgraded, undefined);
  const bank = before.decision.banks.find(({ odds }: { odds: { band: string } }) =>
    !["poor", "insufficient_data"].includes(odds.band)
  );
  const { probability } = bank;
  await recordDecisions(
    app,
    Array(80).fill({ bank: bank.bank, probability, approved: false, decidedAtMs: 1 }),
  );
  assert.equal((await read()).downgraded, undefined, "as of the last minute");
  await app.clock.advance(60_000);
  await read();
  const { decision, downgraded } = await read();
  assert.deepEqual(decision, before.decision, "what was decided stands");
  const [{ rate, standingTitle, ...band }, ...others] = downgraded;
  assert.deepEqual(others, []);
  assert.deepEqual(band, {
    ...{ bank: bank.bank, band: bank.odds.band, standing: "poor", outcomes: 80 },
  });
  assert.ok(rate.high < 0.2);
  assert.equal(standingTitle.en, "Poor");
});
