import assert from "node:assert/strict";
import fc from "fast-check";
import { normalCdf, normalQuantile } from "../../scoring/normal.ts";
import golden from "./golden/normal.json" with { type: "json" };

Deno.test("normalCdf() equals SciPy's to 1e-15", () => {
  for (const [x = NaN, expected = NaN] of golden.cdf) {
    assert.ok(Math.abs(normalCdf(x) - expected) <= 1e-15, `${x}: ${normalCdf(x)}, ${expected}`);
  }
});

Deno.test("normalQuantile() equals SciPy's to a relative 1e-14", () => {
  for (const [p = NaN, expected = NaN] of golden.quantile) {
    const found = normalQuantile(p);
    assert.ok(Math.abs(found - expected) <= 1e-14 * Math.abs(expected), `${p}: ${found}`);
  }
});

Deno.test("normalQuantile() of certainty is infinite, and normalCdf() takes that back", () => {
  assert.deepEqual([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity]);
  assert.deepEqual([normalCdf(-Infinity), normalCdf(Infinity)], [0, 1]);
});

Deno.test("normalCdf() undoes normalQuantile()", () => {
  const probability = fc.double({ min: 1e-9, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(probability, (p) => {
    assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-14);
  }));
});

Deno.test("normalCdf() mirrors: both tails add up to 1", () => {
  fc.assert(fc.property(fc.double({ min: -40, max: 40, noNaN: true }), (x) => {
    assert.ok(Math.abs(normalCdf(x) + normalCdf(-x) - 1) < 1e-15);
  }));
});
