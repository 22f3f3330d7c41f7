import assert from "node:assert/strict";
import fc from "fast-check";
import { Features } from "../../scoring/features.ts";
import { explain, foldDerived } from "../../scoring/reasons.ts";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";
import { Random } from "../queue/simulation/random.ts";

const config = readConfig();
const { questionnaire, policy } = config;
const models = await readModels(config);
const features = new Features(questionnaire);
const at = (name: string) => features.names.indexOf(name);

/** All features 0 but some, and what is typical likewise. */
function rowWith(values: Readonly<Record<string, number>>): Float32Array {
  return features.withValues(
    new Float32Array(features.names.length),
    Object.entries(values).map(([name, value]) => [at(name), value]),
  );
}

function folded(feature: string, row: Float32Array, typical: Float32Array) {
  const contributions = new Float64Array(features.names.length);
  contributions[at(feature)] = 1;
  const found = foldDerived(contributions, row, { features, typical });
  return Object.fromEntries(
    features.names.map((name, column) => [name, found[column] ?? NaN])
      .filter(([, share]) => share !== 0),
  );
}

const TYPICAL = rowWith({
  loan_amount: 60_000,
  loan_term: 12,
  monthprofit: 100_000,
  monthexpense: 20_000,
});

Deno.test("foldDerived() gives a ratio's contribution to what moved it, in logarithms", () => {
  const row = rowWith({ loan_amount: 240_000, loan_term: 12, monthprofit: 50_000 });
  const shares = folded("payment_to_income", row, TYPICAL);
  assert.ok(Math.abs((shares.loan_amount ?? 0) - 2 / 3) < 1e-6);
  assert.ok(Math.abs((shares.monthprofit ?? 0) - 1 / 3) < 1e-6);
  assert.deepEqual(Object.keys(shares).sort(), ["loan_amount", "monthprofit"]);
});

Deno.test("foldDerived() gives nothing to an input that moved the feature the other way", () => {
  const row = rowWith({ loan_amount: 240_000, loan_term: 24, monthprofit: 100_000 });
  assert.deepEqual(folded("monthly_payment", row, TYPICAL), { loan_amount: 1 });
});

Deno.test("foldDerived() gives a difference's contribution by how far each input is from typical", () => {
  const row = rowWith({ monthprofit: 70_000, monthexpense: 30_000 });
  assert.deepEqual(folded("disposable_income", row, TYPICAL), {
    monthprofit: 0.75,
    monthexpense: 0.25,
  });
});

Deno.test("foldDerived() shares equally where nothing is typical, and gives what is missing to what was not answered", () => {
  const row = rowWith({ monthprofit: 70_000, monthexpense: 30_000 });
  const unknown = new Float32Array(features.names.length).fill(NaN);
  assert.deepEqual(folded("disposable_income", row, unknown), {
    monthprofit: 0.5,
    monthexpense: 0.5,
  });
  const silent = rowWith({ monthprofit: NaN, monthexpense: 30_000 });
  assert.deepEqual(folded("disposable_income", silent, TYPICAL), { monthprofit: 1 });
  const nothing = rowWith({ monthprofit: 0, monthexpense: 30_000 });
  assert.deepEqual(folded("expense_to_income", nothing, TYPICAL), { monthprofit: 1 });
});

Deno.test("foldDerived() moves contributions and neither adds nor takes any", () => {
  const number = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(fc.array(number, { minLength: 20, maxLength: 20 }), fc.integer(), (all, seed) => {
      const row = features.matrix([{
        answers: randomApplicant(new Random(seed), 0.2),
        atMs: APPLIED_AT_MS,
      }]);
      const { typical } = models.bundle;
      const found = foldDerived(Float64Array.from(all), row, { features, typical });
      const sum = (values: Iterable<number>) => [...values].reduce((total, one) => total + one, 0);
      assert.ok(Math.abs(sum(found) - sum(all)) < 1e-9);
      for (const { column } of features.derived) assert.equal(found[column], 0);
    }),
  );
});

Deno.test("explanations add up to the log-odds, with what is left out, and give at most four reasons a side", async () => {
  const decider = newDecider(config, models);
  const random = new Random(3);
  for (let client = 0; client < 50; client++) {
    const application = { answers: randomApplicant(random, 0.1), atMs: APPLIED_AT_MS };
    for (const bank of (await decider.decide(application)).banks) {
      assert.ok(bank.status === "decided" && bank.explanation);
      const { base, for: pro, against, leftOut, logOdds, approximate } = bank.explanation;
      assert.equal(approximate, false);
      assert.ok(pro.length <= 4 && against.length <= 4);
      const shown = [...pro, ...against];
      assert.equal(shown.length + leftOut.answers, questionnaire.fields.length);
      const sum = shown.reduce((total, one) => total + one.contribution, base) +
        leftOut.contribution;
      assert.ok(Math.abs(sum - logOdds) < 1e-9);
      assert.ok(Math.abs(1 / (1 + Math.exp(-logOdds)) - bank.probability) < 1e-6);
      for (const { contribution } of pro) assert.ok(contribution >= policy.reasons.least);
      for (const { contribution } of against) assert.ok(contribution <= -policy.reasons.least);
      const sizes = against.map(({ contribution }) => contribution);
      assert.deepEqual(sizes, sizes.toSorted((a, b) => a - b));
    }
  }
});

Deno.test("a reason has a stable code and says the client's own value in Russian and English", () => {
  const row = features.matrix([{ answers: EXAMPLE, atMs: APPLIED_AT_MS }]);
  const values = new Float64Array(features.names.length);
  for (
    const [name, value] of [["monthprofit", 1], ["job_tenure_months", -0.5], [
      "snils",
      0.01,
    ]] as const
  ) {
    values[at(name)] = value;
  }
  const { for: pro, against, leftOut } = explain(
    { approximate: false, base: 0, values },
    { answers: EXAMPLE, row },
    { questionnaire, features, typical: models.bundle.typical, policy: policy.reasons },
  );
  const plain = (text: string) => text.replaceAll(/\s/gu, " ");
  assert.deepEqual(pro.map(({ code }) => code), ["monthprofit.for"]);
  assert.match(plain(pro[0]?.text.ru ?? ""), /180 000 ₽/);
  assert.match(plain(pro[0]?.text.en ?? ""), /₽180,000/);
  assert.deepEqual(against.map(({ code }) => code), ["jobstartdate.against"]);
  assert.match(plain(against[0]?.text.ru ?? ""), /13 лет 2 месяца/);
  assert.ok(Math.abs(leftOut.contribution - 0.01) < 1e-12);
});

Deno.test("an answer that is not there has a code and a sentence of its own", () => {
  const values = new Float64Array(features.names.length);
  values[at("monthprofit")] = -1;
  const { against } = explain(
    { approximate: false, base: 0, values },
    { answers: {}, row: features.matrix([{ answers: {}, atMs: APPLIED_AT_MS }]) },
    { questionnaire, features, typical: models.bundle.typical, policy: policy.reasons },
  );
  assert.deepEqual(against.map(({ code, text }) => [code, text.ru]), [
    ["monthprofit.missing", "Доход не указан или указан неверно"],
  ]);
});
