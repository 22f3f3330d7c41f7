import assert from "node:assert/strict";
import fc from "fast-check";
import { intervalOf, oddsOf } from "../../scoring/odds.ts";
import { readConfig } from "../support/service.ts";

const { policy } = readConfig();
const BAND = { level: 0.9, edges: [0.3, 0.7], below: [0.1, 0.2, 0.05], above: [0.05, 0.1, 0.4] };
const SURE = {
  interval: { low: 0.4, high: 0.5, level: 0.9 },
  withoutEvidence: false,
  answeredShare: 1,
};

Deno.test("intervalOf() takes the bin that begins at its lower edge, and stays within 0 and 1", () => {
  assert.deepEqual(intervalOf(0.25, BAND), { low: 0.15, high: 0.3, level: 0.9 });
  assert.equal(intervalOf(0.3, BAND).low, 0.09999999999999998);
  assert.deepEqual(intervalOf(0.05, BAND).low, 0);
  assert.equal(intervalOf(0.9, BAND).high, 1);
  fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (probability) => {
    const { low, high } = intervalOf(probability, BAND);
    assert.ok(low >= 0 && low <= probability && probability <= high && high <= 1);
  }));
});

Deno.test("oddsOf() names the band that a probability lies in, from poor to excellent", () => {
  const bands = [0, 0.199, 0.2, 0.4, 0.6, 0.799, 0.8, 1]
    .map((probability) => oddsOf(probability, SURE, policy).band);
  assert.deepEqual(bands, [
    "poor",
    "poor",
    "fair",
    "good",
    "very_good",
    "very_good",
    "excellent",
    "excellent",
  ]);
});

for (
  const [why, sureness] of [
    ["no_evidence", { withoutEvidence: true }],
    ["no_interval", { interval: undefined }],
    ["wide_interval", { interval: { low: 0.1, high: 0.9, level: 0.9 } }],
    ["too_few_answers", { answeredShare: 0.1 }],
  ] as const
) {
  Deno.test(`oddsOf() says insufficient_data: ${why}`, () => {
    const { band, insufficient, title } = oddsOf(0.5, { ...SURE, ...sureness }, policy);
    assert.deepEqual([band, insufficient], ["insufficient_data", why]);
    assert.ok(title.ru.startsWith("Данных мало"));
  });
}

Deno.test("no text of the decision layer promises an approval", async () => {
  const texts = await Deno.readTextFile(new URL("../../scoring/texts.ts", import.meta.url));
  const configured = ["policy.json", "questionnaire.json"].map((name) =>
    Deno.readTextFileSync(new URL(`../../configs/${name}`, import.meta.url))
  );
  for (const text of [texts, ...configured]) {
    assert.doesNotMatch(text, /pre-?approved|guarantee|предодобрен|одобрим|гарант/i);
  }
});
