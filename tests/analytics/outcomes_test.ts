import assert from "node:assert/strict";
import fc from "fast-check";
import { EVENTS, type Outcome, OutcomeStore } from "../../analytics/mod.ts";
import { openStore } from "../support/store.ts";

const told: fc.Arbitrary<Outcome> = fc.record({
  applicationId: fc.constantFrom("app_1", "app_2", "app_3@shop"),
  bank: fc.constantFrom("bank_a", "bank_b"),
  event: fc.constantFrom(...EVENTS),
  decidedAtMs: fc.integer({ min: 1, max: 5 }),
}).map((outcome) => ({
  ...outcome,
  tenant: outcome.applicationId.split("@")[1] ?? "",
  // A bank gives one loan by one decision, and it is not always told.
  ...given(outcome),
  // An application is estimated once for each bank.
  bins: Uint8Array.of(outcome.applicationId.length),
  probability: (outcome.applicationId.length + outcome.bank.charCodeAt(5)) % 10 / 10,
}));

function given({ event, decidedAtMs, bank }: Pick<Outcome, "event" | "decidedAtMs" | "bank">) {
  const approves = event === "approved" || event === "funded";
  if (!approves || (decidedAtMs + bank.charCodeAt(5)) % 2 === 0) return {};
  return { amount: decidedAtMs * 1000 + (event === "funded" ? 0.5 : 0), term: decidedAtMs };
}

/** What was told last of the loan, where the decision that counts is no refusal. */
function loans(all: readonly Outcome[]): ReadonlyMap<string, number> {
  const approved = expected(all);
  const told = all.filter(({ amount, ...outcome }) =>
    amount !== undefined && approved.get(`${outcome.applicationId} ${outcome.bank}`)
  ).toSorted((a, b) => (a.amount ?? 0) - (b.amount ?? 0));
  return new Map(told.map(({ applicationId, bank, amount = 0 }) => [
    `${applicationId} ${bank}`,
    amount,
  ]));
}

/** The latest decision of each bank on each application; of those at one time the furthest step. */
function expected(all: readonly Outcome[]): ReadonlyMap<string, boolean> {
  const steps = ["refused", "approved", "funded"];
  const decided = all.filter(({ event }) => event !== "sent").toSorted((a, b) =>
    a.decidedAtMs - b.decidedAtMs || steps.indexOf(a.event) - steps.indexOf(b.event)
  );
  return new Map(decided.map(({ applicationId, bank, event }) => [
    `${applicationId} ${bank}`,
    event !== "refused",
  ]));
}

/** A store of what is told of these applications, which are there. */
async function openOutcomes(ids: readonly string[]) {
  const test = await openStore();
  const tasks = ids.map((id) => ({ id, payload: "{}", revision: "1" }));
  if (tasks.length > 0) await test.store.enqueue(tasks, 1);
  return { ...test, outcomes: new OutcomeStore(test.connection) };
}

