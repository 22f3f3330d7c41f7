import assert from "node:assert/strict";
import fc from "fast-check";
import { bestOffer } from "../../../campaigns/mod.ts";
import { config, openApp, type TestApp } from "../../support/app.ts";

const DAY_MS = 86_400_000;
const CONSENT = { purposes: ["scoring", "marketing"], document: "notice/1" };
/** The questionnaire's own example, for which several banks have an offer. */
const ANSWERS = Object.fromEntries(
  config.questionnaire.fields.map(({ id, example }) => [id, example]),
);

interface Sent {
  readonly consent?: object | undefined;
  readonly subject?: string;
  readonly answers?: object;
}

async function apply(
  app: TestApp,
  { consent = CONSENT, answers = {}, ...sent }: Sent = {},
): Promise<string> {
  const response = await app.post("/v1/applications", {
    answers: { ...ANSWERS, ...answers },
    ...sent,
    ...Object.keys(consent).length > 0 && { consent },
  }, { Prefer: "wait=5" });
  const { id, decision } = await response.json();
  assert.ok(decision, "it must be decided");
  return id;
}

async function tell(app: TestApp, application: string, bank: string, decision: string) {
  const decidedAt = new Date(app.clock.now()).toISOString();
  const response = await app.post("/v1/outcomes", {
    outcomes: [{ application, bank, decision, decidedAt }],
  });
  assert.equal(response.status, 200, await response.text());
}

