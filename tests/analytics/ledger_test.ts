import assert from "node:assert/strict";
import fc from "fast-check";
import { bankLedger, type Counts, LEAST_OUTCOMES } from "../../analytics/mod.ts";
import { areaUnderCurve } from "../../analytics/ledger.ts";
import { readConfig } from "../support/service.ts";

const { policy: { odds: bands }, banks: { banks } } = readConfig();
const [bank = assert.fail("there is a bank")] = banks;
const ledger = (counts: readonly Counts[]) => bankLedger(bank, { counts, bands });

const decisions = fc.array(
  fc.record({ permille: fc.integer({ min: 0, max: 1000 }), approved: fc.boolean() }),
  { minLength: 1, maxLength: 300 },
);

function counted(of: readonly { permille: number; approved: boolean }[]): Counts[] {
  return [...Map.groupBy(of, ({ permille }) => permille)].sort(([a], [b]) => a - b).map(
    ([permille, same]) => ({
      probability: permille / 1000,
      approved: same.filter(({ approved }) => approved).length,
      refused: same.filter(({ approved }) => !approved).length,
    }),
  );
}

Deno.test("the area under the curve is the share of pairs in their right order", () => {
  fc.assert(fc.property(decisions, (of) => {
    const [good, bad] = [of.filter((x) => x.approved), of.filter((x) => !x.approved)];
    const area = areaUnderCurve(counted(of));
    if (good.length === 0 || bad.length === 0) return assert.equal(area, undefined);
    let won = 0;
    for (const a of good) {
      for (const b of bad) won += a.permille > b.permille ? 1 : a.permille === b.permille ? 0.5 : 0;
    }
    assert.ok(Math.abs((area?.value ?? NaN) - won / (good.length * bad.length)) < 1e-9);
    assert.ok(area && area.low <= area.value && area.value <= area.high);
  }));
});

Deno.test("every decision is in one band, and their sums are the bank's", () => {
  fc.assert(fc.property(decisions, (of) => {
    const found = ledger(counted(of));
    const sum = (key: "outcomes" | "approved") =>
      found.bands.reduce((all, band) => all + band[key], 0);
    assert.equal(sum("outcomes"), of.length);
    assert.equal(found.outcomes, of.length);
    assert.equal(sum("approved"), of.filter(({ approved }) => approved).length);
    const brier = of.reduce((all, { permille, approved }) =>
      all + (Number(approved) - permille / 1000) ** 2, 0) / of.length;
    assert.ok(Math.abs((found.brier ?? NaN) - brier) < 1e-9);
  }));
});

Deno.test("a band whose clients are approved too seldom stands for a lower one, when that is no chance", () => {
  const state = (approved: number, refused: number) => {
    const [band] = ledger([{ probability: 0.85, approved, refused }]).bands;
    return [band?.band, band?.state, band?.standing];
  };
  assert.deepEqual(state(85, 15), ["excellent", "holds", "excellent"]);
  assert.deepEqual(state(50, 50), ["excellent", "overstated", "good"]);
  assert.deepEqual(state(LEAST_OUTCOMES - 1, 0), ["excellent", "too_few", "excellent"]);
  const [poor] = ledger([{ probability: 0.1, approved: 60, refused: 40 }]).bands;
  assert.deepEqual([poor?.state, poor?.standing], ["understated", "poor"]);
});

Deno.test("a bank of which nothing is known has no statistics", () => {
  assert.deepEqual(ledger([]), {
    ...{ bank: bank.id, title: bank.title, outcomes: 0, approved: 0, bands: [] },
  });
});
