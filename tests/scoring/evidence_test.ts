import assert from "node:assert/strict";
import { type Banks, ConfigError } from "../../configs/mod.ts";
import { banksWithoutEvidence, type Evidence } from "../../scoring/evidence.ts";

const OVERRIDE = { who: "A. Person", why: "pilot without decisions yet", when: "2026-01-31" };

function banks(...overridden: boolean[]): Banks {
  return {
    models: "../models/1",
    banks: overridden.map((override, index) => ({
      id: `bank_${index}`,
      title: { ru: "Банк", en: "Bank" },
      model: `model_${index}`,
      products: [],
      ...override && { override: OVERRIDE },
    })),
  };
}

function evidence(signal: boolean): Evidence {
  return { signal, auc: 0.511, low: 0.495, high: 0.527, threshold: 0.52 };
}

Deno.test("banksWithoutEvidence() is empty where every model shows a signal", () => {
  const found = new Map([["model_0", evidence(true)]]);
  assert.deepEqual(banksWithoutEvidence(banks(false), found), []);
});

Deno.test("banksWithoutEvidence() refuses a model without a signal, naming bank and interval", () => {
  const found = new Map([["model_0", evidence(true)], ["model_1", evidence(false)]]);
  assert.throws(() => banksWithoutEvidence(banks(false, false), found), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(
      error.message,
      /bank_1: model model_1: no evidence of signal: AUC 0\.511, 95 % interval 0\.495 to 0\.527/,
    );
    assert.match(error.message, /lower end must exceed 0\.52/);
    assert.doesNotMatch(error.message, /bank_0/);
    return true;
  });
});

Deno.test("banksWithoutEvidence() refuses a model that nobody judged", () => {
  assert.throws(
    () => banksWithoutEvidence(banks(false), new Map()),
    /bank_0: model model_0: no evidence is recorded in manifest\.json/,
  );
});

Deno.test("banksWithoutEvidence() names the banks that an override lets through", () => {
  const found = new Map([["model_0", evidence(true)], ["model_1", evidence(false)]]);
  assert.deepEqual(banksWithoutEvidence(banks(true, true, true), found), ["bank_1", "bank_2"]);
});
