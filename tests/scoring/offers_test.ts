import assert from "node:assert/strict";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { bruteForceOffers } from "../support/brute_force.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";
import { Random } from "../queue/simulation/random.ts";
import type { Config, Policy } from "../../configs/mod.ts";
import type { Offers } from "../../scoring/decision.ts";

const shipped = readConfig();
const models = await readModels(shipped);

function withPolicy(change: Partial<Policy>): Config {
  return { ...shipped, policy: { ...shipped.policy, ...change } };
}

async function offersOf(answers: object, config = shipped): Promise<Map<string, Offers>> {
  const application = { answers: { ...EXAMPLE, ...answers }, atMs: APPLIED_AT_MS };
  const { banks } = await newDecider(config, models).decide(application);
  return new Map(banks.map((bank) => {
    assert.ok(bank.status === "decided");
    return [bank.bank, bank.offers];
  }));
}

for (
  const [what, config] of [
    ["the shipped policy", withPolicy({ leastAnsweredShare: 0 })],
    ["a rule on the amount and a low target", {
      ...withPolicy({
        leastAnsweredShare: 0,
        target: 0.35,
        rules: [{
          id: "middle",
          effect: "forbid",
          when: {
            any: [
              { value: "loan_amount", above: 20_000, below: 60_000 },
              { value: "payment", per: "monthprofit", above: 0.1 },
            ],
          },
          reason: { ru: "Нельзя", en: "No" },
        }],
      }),
    }],
  ] as const
) {
  Deno.test(`offers are those of a look at every loan, to the cell: ${what}`, async () => {
    const random = new Random(7);
    const decider = newDecider(config, models);
    let found = 0;
    for (let client = 0; client < 20; client++) {
      const application = { answers: randomApplicant(random), atMs: APPLIED_AT_MS };
      const expected = bruteForceOffers(application, { config, models });
      for (const bank of (await decider.decide(application)).banks) {
        assert.ok(bank.status === "decided");
        const cells = bank.offers.found.map(({ product, amount, term, probability }) => ({
          product,
          amount,
          term,
          probability,
        }));
        assert.deepEqual(cells, expected.offers.get(bank.bank), JSON.stringify(application));
        assert.equal(cells.length === 0, bank.offers.none !== undefined);
        found += cells.length;
      }
    }
    assert.ok(found > 30, `${found} offers are too few to say something`);
  });
}

Deno.test("an offer reaches the target with the lower end of its interval and lends no more than was asked for", async () => {
  const random = new Random(8);
  for (let client = 0; client < 30; client++) {
    const answers = randomApplicant(random, 0);
    for (const [, { found }] of await offersOf(answers)) {
      for (const offer of found) {
        assert.ok(offer.interval.low >= shipped.policy.target);
        assert.ok(offer.amount <= Number(answers.loan_amount));
        assert.equal(offer.totalMinor, offer.amount * 100 + offer.overpaymentMinor);
        if (offer.changed.includes("down_payment")) {
          assert.equal(offer.downPayment, Number(answers.loan_amount) - offer.amount);
        } else assert.equal(offer.downPayment, 0);
      }
    }
  }
});

Deno.test("a loan that reaches the target is offered as asked for, and nothing else is", async () => {
  const { found } = (await offersOf({})).get("bank_b") ?? { found: [] };
  assert.deepEqual(found.map(({ amount, term, changed }) => ({ amount, term, changed })), [
    { amount: 137_000, term: 18, changed: [] },
  ]);
});

Deno.test("a loan that would do is fitted to the product's steps and terms, without a gain being asked for", async () => {
  const offers = await offersOf({ loan_amount: 137_500, loan_term: 17 });
  const [nearest] = offers.get("bank_b")?.found ?? [];
  assert.deepEqual(
    [nearest?.amount, nearest?.term, nearest?.downPayment, nearest?.changed],
    [137_000, 18, 500, ["down_payment", "term"]],
  );
});

