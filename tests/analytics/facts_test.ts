import assert from "node:assert/strict";
import fc from "fast-check";
import {
  estimateOf,
  EVENTS,
  FactStore,
  OutcomeStore,
  Projector,
  READ_STATEMENTS,
  Sums,
  toldBy,
} from "../../analytics/mod.ts";
import { CAMPAIGN_STATEMENTS } from "../../campaigns/mod.ts";
import type { Outcome, OutcomeEvent } from "../../analytics/mod.ts";
import { statement } from "../../database/database.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openStore, type TestStore } from "../support/store.ts";

const IDS = ["app_1", "app_2", "a0b1", "app_3@shop", "app_4@shop"];
const BANKS = ["bank_a", "bank_b"];
const DAY_MS = 86_400_000;
const LEAST = { leastProbability: 0.2 };

const tenantOf = (id: string) => id.split("@")[1] ?? "";
const chance = (id: string, bank: string) => (id.length + bank.charCodeAt(5)) % 10 / 10;
const resultFor = (id: string) =>
  JSON.stringify({
    model: "1",
    probabilities: Object.fromEntries(BANKS.map((bank) => [bank, chance(id, bank)])),
  });
const madeAtMs = (id: string) => DAY_MS * (20_000 + id.length % 3);

const told: fc.Arbitrary<Outcome> = fc.record({
  applicationId: fc.constantFrom(...IDS),
  bank: fc.constantFrom(...BANKS),
  event: fc.constantFrom(...EVENTS),
  decidedAtMs: fc.integer({ min: 1, max: 5 }),
}).map((outcome) => ({
  ...outcome,
  tenant: tenantOf(outcome.applicationId),
  probability: chance(outcome.applicationId, outcome.bank),
  bins: new Uint8Array(),
}));

async function addDone(test: TestStore, id: string): Promise<void> {
  const task = { id, payload: "{}", revision: "1", tenant: tenantOf(id), result: resultFor(id) };
  await test.store.enqueueDone({ ...task, createdAtMs: madeAtMs(id) }, madeAtMs(id));
}

function projectorOf(test: TestStore, facts = new FactStore(test.connection)): Projector {
  return new Projector({
    ...{ facts, ...LEAST, rows: 2, clock: new FakeClock() },
    resultsOf: (ids) => test.store.findEach(ids),
    report: (error) => assert.fail(String(error)),
  });
}

const RANGE = { from: 0, to: 100_000 };

/** The sums as pages read them, without what came to nothing. */
async function stored(test: TestStore) {
  const facts = new FactStore(test.connection);
  const tenants = ["", "shop"];
  const days = (await Promise.all(tenants.map((tenant) => facts.days(tenant, RANGE)))).flat();
  const losses = (await Promise.all(tenants.map((tenant) => facts.losses(tenant, RANGE)))).flat();
  return canonical({ days, losses });
}

function canonical({ days, losses }: Pick<Sums, "days" | "losses">) {
  const text = (row: object) => JSON.stringify(Object.entries(row).sort());
  return [...days.map(text), ...losses.filter(({ clients }) => clients !== 0).map(text)].sort();
}

/** Counted at once, from all that was told. */
function fromScratch(ids: readonly string[], all: readonly Outcome[]) {
  const sums = new Sums();
  for (const id of ids) {
    sums.add({
      tenant: tenantOf(id),
      day: madeAtMs(id) / DAY_MS,
      estimate: estimateOf(resultFor(id), LEAST),
      told: toldBy(all.filter(({ applicationId }) => applicationId === id)),
    });
  }
  return canonical(sums);
}

Deno.test("whatever is told in whatever order, between whatever steps, by two projectors: the sums are those counted at once", async () => {
  const action = fc.oneof(
    told.map((outcome) => ({ tell: [outcome] })),
    fc.record({ projector: fc.constantFrom(0, 1) }),
    fc.constant({ both: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      using test = await openStore();
      const projectors = [projectorOf(test), projectorOf(test)] as const;
      const outcomes = new OutcomeStore(test.connection);
      const all: Outcome[] = [];
      for (const id of IDS) await addDone(test, id);
      for (const each of actions) {
        if ("tell" in each) {
          all.push(...each.tell);
          await outcomes.record(each.tell, 1);
        } else if ("both" in each) await Promise.all(projectors.map((one) => one.step()));
        else await projectors[each.projector === 0 ? 0 : 1].step();
      }
      await projectors[0].drain();
      assert.deepEqual(await stored(test), fromScratch(IDS, all));
    }),
    { numRuns: 60 },
  );
});

