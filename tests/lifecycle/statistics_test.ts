import assert from "node:assert/strict";
import fc from "fast-check";
import { compareQuality, median, stabilityIndex, wilson } from "../../lifecycle/statistics.ts";

/** The components of DeLong's variance as the paper defines them, pair by pair. */
function byPairs(scores: readonly number[], labels: readonly boolean[]) {
  const of = (wanted: boolean) => scores.filter((_, at) => labels[at] === wanted);
  const won = (up: number, down: number) => up > down ? 1 : up === down ? 0.5 : 0;
  const [ups, downs] = [of(true), of(false)];
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    auc: average(ups.flatMap((up) => downs.map((down) => won(up, down)))),
    approvals: ups.map((up) => average(downs.map((down) => won(up, down)))),
    refusals: downs.map((down) => average(ups.map((up) => won(up, down)))),
  };
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

function near(a: number | undefined, b: number | undefined): void {
  assert.ok(a !== undefined && b !== undefined && Math.abs(a - b) < 1e-9, `${a} and ${b}`);
}

/** Scores on a coarse grid, so that many are equal. */
const sample = fc.array(
  fc.record({
    was: fc.integer({ min: 0, max: 8 }),
    is: fc.integer({ min: 0, max: 8 }),
    approved: fc.boolean(),
  }),
  { minLength: 4, maxLength: 60 },
).filter((rows) =>
  [true, false].every((wanted) => rows.filter(({ approved }) => approved === wanted).length > 1)
);

Deno.test("compareQuality gives DeLong's AUCs, and his interval of their difference, as the paper defines them", () => {
  fc.assert(fc.property(sample, (rows) => {
    const labels = rows.map(({ approved }) => approved);
    const [was, is] = [rows.map(({ was }) => was / 8), rows.map(({ is }) => is / 8)];
    const { champion, challenger, difference } = compareQuality({
      ...{ champion: was, challenger: is, labels },
    });
    const [a, b] = [byPairs(was, labels), byPairs(is, labels)];
    near(champion.auc?.value, a.auc);
    near(challenger.auc?.value, b.auc);
    near(difference.auc?.value, b.auc - a.auc);
    const minus = (x: readonly number[], y: readonly number[]) =>
      x.map((v, at) => v - (y[at] ?? NaN));
    const error = Math.sqrt(
      variance(minus(b.approvals, a.approvals)) / a.approvals.length +
        variance(minus(b.refusals, a.refusals)) / a.refusals.length,
    );
    near((difference.auc?.high ?? NaN) - (difference.auc?.value ?? NaN), 1.959963984540054 * error);
  }));
});

Deno.test("compareQuality tells a better model from a worse one, and a model from itself not at all", () => {
  const labels = Array.from({ length: 400 }, (_, at) => at % 2 === 0);
  const good = labels.map((label, at) => (label ? 0.6 : 0.4) + (at % 7) / 50);
  const poor = labels.map((_, at) => (at * 37 % 100) / 100);
  const { difference, challenger } = compareQuality({ champion: poor, challenger: good, labels });
  assert.ok((difference.auc?.low ?? 0) > 0.2 && difference.brier.high < 0);
  assert.ok((challenger.auc?.high ?? 2) <= 1);
  const same = compareQuality({ champion: good, challenger: good, labels }).difference;
  assert.deepEqual(same.auc, { value: 0, low: 0, high: 0 });
  assert.equal(
    compareQuality({ champion: [0.5], challenger: [0.5], labels: [true] }).champion.auc,
    undefined,
  );
});

Deno.test("the interval of an AUC holds the true one as often as it says", () => {
  // Scores of approvals and refusals are uniform and shifted by 0.3: the true AUC is 1 - 0.7^2 / 2.
  const truth = 1 - 0.7 ** 2 / 2;
  let state = 7;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  let held = 0;
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const labels = Array.from({ length: 200 }, () => random() < 0.4);
    const scores = labels.map((label) => random() + (label ? 0.3 : 0));
    const { auc } = compareQuality({ champion: scores, challenger: scores, labels }).champion;
    if (auc && auc.low <= truth && truth <= auc.high) held++;
  }
  // Four standard deviations of a binomial with n = 400 and p = 0.95 are 17.
  assert.ok(Math.abs(held - 0.95 * runs) <= 17, `${held} of ${runs}`);
});

Deno.test("stabilityIndex is 0 for the same scores, and what its formula says for a shift", () => {
  const scores = Array.from({ length: 1000 }, (_, at) => at / 1000);
  assert.equal(stabilityIndex(scores, scores), 0);
  assert.equal(stabilityIndex([0.5, 0.5, 0.5], [0.5]), 0);
  // All of the second sample stand in the highest of ten bins.
  const shifted = stabilityIndex(scores, [0.95, 0.99]);
  assert.ok(
    Math.abs(shifted - (0.9 * Math.log(1 / 0.1) + 9 * (0.1 - 1e-4) * Math.log(0.1 / 1e-4))) < 1e-9,
  );
});

Deno.test("wilson and median are those of the books", () => {
  const { value, low, high } = wilson(8, 10) ?? {};
  assert.deepEqual([value, low?.toFixed(4), high?.toFixed(4)], [0.8, "0.4902", "0.9433"]);
  assert.equal(wilson(0, 0), undefined);
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});
