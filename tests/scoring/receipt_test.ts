import assert from "node:assert/strict";
import { inputSha256, replay } from "../../scoring/receipt.ts";
import { APPLIED_AT_MS } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";

const config = readConfig();
const models = await readModels(config);
const { fields } = config.questionnaire;
const APPLICATION = { answers: { ...EXAMPLE }, atMs: APPLIED_AT_MS };
const stored = await newDecider(config, models).decide(APPLICATION);

Deno.test("the receipt names the input, the models, the policy and every contribution", () => {
  const { receipt, banks } = stored;
  assert.equal(receipt.asOfMs, APPLIED_AT_MS);
  assert.equal(receipt.inputSha256, inputSha256(EXAMPLE, { asOfMs: APPLIED_AT_MS, fields }));
  assert.deepEqual(
    Object.values(receipt.model.onnxSha256),
    models.bundle.models.map(({ onnxSha256 }) => onnxSha256),
  );
  for (const bank of banks) {
    assert.ok(bank.status === "decided" && bank.explanation);
    const contributions = receipt.contributions[bank.bank] ?? [];
    assert.equal(contributions.length, models.features.names.length);
    const sum = contributions.reduce((total, one) => total + one, bank.explanation.base);
    assert.ok(Math.abs(sum - bank.explanation.logOdds) < 1e-9);
  }
});

Deno.test("inputSha256() depends on answers and time, not on the order or on fields that the questionnaire has not", () => {
  const sha = (answers: object, asOfMs = 0) => inputSha256({ ...answers }, { asOfMs, fields });
  const reversed = Object.fromEntries(Object.entries(EXAMPLE).reverse());
  assert.equal(sha(EXAMPLE), sha(reversed));
  assert.equal(sha(EXAMPLE), sha({ ...EXAMPLE, other: 1 }));
  assert.equal(sha({}), sha({ snils: null }));
  assert.notEqual(sha(EXAMPLE), sha({ ...EXAMPLE, snils: 1 }));
  assert.notEqual(sha(EXAMPLE), sha(EXAMPLE, 1));
});

Deno.test("replay() of the same is the same, as stored and read again", async () => {
  const again = await newDecider(config, models).decide(APPLICATION);
  assert.deepEqual(replay(JSON.parse(JSON.stringify(stored)), again), {
    verdicts: ["same"],
    sameOutcome: true,
    probabilities: {},
  });
});

Deno.test("replay() says that the model changed, and which probabilities with it", async () => {
  const [a, ...rest] = models.bundle.models;
  assert.ok(a);
  const other = {
    ...models,
    bundle: { ...models.bundle, models: [{ ...a, onnxSha256: "0".repeat(64) }, ...rest] },
    models: {
      ...models.models,
      inspect: async (inspection: Parameters<typeof models.models.inspect>[0]) => {
        const [first, ...others] = await models.models.inspect(inspection);
        assert.ok(first && "view" in first);
        return [
          { view: { ...first.view, probabilities: first.view.probabilities.map(() => 0.5) } },
          ...others,
        ];
      },
    },
  };
  const again = await newDecider(config, other).decide(APPLICATION);
  const { verdicts, sameOutcome, probabilities } = replay(stored, again);
  assert.deepEqual([verdicts, sameOutcome], [["model_changed"], false]);
  assert.deepEqual(Object.keys(probabilities), ["bank_a"]);
  assert.equal(probabilities.bank_a?.is, 0.5);
});

Deno.test("replay() says that the policy changed, even where its version was forgotten", async () => {
  for (const change of [{ version: `${config.policy.version}a` }, { target: 0.65 }]) {
    const changed = { ...config, policy: { ...config.policy, ...change } };
    const again = await newDecider(changed, models).decide(APPLICATION);
    assert.deepEqual(replay(stored, again).verdicts, ["policy_changed"]);
  }
});

Deno.test("replay() names every change, another input too, and a difference that nothing explains", async () => {
  const later = await newDecider(config, models).decide({ ...APPLICATION, atMs: 0 });
  assert.deepEqual(replay(stored, later).verdicts, ["input_changed"]);
  const odd = { ...stored, asOf: new Date(0).toISOString() };
  assert.deepEqual(replay(stored, odd).verdicts, ["program_changed"]);
});
