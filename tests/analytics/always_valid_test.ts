import assert from "node:assert/strict";
import fc from "fast-check";
import { alwaysValid } from "../../analytics/always_valid.ts";
import { seeded } from "../../bench/change_points/world.ts";
import { bankLedger } from "../../analytics/mod.ts";
import { wilson } from "../../lifecycle/mod.ts";
import { readConfig } from "../support/service.ts";

const { policy: { odds: bands }, banks: { banks } } = readConfig();
const [bank = assert.fail("there is a bank")] = banks;

Deno.test("the interval holds the share, is within 0 and 1, and narrows", () => {
  fc.assert(fc.property(fc.nat(500), fc.nat(500), (approved, refused) => {
    const found = alwaysValid(approved, approved + refused);
    if (approved + refused === 0) return assert.equal(found, undefined);
    const { value, low, high } = found ?? assert.fail("there is an interval");
    assert.ok(0 <= low && low <= value && value <= high && high <= 1);
    const more = alwaysValid(10 * approved, 10 * (approved + refused));
    assert.ok((more?.high ?? 1) - (more?.low ?? 0) < high - low);
  }));
});

Deno.test("its ends are where the mixture's likelihood ratio is 20", () => {
  // With 3 of 10: B(4, 8) = 3! 7! / 11!.
  const { low = NaN, high = NaN } = alwaysValid(3, 10) ?? {};
  const mixture = 6 * 5040 / 39_916_800;
  for (const share of [low, high]) {
    assert.ok(Math.abs(mixture / (share ** 3 * (1 - share) ** 7) - 20) < 1e-6);
  }
});

Deno.test("read after every decision, a good band is called overstated no more often than stated, by Wilson's interval far more", () => {
  const [banksWatched, decisions] = [300, 1000];
  const random = seeded(11);
  const called = { always: 0, wilson: 0 };
  for (let run = 0; run < banksWatched; run++) {
    // Clients at the lower end of "good", as hard a case as there is.
    const share = 0.4;
    let approved = 0;
    const wrong = { always: false, wilson: false };
    for (let n = 1; n <= decisions; n++) {
      if (random() < share) approved++;
      if (n < 30 || approved / n >= share) continue;
      const once = wilson(approved, n);
      wrong.wilson ||= once !== undefined && once.high < share;
      const [band] = bankLedger(bank, {
        counts: [{ probability: 0.45, approved, refused: n - approved }],
        bands,
      })
        .bands;
      wrong.always ||= band?.state === "overstated";
    }
    called.always += Number(wrong.always);
    called.wilson += Number(wrong.wilson);
  }
  assert.ok(called.always <= 0.05 * banksWatched, `${called.always} of ${banksWatched}`);
  assert.ok(called.wilson > 0.1 * banksWatched, `${called.wilson} of ${banksWatched}`);
});
