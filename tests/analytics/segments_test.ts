import assert from "node:assert/strict";
import fc from "fast-check";
import { binsReader, splitsOf } from "../../analytics/mod.ts";
import { decodeBins, encodeBins } from "../../analytics/segments.ts";
import { readConfig } from "../support/service.ts";

const { questionnaire } = readConfig();
const splits = splitsOf(questionnaire);
const binsOf = binsReader(questionnaire);

/** The title of the bin that an answer comes into. */
function binOf(field: string, answer: string | number | null): string | undefined {
  const split = splits.findIndex(({ id }) => id === field);
  const bins = binsOf({ answers: { [field]: answer }, atMs: 0 });
  return splits[split]?.bins[bins[split] ?? -1]?.title.en;
}

Deno.test("an answer comes into its own bin, none into the first, one that is not listed into the last", () => {
  for (const { id, meaning } of questionnaire.fields) {
    if (meaning.kind !== "category") continue;
    for (const { value, label } of meaning.values) assert.equal(binOf(id, value), label.en);
    assert.equal(binOf(id, null), "no answer");
    assert.equal(binOf(id, "?"), "another answer");
  }
  assert.ok(splits.length >= 5);
});

Deno.test("stored bins are read again, and what was not stored has no answer", () => {
  fc.assert(fc.property(fc.array(fc.nat(61), { maxLength: 20 }), (bins) => {
    const text = encodeBins(Uint8Array.from(bins));
    assert.deepEqual([...decodeBins(JSON.parse(JSON.stringify(text)), bins.length)], bins);
  }));
  assert.deepEqual([...decodeBins("", 2)], [0, 0]);
});
