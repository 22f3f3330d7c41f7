import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "../../queue/retry.ts";

Deno.test("backoffMs() is a whole number of milliseconds below the bound of its attempt", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 1000, max: 100_000 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (attempt, base, max, random) => {
      const delay = backoffMs(attempt, { base, max, random });
      assert.ok(Number.isInteger(delay) && delay >= 0);
      assert.ok(delay <= max && delay <= base * 2 ** (attempt - 1));
    },
  ));
});

Deno.test("backoffMs() doubles its bound with each attempt", () => {
  const delays = [1, 2, 3, 4, 5].map((attempt) =>
    backoffMs(attempt, { base: 100, max: 1000, random: 0.999 })
  );
  assert.deepEqual(delays, [99, 199, 399, 799, 999]);
});