Deno.test("a step that was committed and is asked for again, or read before another's, changes nothing", async () => {
  using test = await openStore();
  for (const id of IDS) await addDone(test, id);
  const facts = new FactStore(test.connection);
  const taken: boolean[] = [];
  const twice = Object.assign(new FactStore(test.connection), {
    take: async (step: Parameters<FactStore["take"]>[0]) => {
      taken.push(await facts.take(step), await facts.take(step));
      return true;
    },
  });
  await projectorOf(test, twice).drain();
  assert.deepEqual(taken, [true, false, true, false, true, false]);
  assert.deepEqual(await stored(test), fromScratch(IDS, []));
});

Deno.test("a projector that dies before its step is stored leaves nothing behind, and the next goes on", async () => {
  using test = await openStore();
  for (const id of IDS) await addDone(test, id);
  const facts = new FactStore(test.connection);
  let steps = 0;
  const dying = Object.assign(new FactStore(test.connection), {
    take: (step: Parameters<FactStore["take"]>[0]) =>
      steps++ === 1 ? Promise.reject(new Error("killed")) : facts.take(step),
  });
  await assert.rejects(projectorOf(test, dying).drain(), /killed/);
  await projectorOf(test).drain();
  assert.deepEqual(await stored(test), fromScratch(IDS, []));
});

Deno.test("a task that waits holds up those after it, and none is forgotten", async () => {
  using test = await openStore();
  await test.store.enqueue([{ id: "app_9", payload: "{}", revision: "1" }], 1);
  await addDone(test, "app_1");
  const projector = projectorOf(test);
  await projector.drain();
  assert.deepEqual(await stored(test), []);
  const { claimed: [claim] } = await test.store.settle({
    nowMs: 2,
    claim: { leaseMs: 10, limit: 1, retryHorizonMs: 10 },
  });
  assert.ok(claim);
  await test.store.settle({ nowMs: 3, failed: [{ ...claim, error: "broken", retryAtMs: null }] });
  await projector.drain();
  const days = await new FactStore(test.connection).days("", RANGE);
  const all = days.filter(({ bank }) => bank === "");
  assert.deepEqual(all.map(({ applied, scored }) => [applied, scored]), [[1, 0], [1, 1]]);
});

Deno.test("of what is removed no fact is left, the sums stay, and the number's next task is counted", async () => {
  using test = await openStore();
  await addDone(test, "app_1");
  await addDone(test, "app_2");
  const projector = projectorOf(test);
  await projector.drain();
  for (const table of ["results", "payloads"]) {
    await test.connection.write([`DELETE FROM ${table} WHERE number = 2`]);
  }
  await test.connection.write(["DELETE FROM tasks WHERE number = 2"]);
  const { rows } = await test.connection.read("SELECT number FROM facts");
  assert.deepEqual(rows.map(({ number }) => number), [1]);
  await addDone(test, "a0b1");
  await projector.drain();
  assert.deepEqual(await stored(test), fromScratch(["app_1", "app_2", "a0b1"], []));
});

Deno.test("rows of batches are no applications", async () => {
  using test = await openStore();
  await addDone(test, "chk_1");
  await addDone(test, "app_1");
  await projectorOf(test).drain();
  assert.deepEqual(await stored(test), fromScratch(["app_1"], []));
});