Deno.test("whatever the order and however often it is told, the latest decision counts, once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(told, { maxLength: 30 }), fc.nat(30), async (all, cut) => {
      const ids = [...new Set(all.map(({ applicationId }) => applicationId))];
      using test = await openOutcomes(ids);
      const store = test.outcomes;
      await store.record(all.slice(0, cut), 1);
      await store.record(all.slice(cut).toReversed(), 2);
      assert.equal(await store.record(all, 3), 0, "all of it is known");
      const wanted = expected(all);
      const found = await store.decisionsOf(ids);
      const flat = [...found].flatMap(([id, decisions]) =>
        Object.entries(decisions).map(([bank, approved]) => [`${id} ${bank}`, approved] as const)
      );
      assert.deepEqual(new Map(flat.toSorted()), new Map([...wanted].toSorted()));
      const given = [...await store.loansOf(ids)].flatMap(([id, loans]) =>
        Object.entries(loans).map(([bank, { amount }]) => [`${id} ${bank}`, amount] as const)
      );
      assert.deepEqual(new Map(given.toSorted()), new Map([...loans(all)].toSorted()));
      for (const tenant of ["", "shop"]) {
        const counts = [...(await store.counts(tenant)).values()].flat();
        const own = [...wanted].filter(([key]) => (key.includes("@")) === (tenant !== ""));
        const sum = (key: "approved" | "refused") =>
          counts.reduce((total, count) => total + count[key], 0);
        assert.equal(sum("approved"), own.filter(([, approved]) => approved).length);
        assert.equal(sum("refused"), own.filter(([, approved]) => !approved).length);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("what is removed is counted no more", async () => {
  using test = await openOutcomes(["app_1"]);
  const store = test.outcomes;
  const outcome = {
    applicationId: "app_1",
    tenant: "",
    bank: "bank_a",
    probability: 0.5,
    bins: Uint8Array.of(1),
  };
  await store.record([{ ...outcome, event: "approved", decidedAtMs: 1 }], 1);
  await test.connection.write(["DELETE FROM outcomes"]);
  assert.equal((await store.counts("")).size, 0);
});

Deno.test("what is told of an application that was erased meanwhile is not kept", async () => {
  using test = await openOutcomes(["app_1"]);
  const outcome = {
    tenant: "",
    bank: "bank_a",
    event: "approved",
    probability: 0.5,
    bins: Uint8Array.of(1),
  } as const;
  const told = ["app_1", "app_2"].map((applicationId) => ({
    ...outcome,
    applicationId,
    decidedAtMs: 1,
  }));
  assert.equal(await test.outcomes.record(told, 1), 1);
  const { rows } = await test.connection.read(
    "SELECT application_id FROM outcome_events UNION SELECT application_id FROM outcomes",
  );
  assert.deepEqual(rows.map(({ application_id }) => application_id), ["app_1"]);
});

Deno.test("the ledger is read without looking at every outcome", async () => {
  using test = await openStore();
  const { rows } = await test.connection.read(
    "EXPLAIN QUERY PLAN SELECT bank, permille, approved, refused FROM outcome_counts " +
      "WHERE tenant = '' AND approved + refused > 0 ORDER BY bank, permille",
  );
  assert.deepEqual(rows.map(({ detail }) => detail), [
    "SEARCH outcome_counts USING PRIMARY KEY (tenant=?)",
  ]);
});

Deno.test("a bank's latest decisions are read by their index, and no others are looked at", async () => {
  using test = await openStore();
  const { rows } = await test.connection.read(
    "EXPLAIN QUERY PLAN SELECT permille, approved, decided_at_ms, segments FROM outcomes " +
      "WHERE tenant = '' AND bank = 'bank_a' ORDER BY decided_at_ms DESC LIMIT 5000",
  );
  assert.deepEqual(rows.map(({ detail }) => detail), [
    "SEARCH outcomes USING COVERING INDEX outcomes_latest (tenant=? AND bank=?)",
  ]);
});

Deno.test("the loan of a decision that is known already may be told later, and is not changed then", async () => {
  using test = await openOutcomes(["app_1"]);
  const told = {
    ...{
      applicationId: "app_1",
      tenant: "",
      bank: "bank_a",
      decidedAtMs: 1,
      probability: 0.5,
      bins: Uint8Array.of(1),
    },
    event: "approved",
  } as const;
  const { outcomes } = test;
  assert.equal(await outcomes.record([told], 1), 1);
  assert.equal((await outcomes.loansOf(["app_1"])).size, 0);
  assert.equal(await outcomes.record([{ ...told, amount: 90_000 }], 2), 1);
  assert.equal(await outcomes.record([{ ...told, amount: 80_000, term: 6 }], 3), 1);
  assert.equal(await outcomes.record([{ ...told, amount: 80_000, term: 6 }], 4), 0);
  assert.deepEqual((await outcomes.loansOf(["app_1"])).get("app_1"), {
    bank_a: { amount: 90_000, term: 6 },
  });
  await outcomes.record([{ ...told, event: "refused", decidedAtMs: 2 }], 5);
  assert.equal((await outcomes.loansOf(["app_1"])).size, 0, "a refusal gives nothing");
});
