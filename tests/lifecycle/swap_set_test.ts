import assert from "node:assert/strict";
import fc from "fast-check";
import { CELLS, type Compared, SwapSet, type SwapSetReport } from "../../lifecycle/mod.ts";

const view = fc.record({
  probability: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(NaN)),
  advised: fc.boolean(),
});
const compared: fc.Arbitrary<Compared> = fc.record(
  { before: view, after: view, approved: fc.boolean() },
  { requiredKeys: ["before", "after"] },
);

function reportOf(all: readonly Compared[]): SwapSetReport {
  const swap = new SwapSet();
  for (const one of all) swap.add(one);
  return swap.report();
}

Deno.test("SwapSet puts each application in one cell, and counts each known decision once", () => {
  fc.assert(fc.property(fc.array(compared), (all) => {
    const cells = CELLS.map((name) => reportOf(all).cells[name]);
    const sum = (of: (cell: typeof cells[number]) => number) =>
      cells.reduce((total, cell) => total + of(cell), 0);
    assert.equal(sum(({ applications }) => applications), all.length);
    const known = all.filter(({ approved }) => approved !== undefined);
    assert.equal(sum(({ outcomes }) => outcomes.known), known.length);
    assert.equal(
      sum(({ outcomes }) => outcomes.approved),
      known.filter(({ approved }) => approved).length,
    );
  }));
});

Deno.test("SwapSet of the change back has its cells and its sides exchanged", () => {
  fc.assert(fc.property(fc.array(compared), (all) => {
    const there = reportOf(all);
    const back = reportOf(all.map(({ before, after, ...rest }) => ({
      ...{ before: after, after: before },
      ...rest,
    })));
    assert.deepEqual(back.cells.in.applications, there.cells.out.applications);
    assert.deepEqual(back.cells.out.outcomes, there.cells.in.outcomes);
    assert.equal(back.cells.out.expected.before, there.cells.in.expected.after);
    assert.equal(back.brier?.before, there.brier?.after);
  }));
});

Deno.test("SwapSet tells what was expected and what is known to have come of it", () => {
  const advised = (probability: number) => ({ probability, advised: true });
  const not = (probability: number) => ({ probability, advised: false });
  const { cells, brier } = reportOf([
    { before: not(0.4), after: advised(0.8), approved: true },
    { before: not(0.2), after: advised(0.6), approved: false },
    { before: not(0.3), after: advised(NaN) },
    { before: advised(0.9), after: not(0.1), approved: true },
  ]);
  const close = (found: number | undefined, wanted: number) =>
    assert.ok(Math.abs((found ?? NaN) - wanted) < 1e-12, `${found}, must be ${wanted}`);
  assert.equal(cells.in.applications, 3);
  close(cells.in.expected.before, 0.3);
  close(cells.in.expected.after, 0.7);
  assert.equal(cells.in.outcomes.rate?.value, 0.5);
  assert.equal(cells.kept.applications, 0);
  assert.deepEqual(cells.kept.expected, {});
  assert.deepEqual(cells.kept.outcomes, { known: 0, approved: 0 });
  assert.equal(brier?.known, 3);
  close(brier?.before, (0.6 ** 2 + 0.2 ** 2 + 0.1 ** 2) / 3);
  close(brier?.after, (0.2 ** 2 + 0.6 ** 2 + 0.9 ** 2) / 3);
});
