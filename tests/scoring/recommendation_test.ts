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
