import assert from "node:assert/strict";
import type { Policy } from "../../configs/mod.ts";
import { APPLIED_AT_MS } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";

const config = readConfig();
const models = await readModels(config);

async function decide(answers: object, change: Partial<Policy> = {}) {
  const changed = { ...config, policy: { ...config.policy, ...change } };
  const application = { answers: { ...EXAMPLE, ...answers }, atMs: APPLIED_AT_MS };
  return await newDecider(changed, models).decide(application);
}

const IN_30_DAYS = "2026-12-25";

Deno.test("a client with a chance and no rule against is recommended", async () => {
  const { recommendation, rules } = await decide({});
  assert.deepEqual([recommendation.recommended, recommendation.causes, rules], [true, [], []]);
  assert.equal(recommendation.recheckOn, undefined);
});

Deno.test("a rule against the loan as asked for is a cause, and another loan the way back", async () => {
  const { recommendation, rules } = await decide({
    monthprofit: 30_000,
    monthexpense: 5_000,
    loan_amount: 200_000,
    loan_term: 12,
  });
  assert.equal(recommendation.recommended, false);
  assert.deepEqual(rules.map(({ id, effect }) => [id, effect]), [[
    "debt_burden",
    "do_not_recommend",
  ]]);
  assert.equal(recommendation.causes[0]?.code, "debt_burden");
  assert.equal(recommendation.recheckOn, IN_30_DAYS);
  const { wayBack } = recommendation;
  assert.ok(wayBack?.kind === "loan");
  assert.ok(wayBack.offer.amount / wayBack.offer.term <= 15_000);
  assert.deepEqual(wayBack.offer.rules, []);
});

Deno.test("a rule about answers has the smallest change of one answer as the way back", async () => {
  const { recommendation } = await decide({ monthprofit: 50_000, monthexpense: 54_500 });
  assert.equal(recommendation.causes[0]?.code, "expenses_over_income");
  const { wayBack } = recommendation;
  assert.ok(wayBack?.kind === "answer");
  assert.deepEqual([wayBack.field, wayBack.to], ["monthexpense", 50_000]);
});

Deno.test("where only time clears a rule, the way back is to wait, and the day to look again is its end", async () => {
  const { recommendation } = await decide({ birthdate: "2009-02-10" });
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["under_age"]);
  const { wayBack, recheckOn } = recommendation;
  assert.ok(wayBack?.kind === "wait");
  assert.equal(wayBack.until, recheckOn);
  const [untilMs, birthdayMs] = [Date.parse(wayBack.until), Date.UTC(2027, 1, 10)];
  assert.ok(untilMs >= birthdayMs && untilMs < birthdayMs + 2 * 86_400_000);
});

Deno.test("chances that reach the least at no bank are a cause, with the recourse as the way back", async () => {
  const least = { leastProbability: 0.999, recheckDays: 30 };
  const { recommendation } = await decide({}, { recommendation: least, target: 0.99 });
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["low_chances"]);
  assert.equal(recommendation.recheckOn, IN_30_DAYS);
  assert.match(recommendation.causes[0]?.text.en ?? "", /100%/);
});

Deno.test("a way back keeps to the rules that speak against the application", async () => {
  // Whatever loan is offered, the rule about the client stays: no loan is a way back.
  const rules = [{
    id: "no_furniture",
    effect: "do_not_recommend" as const,
    when: { value: "goods_category", is: ["Furniture"] },
    reason: { ru: "Мебель", en: "Furniture" },
  }];
  const { recommendation } = await decide({}, { rules });
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["no_furniture"]);
  assert.equal(recommendation.wayBack, undefined);
  assert.equal(recommendation.recheckOn, IN_30_DAYS);
});

Deno.test("a rule about one bank does not speak against applying elsewhere, and the plan keeps away from that bank", async () => {
  const rules = [{
    id: "not_there",
    effect: "forbid" as const,
    banks: ["bank_b"],
    when: { value: "goods_category", is: ["Furniture"] },
    reason: { ru: "Нет", en: "No" },
  }];
  const decision = await decide({}, { rules });
  assert.equal(decision.recommendation.recommended, true);
  assert.deepEqual(decision.rules.map(({ id }) => id), ["not_there"]);
  assert.ok(!decision.plan.banks.includes("bank_b"));
  const [, bankB] = decision.banks;
  assert.ok(bankB?.status === "decided");
  assert.equal(bankB.offers.none?.code, "forbidden_by_policy");
});