Deno.test("an offer that changes a loan which would not do gains at least what the policy asks", async () => {
  const random = new Random(9);
  let changed = 0;
  for (let client = 0; client < 40; client++) {
    const answers = randomApplicant(random, 0);
    const application = { answers, atMs: APPLIED_AT_MS };
    for (const bank of (await newDecider(shipped, models).decide(application)).banks) {
      assert.ok(bank.status === "decided" && bank.interval);
      if (bank.interval.low >= shipped.policy.target) continue;
      for (const { probability } of bank.offers.found) {
        assert.ok(probability >= bank.probability + shipped.policy.offers.leastGain);
        changed++;
      }
    }
  }
  assert.ok(changed > 20, `${changed} offers are too few to say something`);
});

for (
  const [what, answers, change, expected] of [
    ["no amount", { loan_amount: null }, {}, "loan_not_stated"],
    ["an amount below every product", { loan_amount: 3000 }, {}, "outside_products"],
    [
      "a chance just below the target, which no loan raises by enough",
      {
        birthdate: "1998-01-16",
        employment_status: "Собственное дело",
        value: "1 - 2 года",
        jobstartdate: "2022-12-01",
        monthprofit: 200_000,
        loan_amount: 33_000,
        loan_term: 6,
      },
      {},
      "gain_too_small",
    ],
    ["a target that nothing reaches", {}, { target: 1 }, "target_out_of_reach"],
    ["an interval that is too wide", {}, { widestInterval: 0.001 }, "insufficient_data"],
    ["a client under age", { birthdate: "2010-01-01" }, {}, "forbidden_by_policy"],
  ] as const
) {
  Deno.test(`no offer has a reason: ${what}`, async () => {
    const offers = await offersOf(answers, withPolicy({ rules: shipped.policy.rules, ...change }));
    const { found, none } = offers.get("bank_b") ?? { found: [] };
    assert.deepEqual([found, none?.code], [[], expected]);
    assert.ok(none?.text.ru && none.text.en);
  });
}

Deno.test("where rules forbid the loans that would do, the offer's reason names them", async () => {
  const rules = [{
    id: "no_small_loans",
    effect: "forbid" as const,
    when: { value: "loan_amount", atMost: 1_000_000 },
    reason: { ru: "Нельзя", en: "No" },
  }];
  const { none } = (await offersOf({}, withPolicy({ rules }))).get("bank_b") ?? {};
  assert.deepEqual([none?.code, none?.rules], ["forbidden_by_policy", ["no_small_loans"]]);
});

Deno.test("banks without products say so", async () => {
  const banks = {
    ...shipped.banks,
    banks: shipped.banks.banks.map((bank) => ({ ...bank, products: [] })),
  };
  for (const [, { none }] of await offersOf({}, { ...shipped, banks })) {
    assert.equal(none?.code, "no_products");
  }
});

Deno.test("banks are ranked by the objective of the policy", async () => {
  const application = { answers: { ...EXAMPLE, loan_amount: 60_000 }, atMs: APPLIED_AT_MS };
  for (
    const [objective, worth] of [
      ["client_cost", "clientCostMinor"],
      ["approval", "probability"],
      ["expected_margin", "expectedMarginMinor"],
    ] as const
  ) {
    const config = withPolicy({ offers: { ...shipped.policy.offers, objective } });
    const { banks, ranking } = await newDecider(config, models).decide(application);
    const values = ranking.banks.map((id) => {
      const bank = banks.find(({ bank }) => bank === id);
      assert.ok(bank?.status === "decided");
      return bank.offers.found[0]?.[worth] ?? NaN;
    });
    assert.ok(values.length >= 3);
    const best = objective === "client_cost"
      ? (a: number, b: number) => a - b
      : (a: number, b: number) => b - a;
    assert.deepEqual(values, values.toSorted(best));
  }
});
