import assert from "node:assert/strict";
import fc from "fast-check";
import { findChanges, type Judged, REFERENCE } from "../../analytics/change_points.ts";
import { type Errors, makeBank, seeded, type Shift } from "../../bench/change_points/world.ts";

/** Two questions: one with a fifth of the clients in its last bin, as the self-employed are. */
const SHARES = [[0.05, 0.1, 0.65, 0.2], [0.3, 0.3, 0.4]];
const SELF_EMPLOYED = { split: 0, bin: 3 };
const ERRORS: Errors = { bank: 0.2, segment: 0.1, client: 0.3 };
const BANKS = 40;

/** Of banks that change after the reference and 500 more decisions: how soon each was found. */
function found(shift: Shift) {
  const changedAt = REFERENCE + 500;
  return Array.from({ length: BANKS }, (_, seed) => {
    const bank = makeBank({ random: seeded(seed), shares: SHARES, errors: ERRORS, shift });
    const decisions = Array.from(
      { length: changedAt + 300 },
      (_, at) => bank.decide(at >= changedAt),
    );
    return findChanges(decisions).filter((change) => change.found >= changedAt)
      .map((change) => ({ ...change, late: change.since - changedAt }));
  });
}

Deno.test("a bank that approves 20 points fewer of all is found within 300 of its applications", () => {
  const banks = found({ points: -0.2 });
  assert.ok(banks.filter(([first]) => first !== undefined).length >= 0.95 * BANKS);
  const firsts = banks.flatMap(([first]) => first ?? []);
  assert.ok(firsts.every(({ direction }) => direction === "tightened"));
  assert.ok(firsts.filter(({ segment }) => segment === undefined).length >= 0.8 * firsts.length);
  const late = firsts.map(({ late }) => Math.abs(late)).sort((a, b) => a - b);
  assert.ok((late[BANKS / 2] ?? Infinity) <= 30, `the date is off by ${late[BANKS / 2]} decisions`);
});

Deno.test("a bank that approves 50 points fewer of the self-employed is found, and they are named", () => {
  const firsts = found({ points: -0.5, segment: SELF_EMPLOYED }).flatMap(([first]) => first ?? []);
  assert.ok(firsts.length >= 0.9 * BANKS);
  const named = firsts.filter(({ segment }) => segment?.split === 0 && segment.bin === 3);
  assert.ok(named.length >= 0.85 * firsts.length);
  assert.ok(named.every(({ expected, approved }) => approved < expected));
});

Deno.test("a bank that approves more is found to have loosened", () => {
  const firsts = found({ points: 0.2 }).flatMap(([first]) => first ?? []);
  assert.ok(firsts.length >= 0.9 * BANKS);
  assert.ok(firsts.every(({ direction }) => direction === "loosened"));
});

Deno.test("where nothing changes there is at most one false alarm in 10,000 applications, though estimates are off", () => {
  const alarms = Array.from({ length: 20 }, (_, seed) => {
    const bank = makeBank({ random: seeded(100 + seed), shares: SHARES, errors: ERRORS });
    return findChanges(Array.from({ length: REFERENCE + 10_000 }, () => bank.decide(false)));
  });
  assert.ok(alarms.flat().length <= alarms.length, `${alarms.flat().length} false alarms`);
});

Deno.test("estimates that are all too high by the same are no change", () => {
  const random = seeded(7);
  const decisions: Judged[] = Array.from({ length: 5000 }, () => ({
    probability: 0.8,
    approved: random() < 0.5,
    decidedAtMs: 0,
    bins: Uint8Array.of(1),
  }));
  assert.deepEqual(findChanges(decisions), []);
});

Deno.test("whatever is decided, a change lies within the decisions, after the one before", () => {
  const judged: fc.Arbitrary<Judged> = fc.record({
    probability: fc.constantFrom(0, 0.1, 0.5, 1),
    approved: fc.boolean(),
    decidedAtMs: fc.constant(0),
    bins: fc.array(fc.nat(2), { minLength: 2, maxLength: 2 }),
  });
  const runs = fc.array(fc.tuple(judged, fc.integer({ min: 1, max: 700 })), { maxLength: 6 });
  fc.assert(fc.property(runs, (parts) => {
    const decisions = parts.flatMap(([one, times]) => Array<Judged>(times).fill(one));
    let before = 0;
    for (const { since, found, decisions: count, expected, approved } of findChanges(decisions)) {
      assert.ok(since >= before + REFERENCE && found >= since && found < decisions.length);
      assert.ok(count >= 1 && count <= found - since + 1);
      assert.ok(expected > 0 && expected < 1 && approved >= 0 && approved <= 1);
      before = since;
    }
  }));
});