Deno.test("a warning stands beside the result and changes no advice", async () => {
  const { rules, recommendation } = await decide({ monthprofit: null });
  assert.deepEqual(rules.map(({ id, effect }) => [id, effect]), [["income_not_stated", "warn"]]);
  assert.deepEqual(recommendation.causes, []);
});

Deno.test("a client whose age is missing or not plausible is told that age limits were not checked", async () => {
  for (const birthdate of [null, "2015-01-01", "2030-01-01", "1900-01-01", "1988-13-45"]) {
    const { rules, recommendation } = await decide({ birthdate });
    assert.deepEqual(rules.map(({ id, effect }) => [id, effect]), [["age_not_known", "warn"]]);
    assert.deepEqual(recommendation.causes, []);
  }
});

/** An income of which half does not pay the loan back with interest, and does without. */
const UNAFFORDABLE = {
  monthprofit: 50_000,
  monthexpense: 10_000,
  loan_amount: 500_000,
  loan_term: 24,
};

Deno.test("where the payment is forbidden at every product that gives the loan, no bank is planned and the rule is the cause", async () => {
  const { rules, plan, recommendation } = await decide(UNAFFORDABLE);
  assert.deepEqual(rules, []);
  assert.deepEqual(plan.banks, []);
  assert.equal(recommendation.recommended, false);
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["payment_over_half_of_income"]);
  const { wayBack } = recommendation;
  assert.ok(wayBack?.kind === "loan");
  assert.ok(wayBack.offer.monthlyPaymentMinor <= 25_000_00);
});

Deno.test("where no other loan will do, the way back from a forbidden payment is an income that allows it", async () => {
  // No loan reaches this target, so none is a way back.
  const { recommendation } = await decide(UNAFFORDABLE, { target: 1 });
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["payment_over_half_of_income"]);
  const { wayBack } = recommendation;
  assert.ok(wayBack?.kind === "answer" && wayBack.field === "monthprofit");
  const { recommendation: then } = await decide({ ...UNAFFORDABLE, monthprofit: wayBack.to });
  assert.deepEqual(then.causes, []);
  const { recommendation: before } = await decide({
    ...UNAFFORDABLE,
    monthprofit: Number(wayBack.to) - 1_000,
  });
  assert.equal(before.recommended, false);
});

for (
  const [what, loan, wayBack] of [
    ["too small", { loan_amount: 1_000, loan_term: 12 }, undefined],
    ["too large", { loan_amount: 1_100_000, loan_term: 24, monthprofit: 900_000 }, "loan"],
    ["over another term", { loan_term: 36 }, "loan"],
  ] as const
) {
  Deno.test(`where no bank gives a loan ${what}, none is planned and that is the cause`, async () => {
    const { plan, recommendation } = await decide(loan);
    assert.deepEqual(plan.banks, []);
    assert.deepEqual(recommendation.causes.map(({ code }) => code), ["outside_products"]);
    assert.equal(recommendation.wayBack?.kind, wayBack);
  });
}

Deno.test("only banks that give the loan are planned, and only their chances count", async () => {
  const loan = { loan_amount: 800_000, loan_term: 24, monthprofit: 400_000 };
  const { plan, banks, recommendation } = await decide(loan, { widestInterval: 1 });
  assert.deepEqual([plan.banks, recommendation.recommended], [["bank_a"], true]);
  const [given = 1, notGiven = 0] = banks.map((bank) =>
    bank.status === "decided" ? bank.interval?.high : undefined
  );
  assert.ok(given < notGiven);
  const least = { leastProbability: (given + notGiven) / 2, recheckDays: 30 };
  const { recommendation: strict } = await decide(loan, {
    widestInterval: 1,
    recommendation: least,
  });
  assert.deepEqual(strict.causes.map(({ code }) => code), ["low_chances"]);
});
