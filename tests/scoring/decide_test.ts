import assert from "node:assert/strict";
import { decisionSchema } from "../../scoring/decision.ts";
import type { Inspected, Models } from "../../scoring/models.ts";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";
import { Random } from "../queue/simulation/random.ts";

const config = readConfig();
const models = await readModels(config);
const APPLICATION = { answers: { ...EXAMPLE }, atMs: APPLIED_AT_MS };

/** The models, with what one bank answers changed. */
function tampered(index: number, change: (answer: Inspected, call: number) => Inspected): Models {
  let call = 0;
  return {
    ...models.models,
    async inspect(inspection) {
      const answers = await models.models.inspect(inspection);
      call++;
      return answers.map((answer, at) => at === index ? change(answer, call) : answer);
    },
  };
}

Deno.test("decide() gives what its schema says, for any client", async () => {
  const random = new Random(11);
  const decider = newDecider(config, models);
  for (const missing of [0, 0.05, 0.3, 1]) {
    for (let client = 0; client < 15; client++) {
      const answers = randomApplicant(random, missing);
      const decision = await decider.decide({ answers, atMs: APPLIED_AT_MS });
      assert.deepEqual(decisionSchema.parse(JSON.parse(JSON.stringify(decision))), decision);
    }
  }
});

Deno.test("decide() gives the probabilities that the models score, and the same decision each time", async () => {
  const decider = newDecider(config, models);
  const decision = await decider.decide(APPLICATION);
  const scores = models.set.score(models.features.matrix([APPLICATION]), 1);
  assert.deepEqual(
    decision.banks.map((bank) => bank.status === "decided" && bank.probability),
    [...scores],
  );
  assert.deepEqual(await decider.decide(APPLICATION), decision);
});

Deno.test("decide() of no answers at all says that there is too little data, and advises nothing", async () => {
  const decision = await newDecider(config, models).decide({ answers: {}, atMs: APPLIED_AT_MS });
  for (const bank of decision.banks) {
    assert.ok(bank.status === "decided");
    assert.equal(bank.odds.insufficient, "too_few_answers");
    assert.equal(bank.offers.none?.code, "loan_not_stated");
  }
  assert.equal(decision.loan, undefined);
  assert.deepEqual(decision.plan.banks, []);
  assert.match(decision.recommendation.text.ru, /Данных мало/);
});

for (
  const [what, change] of [
    ["fails", () => ({ failure: "the engine trapped" })],
    [
      "fails when its offers are scored again",
      (answer: Inspected, call: number) => call === 2 ? { failure: "the engine trapped" } : answer,
    ],
    [
      "gives no probability",
      (answer: Inspected) =>
        "view" in answer
          ? { view: { ...answer.view, probabilities: Float64Array.of(NaN) } }
          : answer,
    ],
  ] as const
) {
  Deno.test(`decide() names a bank whose model ${what}, and the others are decided as ever`, async () => {
    const whole = await newDecider(config, models).decide(APPLICATION);
    const decider = newDecider(config, { ...models, models: tampered(1, change) });
    const decision = await decider.decide(APPLICATION);
    const failed = decision.banks[1];
    assert.ok(failed?.status === "failed");
    assert.match(failed.cause, /the engine trapped|must be a probability from 0 to 1/);
    assert.deepEqual(decision.banks.toSpliced(1, 1), whole.banks.toSpliced(1, 1));
    assert.ok(!decision.plan.banks.includes("bank_b"));
    assert.ok(!decision.ranking.banks.includes("bank_b"));
  });
}

Deno.test("decide() where every model fails advises against, and says that nothing is known", async () => {
  const none: Models = {
    ...models.models,
    inspect: () => Promise.resolve(config.banks.banks.map(() => ({ failure: "gone" }))),
  };
  const { banks, recommendation } = await newDecider(config, { ...models, models: none })
    .decide(APPLICATION);
  assert.ok(banks.every(({ status }) => status === "failed"));
  assert.deepEqual(recommendation.causes.map(({ code }) => code), ["no_estimate"]);
});

Deno.test("decide() gives a bank without evidence its probability, and no band, offer or place in the plan", async () => {
  const decider = newDecider(config, { ...models, withoutEvidence: ["bank_b"] });
  const { banks, plan } = await decider.decide(APPLICATION);
  const bank = banks[1];
  assert.ok(bank?.status === "decided");
  assert.ok(bank.probability > 0.9 && bank.withoutEvidence);
  assert.equal(bank.odds.insufficient, "no_evidence");
  assert.equal(bank.offers.none?.code, "insufficient_data");
  assert.ok(!plan.banks.includes("bank_b"));
});

Deno.test("explore() gives the exact chance of every amount at the term asked for", async () => {
  const { decision, curves } = await newDecider(config, models).explore(APPLICATION);
  assert.deepEqual(decision, await newDecider(config, models).decide(APPLICATION));
  const row = models.features.matrix([APPLICATION]);
  for (const [index, { bank, term, pieces }] of curves.entries()) {
    assert.deepEqual([bank, term], [config.banks.banks[index]?.id, 18]);
    for (const { from, to, probability } of pieces) {
      for (const amount of [from, to]) {
        const cell = models.features.withValues(row, [[13, amount]]);
        assert.equal(models.set.score(cell, 1)[index], probability);
      }
    }
    const ends = pieces.map(({ from, to }) => [from, to]);
    assert.deepEqual([ends[0]?.[0], ends.at(-1)?.[1]], [4_000, 1_000_000]);
    for (const [at, [from]] of ends.entries()) {
      if (at > 0) assert.equal(from, (ends[at - 1]?.[1] ?? 0) + 1_000);
    }
  }
});

Deno.test("decide() works where policy, products and roles are absent: probabilities, and why there is no more", async () => {
  const small = readConfig("tests/fixtures/small/configs");
  const decider = newDecider(small, {
    ...await readModels(small),
    withoutEvidence: ["trees", "network"],
  });
  const answers = { born: "1990-05-01", income: 2500, amount: 1200 };
  const decision = await decider.decide({ answers, atMs: APPLIED_AT_MS });
  assert.deepEqual(decisionSchema.parse(decision), decision);
  for (const bank of decision.banks) {
    assert.ok(bank.status === "decided");
    assert.equal(bank.offers.none?.code, "no_products");
    assert.equal(bank.odds.insufficient, "no_evidence");
  }
  const [north] = decision.banks;
  assert.ok(north?.status === "decided" && north.explanation);
  const said = [...north.explanation.for, ...north.explanation.against].map(({ text }) => text.en);
  assert.ok(said.length > 0 && said.every((text) => /^(Date of birth|Income|Amount): /.test(text)));
});