async function list(app: TestApp, query = "") {
  await app.project();
  const response = await app.request(`/v1/analytics/campaign?${query}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

const listed = async (app: TestApp, query = "") =>
  (await list(app, query)).clients.map(({ application }: { application: string }) => application);

Deno.test("refused clients who agreed to it are listed with the likeliest offer of a bank that has not refused", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const id = await apply(app);
  assert.deepEqual(await listed(app), [], "nothing is known of it yet");
  const { decision } = await (await app.request(`/v1/applications/${id}`)).json();
  const offers = decision.banks.filter((bank: { offers: { found: [] } }) =>
    bank.offers.found.length > 0
  );
  assert.ok(offers.length > 1, `the test needs two banks with an offer: ${offers.length}`);
  for (const [at, { bank }] of offers.slice(0, -1).entries()) {
    await tell(app, id, bank, "refused");
    const { clients: [client], expectedApprovals, ...rest } = await list(app);
    const open = offers.slice(at + 1).flatMap((
      { bank, offers }: { bank: string; offers: { found: { probability: number }[] } },
    ) => offers.found.map((offer) => ({ bank, ...offer })));
    const best = open.toSorted((a: { probability: number }, b: { probability: number }) =>
      b.probability - a.probability
    )[0];
    assert.equal(client.why, "refused");
    assert.deepEqual([client.application, client.bank, client.amount, client.term], [
      ...[id, best.bank, best.amount, best.term],
    ]);
    assert.deepEqual([expectedApprovals, rest], [best.probability, { looked: 1 }]);
  }
  await tell(app, id, offers.at(-1).bank, "refused");
  assert.deepEqual(await listed(app), [], "every bank with an offer has refused");
});

Deno.test("no decision for so many days is a lapse; an approval takes off the list", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const id = await apply(app);
  assert.deepEqual(await listed(app, "lapsedAfterDays=0"), [id]);
  assert.deepEqual(await listed(app), []);
  await app.clock.advance(30 * DAY_MS);
  assert.deepEqual((await list(app)).clients[0].why, "lapsed");
  await tell(app, id, "bank_a", "approved");
  assert.deepEqual(await listed(app), []);
});

Deno.test("only a consent to marketing that is in force puts a client on the list", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const soon = new Date(app.clock.now() + DAY_MS).toISOString();
  await apply(app, { consent: {} });
  await apply(app, { consent: { ...CONSENT, purposes: ["scoring"] } });
  const expiring = await apply(app, { consent: { ...CONSENT, expiresAt: soon } });
  const withdrawing = await apply(app);
  const query = "lapsedAfterDays=0";
  assert.deepEqual(await listed(app, query), [withdrawing, expiring]);
  await app.clock.advance(DAY_MS);
  assert.deepEqual(await listed(app, query), [withdrawing]);
  await app.request(`/v1/applications/${withdrawing}/consent`, { method: "DELETE" });
  assert.deepEqual(await listed(app, query), []);
});

Deno.test("a person who applied again is listed by the latest application alone", async () => {
  await using app = await openApp({ expressLanes: 1 });
  await apply(app, { subject: "client-1" });
  const other = await apply(app, { subject: "client-2" });
  const latest = await apply(app, { subject: "client-1", answers: { monthprofit: 181_000 } });
  assert.deepEqual(await listed(app, "lapsedAfterDays=0"), [latest, other]);
  await tell(app, latest, "bank_a", "approved");
  assert.deepEqual(await listed(app, "lapsedAfterDays=0"), [other]);
});

Deno.test("decisions of other models, or other rules, than those in service are on no list", async () => {
  let revision = "1";
  await using app = await openApp({ expressLanes: 1, options: { revision: () => revision } });
  const id = await apply(app);
  assert.deepEqual(await listed(app, "lapsedAfterDays=0"), [id]);
  revision = "2";
  assert.deepEqual(await listed(app, "lapsedAfterDays=0"), []);
});

Deno.test("the parts of a list are the list, and a cohort's is that of those who gave its answer", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const all: string[] = [];
  for (let at = 0; at < 5; at++) {
    all.unshift(await apply(app, { answers: { monthprofit: 180_000 + at } }));
  }
  const parts: string[] = [];
  for (let before = "";;) {
    const { clients, next } = await list(app, `lapsedAfterDays=0&limit=2${before}`);
    parts.push(...clients.map(({ application }: { application: string }) => application));
    if (next === undefined) break;
    before = `&before=${next}`;
  }
  assert.deepEqual(parts, all);
  const cohort = (bin: string) =>
    listed(app, `lapsedAfterDays=0&split=employment_status&bin=${bin}`);
  assert.deepEqual(await cohort("none"), []);
  const silent = await apply(app, { answers: { employment_status: "" } });
  assert.deepEqual(await cohort("none"), [silent]);
  for (
    const [query, status] of [
      ["split=employment_status&bin=99", 404],
      ["split=employment_status", 422],
      ["limit=0", 422],
      ["limit=501", 422],
      ["before=0", 422],
      ["lapsedAfterDays=x", 422],
    ] as const
  ) {
    assert.equal((await app.request(`/v1/analytics/campaign?${query}`)).status, status, query);
  }
});

Deno.test("of the offers that nothing speaks against the likeliest is chosen", () => {
  const offerOf = fc.record({
    probability: fc.integer({ min: 60, max: 70 }).map((percent) => percent / 100),
    rules: fc.constantFrom<string[]>([], ["a_rule"]),
  });
  const bankOf = fc.record({ found: fc.array(offerOf, { maxLength: 3 }), refused: fc.boolean() });
  fc.assert(fc.property(fc.array(bankOf, { maxLength: 4 }), (banks) => {
    const decision = {
      banks: banks.map(({ found }, at) => ({
        ...{ status: "decided", bank: `b${at}`, title: { ru: "", en: "" }, offers: { found } },
      })),
    } as unknown as Parameters<typeof bestOffer>[0];
    const told = Object.fromEntries(
      banks.flatMap(({ refused }, at) => refused ? [[`b${at}`, "refused" as const]] : []),
    );
    const allowed = banks.flatMap(({ found, refused }) =>
      refused ? [] : found.filter(({ rules }) => rules.length === 0)
    );
    const most = Math.max(...allowed.map(({ probability }) => probability));
    const best = bestOffer(decision, told);
    assert.equal(best === undefined, allowed.length === 0);
    if (best) {
      assert.equal(best.probability, most);
      assert.equal(told[best.bank], undefined);
    }
  }));
});
