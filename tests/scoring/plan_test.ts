import assert from "node:assert/strict";
import fc from "fast-check";
import { normalQuantile } from "../../scoring/normal.ts";
import { type Candidate, EXACT_BANKS, planApplications } from "../../scoring/plan.ts";
import { Random } from "../queue/simulation/random.ts";
import golden from "./golden/normal.json" with { type: "json" };

const COSTS = { mostBanks: 3, inquiryCost: 300, approvalValue: 5_000 };
/** Rounding: values are in the thousands. */
const TINY = 1e-8;

function candidates(probabilities: readonly number[], loadings: readonly number[] = []) {
  return probabilities.map((probability, at): Candidate => ({
    bank: `bank_${at}`,
    probability,
    loading: loadings[at] ?? 0,
  }));
}

function refusalOfAll(banks: readonly Candidate[]): number {
  return 1 - planApplications(banks, COSTS).comparisons.allAtOnce.probabilityOfAny;
}

function close(found: number, expected: number, tolerance = 1e-12): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} must be ${expected}`);
}

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const loading = fc.oneof(
  fc.double({ min: -0.95, max: 0.95, noNaN: true }),
  fc.constantFrom(-1, 0, 1),
);
const banksOf = (maxLength: number) =>
  fc.array(fc.tuple(probability, loading), { maxLength }).map((pairs) =>
    candidates(pairs.map(([p]) => p), pairs.map(([, l]) => l))
  );
/** From 0 to `max`, in whole hundredths: of costs near the least number that there is, sums are noise. */
function kopecks(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 100 * max }).map((count) => count / 100);
}

const costs = fc.record({
  mostBanks: fc.integer({ min: 1, max: 6 }),
  inquiryCost: kopecks(3_000),
  approvalValue: kopecks(10_000),
});

Deno.test("planApplications() takes banks without loadings as independent", () => {
  const plan = planApplications(candidates([0.2, 0.5, 0.4]), COSTS);
  assert.deepEqual(plan.banks, ["bank_1", "bank_2", "bank_0"]);
  close(plan.probabilityOfAny, 1 - 0.5 * 0.6 * 0.8);
  close(plan.expectedInquiries, 1 + 0.5 + 0.5 * 0.6);
  close(plan.expectedValue, 5_000 * 0.76 - 300 * 1.8, TINY);
  assert.deepEqual(plan.comparisons.independent, {
    banks: plan.banks,
    probabilityOfAny: plan.probabilityOfAny,
    expectedInquiries: plan.expectedInquiries,
    expectedValue: plan.expectedValue,
  });
});

Deno.test("planApplications() knows that banks in full agreement refuse together", () => {
  const agreeing = candidates([0.3, 0.55, 0.1], [1, 1, 1]);
  close(refusalOfAll(agreeing), 0.45);
  assert.deepEqual(planApplications(agreeing, COSTS).banks, ["bank_1"]);
  close(refusalOfAll(candidates([0.3, 0.55], [1, -1])), 0.15);
  assert.equal(planApplications(candidates([0.3, 0.8], [1, -1]), COSTS).probabilityOfAny, 1);
});

Deno.test("planApplications() equals the bivariate normal distribution", () => {
  for (const { probabilities, loadings, refusal } of golden.pairs) {
    close(refusalOfAll(candidates(probabilities, loadings)), refusal, 1e-9);
  }
});

Deno.test("planApplications() equals an adaptive quadrature for three and five banks", () => {
  for (const { probabilities, loadings, refusal } of golden.several) {
    close(refusalOfAll(candidates(probabilities, loadings)), refusal, 1e-9);
  }
});

Deno.test("planApplications() agrees with draws of clients", () => {
  const banks = candidates([0.35, 0.5, 0.15, 0.6, 0.42], [0.43, 0.46, 0.28, -0.5, 0.7]);
  const plan = planApplications(banks, { ...COSTS, mostBanks: 5, inquiryCost: 50 });
  assert.equal(plan.banks.length, 5);
  const random = new Random(7);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const asked = plan.banks.flatMap((id) => banks.filter(({ bank }) => bank === id))
    .map(({ probability, loading }) => ({ margin: normalQuantile(probability), loading }));
  const clients = 100_000;
  let [approved, inquiries] = [0, 0];
  for (let client = 0; client < clients; client++) {
    const factor = normal();
    const at = asked.findIndex(({ margin, loading }) =>
      margin + loading * factor + Math.sqrt(1 - loading ** 2) * normal() > 0
    );
    approved += at < 0 ? 0 : 1;
    inquiries += at < 0 ? asked.length : at + 1;
  }
  // Four standard errors; a client's number of inquiries has a standard deviation below 2.
  close(plan.probabilityOfAny, approved / clients, 4 * Math.sqrt(0.25 / clients));
  close(plan.expectedInquiries, inquiries / clients, 4 * Math.sqrt(4 / clients));
});

Deno.test("planApplications() finds the best of all orders of all sets", () => {
  fc.assert(
    fc.property(banksOf(5), costs, (banks, costs) => {
      const values = ordersOf(banks, costs.mostBanks).map((order) => valueOf(order, costs));
      close(planApplications(banks, costs).expectedValue, Math.max(...values), TINY);
    }),
    { numRuns: 40 },
  );
});

/** All orders of all sets of at most `most`. */
function ordersOf(banks: readonly Candidate[], most: number): readonly (readonly Candidate[])[] {
  if (most === 0) return [[]];
  return [
    [],
    ...banks.flatMap((first) =>
      ordersOf(banks.filter((one) => one !== first), most - 1).map((rest) => [first, ...rest])
    ),
  ];
}

/** Of asking in this order, from the chances that the first ones refuse together. */
function valueOf(order: readonly Candidate[], costs: typeof COSTS): number {
  const refusals = [1, ...order.map((_, at) => refusalOfAll(order.slice(0, at + 1)))];
  const inquiries = refusals.slice(0, -1).reduce((sum, chance) => sum + chance, 0);
  return costs.approvalValue * (1 - (refusals.at(-1) ?? 1)) - costs.inquiryCost * inquiries;
}

Deno.test("planApplications() is never worse than the best single bank or the independent plan", () => {
  fc.assert(fc.property(banksOf(16), costs, (banks, costs) => {
    const { expectedValue, comparisons } = planApplications(banks, costs);
    assert.ok(expectedValue >= 0);
    assert.ok(expectedValue >= comparisons.bestSingle.expectedValue - TINY);
    if (banks.length > EXACT_BANKS) return;
    assert.ok(expectedValue >= comparisons.independent.expectedValue - TINY);
    if (banks.length > costs.mostBanks) return;
    assert.ok(expectedValue >= comparisons.allAtOnce.expectedValue - TINY);
  }));
});

Deno.test("planApplications() loses no value by a bank more", () => {
  fc.assert(fc.property(banksOf(7), costs, (banks, costs) => {
    const fewer = planApplications(banks.slice(1), costs);
    const more = planApplications(banks, costs);
    assert.ok(more.expectedValue >= fewer.expectedValue - TINY);
  }));
});

Deno.test("planApplications() gives the same value in whichever order the banks come", () => {
  const shuffled = banksOf(7).chain((banks) =>
    fc.shuffledSubarray(banks, { minLength: banks.length }).map((other) => [banks, other] as const)
  );
  fc.assert(fc.property(shuffled, costs, ([banks, other], costs) => {
    const [one, two] = [planApplications(banks, costs), planApplications(other, costs)];
    close(one.expectedValue, two.expectedValue, TINY);
  }));
});

Deno.test("planApplications() loses no value by a likelier bank", () => {
  fc.assert(fc.property(banksOf(7), costs, fc.nat(6), probability, (banks, costs, at, chance) => {
    const likelier = banks.map((one, index) =>
      index === at ? { ...one, probability: Math.max(one.probability, chance) } : one
    );
    const before = planApplications(banks, costs).expectedValue;
    assert.ok(planApplications(likelier, costs).expectedValue >= before - TINY);
  }));
});

Deno.test("planApplications() of many banks is exact where their loadings are equal", () => {
  const many = fc.tuple(fc.array(probability, { minLength: 14, maxLength: 20 }), loading);
  fc.assert(
    fc.property(many, costs, ([probabilities, shared], costs) => {
      const banks = candidates(probabilities, probabilities.map(() => shared));
      const two = { ...costs, mostBanks: 2 };
      const pairs = banks.flatMap((one, at) =>
        banks.slice(at + 1).map((other) => planApplications([one, other], two).expectedValue)
      );
      close(planApplications(banks, two).expectedValue, Math.max(...pairs), TINY);
    }),
    { numRuns: 10 },
  );
});

Deno.test("planApplications() asks nobody where no approval is worth an inquiry", () => {
  const plan = planApplications(candidates([0.05, 0.02]), COSTS);
  assert.deepEqual([plan.banks, plan.probabilityOfAny, plan.expectedInquiries], [[], 0, 0]);
  assert.equal(plan.expectedValue, 0);
  assert.deepEqual(plan.comparisons.bestSingle.banks, ["bank_0"]);
  assert.deepEqual(planApplications([], COSTS).comparisons.bestSingle.banks, []);
});

Deno.test("planApplications() passes over a bank that refuses whom the first one has refused", () => {
  const banks = candidates([0.6, 0.45, 0.4], [0.9, 0.9, 0]);
  const { comparisons, ...plan } = planApplications(banks, { ...COSTS, mostBanks: 2 });
  assert.deepEqual(plan.banks, ["bank_0", "bank_2"]);
  assert.deepEqual(comparisons.independent.banks, ["bank_0", "bank_1"]);
  assert.ok(plan.expectedValue > comparisons.independent.expectedValue + 300);
});

Deno.test("planApplications() refuses numbers outside their ranges, and names the bank", () => {
  for (const wrong of [-0.1, 1.1, NaN]) {
    assert.throws(
      () => planApplications(candidates([wrong]), COSTS),
      /^RangeError: Cannot plan with bank_0: its probability is .*, must be from 0 to 1$/,
    );
  }
  assert.throws(
    () => planApplications(candidates([0.5], [1.5]), COSTS),
    /^RangeError: Cannot plan with bank_0: its loading is 1.5, must be from -1 to 1$/,
  );
});