Deno.test("a decision tells why a client is lost, and what would win him", () => {
  const offer = (changed: string[], probability: number) => ({ changed, probability });
  const bank = { status: "decided", bank: "bank_a", probability: 0.1 };
  const decision = {
    banks: [
      {
        ...bank,
        offers: { found: [offer(["amount"], 0.7), offer(["term", "amount"], 0.8)] },
        recourse: [
          { field: "snils", reachesTarget: true, probability: 0.65 },
          { field: "monthprofit", reachesTarget: false, probability: 0.3 },
        ],
      },
      { status: "failed", bank: "bank_b", cause: "broken" },
    ],
    recommendation: { recommended: false, causes: [{ code: "low_chances" }, { code: "too_old" }] },
    receipt: { model: { version: "1" } },
  };
  const estimate = estimateOf(JSON.stringify(decision), LEAST);
  assert.deepEqual(estimate, {
    ...{ scored: true, recommended: false, permille: { bank_a: 100 }, cause: "low_chances" },
    levers: { "offer.amount": 700, "offer.amount+term": 800, "answer.snils": 650 },
  });
  const lost = (event?: OutcomeEvent) => {
    const sums = new Sums();
    sums.add({ tenant: "", day: 1, estimate, told: event ? { bank_a: event } : {} });
    return sums.losses.map(({ code }) => code);
  };
  const levers = Object.keys(estimate.levers);
  assert.deepEqual(lost(), ["low_chances", ...levers]);
  assert.deepEqual(lost("sent"), ["low_chances", ...levers]);
  assert.deepEqual(lost("refused"), ["refused", ...levers]);
  assert.deepEqual(lost("funded"), [], "a bank gave the loan all the same");
});

Deno.test("pages read sums by their key, and no table that grows with applications", async () => {
  using test = await openStore();
  for (const sql of READ_STATEMENTS) {
    const { rows } = await test.connection.read(
      statement(`EXPLAIN QUERY PLAN ${sql}`, { tenant: "", from: 1, to: 2 }),
    );
    assert.match(
      rows.map(({ detail }) => detail).join("; "),
      /^SEARCH fact_(days|losses) USING PRIMARY KEY \(tenant=\? AND day>\? AND day<\?\)$/,
    );
  }
});

Deno.test("a list of clients is read along a tenant's latest applications, and every look-up has its index", async () => {
  using test = await openStore();
  for (const sql of CAMPAIGN_STATEMENTS) {
    const bound = { tenant: "", before: 9, revision: "1", now: 1, lapsed: 1 };
    const { rows } = await test.connection.read(
      statement(`EXPLAIN QUERY PLAN ${sql}`, { ...bound, approvals: "[]", purpose: "" }),
    );
    const details = rows.map(({ detail }) => String(detail));
    assert.match(details[0] ?? "", /^SEARCH facts USING INDEX facts_latest \(tenant=\? AND number/);
    const scanned = details.filter((detail) => /^SCAN (?!json_each|\w*json)/.test(detail));
    assert.deepEqual(scanned.filter((detail) => !detail.includes("VIRTUAL TABLE")), []);
  }
});

Deno.test("a result that cannot be read is reported, and holds up nothing", async () => {
  using test = await openStore();
  const task = { id: "app_9", payload: "{}", revision: "1", result: "{}", createdAtMs: 1 };
  await test.store.enqueueDone(task, 1);
  await addDone(test, "app_1");
  const reported: unknown[] = [];
  await new Projector({
    ...{ facts: new FactStore(test.connection), ...LEAST, clock: new FakeClock() },
    resultsOf: (ids) => test.store.findEach(ids),
    report: (error) => reported.push(error),
  }).drain();
  assert.equal(reported.length, 1);
  const days = await new FactStore(test.connection).days("", RANGE);
  const all = days.filter(({ bank }) => bank === "");
  assert.deepEqual(all.map(({ applied, scored }) => [applied, scored]), [[1, 0], [1, 1]]);
});

Deno.test("it works for a tenth of the time, and stops when it is told to", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  let steps = 0;
  const slow = Object.assign(new FactStore(test.connection), {
    progress: () => {
      steps++;
      clock.set(clock.now() + 10);
      return Promise.resolve({ number: 0, serial: 0 });
    },
  });
  const projector = new Projector({
    ...{ facts: slow, ...LEAST, clock },
    resultsOf: (ids) => test.store.findEach(ids),
    report: (error) => assert.fail(String(error)),
  });
  await addDone(test, "app_1");
  projector.start();
  await clock.advance(0);
  assert.equal(steps, 1);
  await clock.advance(99);
  assert.equal(steps, 1);
  await clock.advance(1);
  assert.equal(steps, 2);
  await projector.stop();
  await clock.advance(10_000);
  assert.equal(steps, 2);
});
