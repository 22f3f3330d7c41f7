import assert from "node:assert/strict";
import type { Config } from "../../configs/mod.ts";
import type { DecidedBank } from "../../scoring/decision.ts";
import { intervalOf } from "../../scoring/odds.ts";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";
import { Random } from "../queue/simulation/random.ts";

const config = readConfig();
const models = await readModels(config);
const { questionnaire, policy } = config;

async function decidedBanks(answers: object, changed: Config = config): Promise<DecidedBank[]> {
  const application = { answers: { ...answers }, atMs: APPLIED_AT_MS };
  const { banks } = await newDecider(changed, models).decide(application);
  return banks.map((bank) => bank.status === "decided" ? bank : assert.fail(bank.cause));
}

/** A bank's chance with other answers, or later. */
function chance(bank: string, answers: object, atMs = APPLIED_AT_MS): number {
  const row = models.features.matrix([{ answers: { ...answers }, atMs }]);
  const index = config.banks.banks.findIndex(({ id }) => id === bank);
  return models.set.score(row, 1)[index] ?? NaN;
}

function reaches(bank: string, probability: number): boolean {
  const index = config.banks.banks.findIndex(({ id }) => id === bank);
  const band = models.bundle.models[index]?.band ?? assert.fail("a band");
  return intervalOf(probability, band).low >= policy.target;
}

Deno.test("recourse is the smallest change of one answer that reaches the target, else the one that helps most", async () => {
  const random = new Random(5);
  let compared = 0;
  for (let client = 0; client < 25; client++) {
    const answers = randomApplicant(random, 0);
    for (const { bank, probability, recourse } of await decidedBanks(answers)) {
      for (
        const [field, direction] of [["monthprofit", 1], ["monthexpense", -1]] as const
      ) {
        const now = Number(answers[field]);
        const [from, to] = direction > 0
          ? [now, now * policy.recourse.furthest]
          : [now / policy.recourse.furthest, now];
        const steps = Array.from(
          { length: Math.floor(to / 1000) - Math.ceil(from / 1000) + 1 },
          (_, index) => (Math.ceil(from / 1000) + index) * 1000,
        ).filter((value) => value !== now);
        if (direction < 0) steps.reverse();
        const chances = steps.map((value) => chance(bank, { ...answers, [field]: value }));
        const first = chances.findIndex((value) => reaches(bank, value));
        const best = first >= 0 ? first : chances.indexOf(Math.max(...chances));
        const found = recourse.find((one) => one.field === field);
        const worth = !reaches(bank, probability) &&
          (chances[best] ?? 0) - probability >= policy.recourse.leastGain;
        if (!worth) {
          assert.equal(found, undefined);
          continue;
        }
        // Others may help more, and only the best are named.
        if (found === undefined && recourse.length === policy.reasons.most) continue;
        assert.deepEqual(
          [found?.to, found?.probability, found?.reachesTarget],
          [steps[best], chances[best], first >= 0],
          `${bank} ${JSON.stringify(answers)}`,
        );
        compared++;
      }
    }
  }
  assert.ok(compared > 20, `${compared} comparisons are too few to say something`);
});

Deno.test("recourse names only answers that a client can change, in the direction that they can", async () => {
  const random = new Random(6);
  const codes = new Set<string>();
  for (let client = 0; client < 60; client++) {
    const answers = randomApplicant(random, 0);
    for (const { recourse } of await decidedBanks(answers)) {
      for (const { field, code, to, probability } of recourse) {
        codes.add(code);
        const asked = questionnaire.fields.find(({ id }) => id === field);
        assert.ok(asked && asked.change !== "immutable");
        assert.ok(probability > 0);
        if (asked.meaning.kind === "category") {
          const place = (value: unknown) =>
            asked.meaning.kind === "category"
              ? asked.meaning.values.findIndex((one) => one.value === value)
              : -1;
          assert.notEqual(place(to), place(answers[field]));
          if (asked.change === "only_up") assert.ok(place(to) > place(answers[field]));
        } else if (asked.meaning.kind === "quantity") {
          const up = Number(to) > Number(answers[field]);
          assert.equal(up, asked.change === "only_up");
        }
      }
    }
  }
  assert.deepEqual(
    [...codes].sort(),
    [
      "employment_status.change",
      "jobstartdate.wait",
      "monthexpense.change",
      "monthprofit.change",
      "snils.change",
    ],
  );
});

Deno.test("a tenure that grows gives the chance that it says, on the day that it says", async () => {
  // Of one client the bank's view of time alone: at this age a year changes nothing else.
  const answers = { ...EXAMPLE, jobstartdate: "2026-10-01", birthdate: "1986-06-15" };
  const banks = await decidedBanks(answers);
  const waits = banks.flatMap(({ bank, recourse }) =>
    recourse.filter(({ code }) => code === "jobstartdate.wait").map((one) => ({ bank, ...one }))
  );
  assert.ok(waits.length > 0);
  for (const { bank, from, to, probability } of waits) {
    const dayMs = Date.parse(from ?? assert.fail("a day"));
    assert.ok(dayMs > APPLIED_AT_MS);
    const row = models.features.matrix([{ answers, atMs: dayMs }]);
    const tenure = row[models.features.names.indexOf("job_tenure_months")] ?? NaN;
    assert.ok(tenure >= Number(to) && tenure < Number(to) + 1 / 15);
    assert.ok(Math.abs(chance(bank, answers, dayMs) - probability) < 0.02);
  }
});

Deno.test("there is no recourse where the target is reached, nor where there is too little data", async () => {
  for (const { interval, recourse } of await decidedBanks(EXAMPLE)) {
    assert.ok(interval);
    if (interval.low >= policy.target) assert.deepEqual(recourse, []);
  }
  const wide = { ...config, policy: { ...policy, widestInterval: 0 } };
  for (const { recourse } of await decidedBanks(EXAMPLE, wide)) assert.deepEqual(recourse, []);
});
