import assert from "node:assert/strict";
import { ConfigError, loadTrainingConfig } from "../../configs/mod.ts";
import { Features } from "../../scoring/features.ts";

const FOLDER = new URL("../../configs/", import.meta.url);

// deno-lint-ignore no-explicit-any -- tests spoil the file in every way
function load(change: (training: any) => void = () => {}) {
  return loadTrainingConfig({
    folder: FOLDER,
    readText(file) {
      const text = Deno.readTextFileSync(file);
      if (!file.pathname.endsWith("training.json")) return text;
      const training = JSON.parse(text);
      change(training);
      return JSON.stringify(training);
    },
  }, (questionnaire) => new Features(questionnaire).names);
}

Deno.test("loadTrainingConfig() accepts the shipped configuration", () => {
  const { training, banks } = load();
  assert.deepEqual(Object.keys(training.decisions.columns), banks.banks.map(({ id }) => id));
});

for (
  const [what, change, expected] of [
    ["a bank without a column", (training) => {
      delete training.decisions.columns.bank_b;
    }, /decisions\.columns\.bank_b: current value is absent: must name a column/],
    ["a column of no bank", (training) => {
      training.decisions.columns.bank_z = "BankZ";
    }, /decisions\.columns\.bank_z: current value is bank_z: must be a bank: bank_a, /],
    ["directions of no bank", (training) => {
      training.monotoneByBank.bank_z = {};
    }, /monotoneByBank\.bank_z: current value is bank_z: must be a bank/],
    ["a direction of no feature", (training) => {
      training.monotone.age = "up";
    }, /monotone\.age: current value is age: must be a feature: age_years, /],
    ["a protected field that is no feature", (training) => {
      training.protected[0].feature = "sex";
    }, /protected\.0\.feature: current value is sex: must be a feature/],
    ["an unknown direction", (training) => {
      training.monotone.loan_amount = "sideways";
    }, /monotone\.loan_amount: current value is "sideways": .*"up"\|"down"/],
    ["a word that means yes and no", (training) => {
      training.decisions.denied.push(" YES ");
    }, /decisions\..*: must be unique: "yes" is at position \d+ already/],
    ["a wrong date", (training) => {
      training.appliedAt.otherwise = "2023-02-30";
    }, /appliedAt\.otherwise: current value is "2023-02-30"/],
    // deno-lint-ignore no-explicit-any -- as above
  ] as [string, (training: any) => void, RegExp][]
) {
  Deno.test(`loadTrainingConfig() refuses ${what}, saying where and what would be right`, () => {
    assert.throws(() => load(change), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, expected);
      return true;
    });
  });
}
