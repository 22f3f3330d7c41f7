import assert from "node:assert/strict";
import fc from "fast-check";
import type { Condition } from "../../configs/mod.ts";
import { Features } from "../../scoring/features.ts";
import { allowedRanges, compileRules } from "../../scoring/policy.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";

const { questionnaire } = readConfig();
const features = new Features(questionnaire);
const [amount, term] = [13, 14];
const row = features.matrix([{ answers: EXAMPLE, atMs: Date.UTC(2026, 10, 25) }]);

function rulesOf(...conditions: readonly Condition[]) {
  const rules = conditions.map((when, index) => ({
    id: `rule_${index}`,
    effect: "forbid" as const,
    when,
    reason: { ru: "Нельзя", en: "No" },
  }));
  return compileRules(rules, { questionnaire, features, loanColumns: [amount, term] });
}

function meets(when: Condition, asked: { row?: Float32Array; payment?: number } = {}): boolean {
  return rulesOf(when).every(({ test }) => test({ row, payment: NaN, ...asked }));
}

const bound = fc.constantFrom("above", "atLeast", "below", "atMost");
const comparison = fc.oneof(
  fc.record({
    value: fc.constantFrom("loan_amount", "payment_to_income", "monthly_payment", "monthprofit"),
    bound,
    limit: fc.oneof(
      fc.integer({ min: 0, max: 400_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
  }).map(({ value, bound, limit }): Condition => ({ value, [bound]: limit })),
  fc.record({ bound, limit: fc.double({ min: 0, max: 0.3, noNaN: true }) }).map((
    { bound, limit },
  ): Condition => ({ value: "payment", per: "monthprofit", [bound]: limit })),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ one: Condition }>((tie) => ({
  one: fc.oneof(
    { depthSize: "small" },
    comparison,
    fc.array(tie("one"), { minLength: 1, maxLength: 3 }).map((all): Condition => ({ all })),
    fc.array(tie("one"), { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
    tie("one").map((not): Condition => ({ not })),
  ),
})).one;

Deno.test("allowedRanges() are the amounts that no rule meets when each is asked about", () => {
  const count = 300;
  fc.assert(
    fc.property(fc.array(condition, { maxLength: 3 }), (conditions) => {
      const rules = rulesOf(...conditions);
      const at = (index: number) => ({
        row: features.withValues(row, [[amount, 1000 * (index + 1)]]),
        payment: 60 * (index + 1),
      });
      const allowed = new Set<number>();
      for (const [from, to] of allowedRanges(rules, { count, at })) {
        for (let index = from; index <= to; index++) allowed.add(index);
      }
      for (let index = 0; index < count; index++) {
        assert.equal(allowed.has(index), !rules.some(({ test }) => test(at(index))), `${index}`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("a comparison with a missing value does not hold, and missing holds", () => {
  const without = features.matrix([{ answers: {}, atMs: 0 }]);
  for (const test of [{ above: 0 }, { below: 1e9 }, { atLeast: 0 }, { atMost: 1e9 }]) {
    assert.equal(meets({ value: "monthprofit", ...test }, { row: without }), false);
  }
  assert.equal(meets({ value: "monthprofit", missing: true }, { row: without }), true);
  assert.equal(meets({ value: "monthprofit", missing: true }), false);
});

Deno.test("a field and its feature are one value, and bounds stand together", () => {
  assert.equal(meets({ value: "birthdate", atLeast: 38, below: 39 }), true);
  assert.equal(meets({ value: "age_years", atLeast: 39 }), false);
});

Deno.test("a category is compared by its answer, however that is written", () => {
  assert.equal(meets({ value: "goods_category", is: ["travel", "FURNITURE"] }), true);
  assert.equal(meets({ value: "goods_category", is: ["Travel"] }), false);
});

Deno.test("a value per another one is missing where that is not above 0", () => {
  const poor = features.withValues(row, [[features.names.indexOf("monthprofit"), 0]]);
  const half: Condition = { value: "payment", per: "monthprofit", above: 0.5 };
  assert.equal(meets(half, { payment: 100_000 }), true);
  assert.equal(meets(half, { payment: 80_000 }), false);
  assert.equal(meets(half, { payment: 100_000, row: poor }), false);
});
