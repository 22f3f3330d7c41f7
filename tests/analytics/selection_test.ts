import assert from "node:assert/strict";
import fc from "fast-check";
import { MOST_WEIGHT, Selection } from "../../analytics/mod.ts";

const applications = fc.array(
  fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), isKnown: fc.boolean() }),
  { maxLength: 300 },
);

function selectionOf(all: readonly { probability: number; isKnown: boolean }[]): Selection {
  const selection = new Selection();
  for (const { probability, isKnown } of all) selection.add(probability, isKnown);
  return selection;
}

Deno.test("the weights of the known sum to the share of applications that they stand for", () => {
  fc.assert(fc.property(applications, (all) => {
    const selection = selectionOf(all);
    const { applications, known, clipped, unseen, effective } = selection.report();
    assert.equal(applications, all.length);
    const weights = all.filter(({ isKnown }) => isKnown)
      .map(({ probability }) => selection.weight(probability));
    assert.equal(known, weights.length);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (known > 0 && clipped === 0) {
      assert.ok(Math.abs(sum - known * (1 - unseen / applications)) < 1e-6 * known + 1e-9);
    }
    assert.ok(weights.every((weight) => weight > 0 && weight <= MOST_WEIGHT));
    assert.ok(effective <= known + 1e-9);
  }));
});

Deno.test("who is sent more seldom counts for more, up to a limit", () => {
  const all = Array.from({ length: 1000 }, (_, at) => ({
    probability: at < 500 ? 0.22 : 0.77,
    isKnown: at < 500 ? at % 50 === 0 : at % 2 === 0,
  }));
  const selection = selectionOf(all);
  const [low, high] = [selection.weight(0.22), selection.weight(0.77)];
  assert.ok(Math.abs(low / high - 25) < 1e-9 || low === MOST_WEIGHT);
  assert.equal(low, MOST_WEIGHT);
  assert.equal(selection.report().clipped, 10);
  assert.equal(selection.weight(0.5), 1, "nothing is known there");
});

Deno.test("where all are known, or as many everywhere, each stands for itself", () => {
  const all = Array.from({ length: 400 }, (_, at) => ({
    probability: (at % 4) / 4 + 0.01,
    isKnown: at < 200,
  }));
  const selection = selectionOf(all);
  for (const probability of [0.01, 0.26, 0.51, 0.76]) {
    assert.equal(selection.weight(probability), 1);
  }
  assert.equal(selection.report().effective, 200);
});
