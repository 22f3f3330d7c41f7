import assert from "node:assert/strict";
import { ConfigError, loadConfig } from "../../configs/mod.ts";
import { policyProblems } from "../../configs/policy_checks.ts";
import { readConfig } from "../support/service.ts";

const FOLDER = new URL("../../configs/", import.meta.url);
const shipped = readConfig();

type Json = Record<string, unknown>;

function readShipped(name: string): Json {
  return JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER)));
}

/** The configuration with other files; one that is undefined does not exist. */
function load(files: Readonly<Record<string, Json | undefined>>) {
  return loadConfig({
    folder: FOLDER,
    env: {},
    readText(file) {
      const name = file.pathname.split("/").at(-1) ?? "";
      if (!Object.hasOwn(files, name)) return Deno.readTextFileSync(file);
      if (files[name] === undefined) throw new Deno.errors.NotFound(name);
      return JSON.stringify(files[name]);
    },
  });
}

function refusal(files: Readonly<Record<string, Json | undefined>>): string {
  try {
    load(files);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  throw new Error("the configuration was accepted");
}

function rule(when: Json, more: Json = {}): Json {
  return { id: "rule", effect: "forbid", when, reason: { ru: "Нельзя", en: "No" }, ...more };
}

function withRules(...rules: Json[]): Readonly<Record<string, Json>> {
  return { "policy.json": { ...readShipped("policy.json"), rules } };
}

Deno.test("the shipped policy, products and rules fit together", () => {
  assert.deepEqual(policyProblems(shipped), []);
  assert.ok(shipped.policy.rules.length >= 5);
  assert.ok(shipped.banks.banks.every(({ products }) => products.length > 0));
});

Deno.test("without policy.json the defaults stand", () => {
  const { policy } = load({ "policy.json": undefined });
  assert.deepEqual([policy.version, policy.target, policy.rules], ["0", 0.6, []]);
  assert.deepEqual(policy.odds.map(({ id }) => id), [
    "poor",
    "fair",
    "good",
    "very_good",
    "excellent",
  ]);
});

Deno.test("a file that must be there is asked for by its name", () => {
  assert.match(refusal({ "banks.json": undefined }), /banks\.json: /);
});

for (
  const [what, files, expected] of [
    [
      "a rule about an unknown field",
      withRules(rule({ value: "rent", above: 1 })),
      /policy\.json: rules\.0\.when: current value is rent: must be a field or feature: birthdate, /,
    ],
    [
      "an unknown answer of a category",
      withRules(rule({ value: "goods_category", is: ["Yacht"] })),
      /rules\.0\.when: current value is "Yacht": must be an answer of a category, and goods_category has "furniture"/,
    ],
    [
      "an answer of a number",
      withRules(rule({ value: "monthprofit", is: [1] })),
      /must be an answer of a category, and monthprofit has none/,
    ],
    [
      "a category compared by bounds",
      withRules(rule({ value: "education", below: 3 })),
      /current value is education: must be a number where it is compared by bounds/,
    ],
    [
      "a divisor that the loan changes",
      withRules(rule({ value: "payment", per: "loan_amount", above: 0.5 })),
      /current value is per loan_amount: must be a number that the loan's amount and term do not change/,
    ],
    [
      "a rule about an unknown bank",
      withRules(rule({ value: "snils", is: [0] }, { banks: ["bank_z"] })),
      /rules\.0\.banks: current value is bank_z: must name banks of banks\.json: bank_a, /,
    ],
    [
      "a rule that fires for every client",
      withRules(rule({ value: "age_years", below: 200 })),
      /rules\.0: current value is rule: must fire for some clients and not for others, and fires for every one/,
    ],
    [
      "a rule that is always true by its own parts",
      withRules(
        rule({ any: [{ value: "age_years", below: 30 }, { value: "birthdate", atLeast: 30 }] }),
      ),
      /fires for every one/,
    ],
    ["a rule that never fires", withRules(rule({ value: "age_years", above: 120 })), /never fires/],
    [
      "a rule that contradicts itself",
      withRules(
        rule({ all: [{ value: "monthprofit", above: 5 }, { value: "monthprofit", below: 5 }] }),
      ),
      /never fires/,
    ],
    [
      "two rules of which one always forbids",
      withRules(
        rule({ value: "age_years", below: 21 }),
        rule({ value: "age_years", atLeast: 21 }, { id: "other" }),
      ),
      /rules\.1: current value is other: must leave a client, and together with rule it forbids every one/,
    ],
    [
      "two rules that say the same",
      withRules(
        rule({ value: "age_years", below: 21 }),
        rule({ not: { not: { value: "birthdate", below: 21 } } }, { id: "other", effect: "warn" }),
      ),
      /rules\.1: current value is other: must have another condition than rule/,
    ],
    [
      "two rules of one id",
      withRules(rule({ value: "age_years", below: 21 }), rule({ value: "snils", is: [0] })),
      /rules\.1: .*must be unique: "rule" is at position 0 already/,
    ],
    [
      "a rule that makes a product impossible",
      withRules(rule({ value: "loan_amount", below: 2_000_000 }, { banks: ["bank_a"] })),
      /must leave a loan of product pos of bank_a, and forbids every one/,
    ],
    [
      "a condition of two forms",
      withRules(rule({ value: "snils", is: [0], missing: true })),
      /rules\.0\.when: .*must compare value by bounds, or by is, or by missing/,
    ],
    [
      "a condition of none",
      withRules(rule({ all: [{ above: 3 }] })),
      /rules\.0\.when\.all\.0: .*must have exactly one of all, any, not and value/,
    ],
    ["bands that do not begin at 0", {
      "policy.json": { odds: [{ id: "poor", from: 0.1, title: { ru: "П", en: "P" } }] },
    }, /odds\.0\.from: current value is 0\.1: must be 0 in the first band/],
    [
      "products where no field has the role of the amount",
      {
        "questionnaire.json": questionnaireWithout("role"),
      },
      /banks\.json: banks: current value has products: must have none where questionnaire\.json gives no field the role/,
    ],
    ["amounts between two steps", {
      "banks.json": banksWith({ amount: { min: 1000, max: 2500, step: 1000 } }),
    }, /products\.0\.amount: .*max must be min plus a whole number of steps/],
    [
      "terms that do not rise",
      { "banks.json": banksWith({ termsMonths: [12, 6] }) },
      /termsMonths: .*must rise/,
    ],
    [
      "a rate of three decimals",
      { "banks.json": banksWith({ annualRatePercent: 19.995 }) },
      /annualRatePercent: current value is 19\.995: must have at most two decimals/,
    ],
    ["more amounts than can be swept", {
      "banks.json": banksWith({ amount: { min: 1, max: 3_000_000, step: 1 } }),
    }, /there must be at most 1000000/],
    ["a loan's own field that the client can change", {
      "questionnaire.json": questionnaireWith("loan_amount", { change: "free" }),
    }, /change: current value is "free": must be immutable where the field is the loan's own/],
    [
      "a date that goes back",
      { "questionnaire.json": questionnaireWith("jobstartdate", { change: "only_down" }) },
      /change: current value is "only_down": must be immutable or only_up where the meaning is date/,
    ],
    ["two amounts", {
      "questionnaire.json": questionnaireWith("monthprofit", {
        role: "amount",
        change: "immutable",
      }),
    }, /must be unique: "amount" is at position/],
  ] as const
) {
  Deno.test(`loadConfig() refuses ${what}, saying where and what would be right`, () => {
    assert.match(refusal(files), expected);
  });
}

for (
  const [what, when] of [
    ["a limit inside the range", { value: "age_years", below: 21 }],
    ["a missing answer", { value: "monthprofit", missing: true }],
    ["an answered question", { not: { value: "monthprofit", missing: true } }],
    ["a payment by income", { value: "payment", per: "monthprofit", above: 0.4 }],
    ["a part of a product's loans", { value: "loan_amount", above: 300_000 }],
    ["values that hang together", {
      all: [{ value: "monthprofit", above: 9 }, { value: "disposable_income", below: 0 }],
    }],
  ] as const
) {
  Deno.test(`loadConfig() takes a rule about ${what}`, () => {
    load(withRules(rule(when)));
  });
}

function banksWith(change: Json): Json {
  const banks = structuredClone(shipped.banks);
  Object.assign(banks.banks[0]?.products[0] ?? {}, change);
  return banks;
}

function questionnaireWith(id: string, change: Json): Json {
  const questionnaire = structuredClone(shipped.questionnaire);
  Object.assign(questionnaire.fields.find((field) => field.id === id) ?? {}, change);
  return questionnaire;
}

function questionnaireWithout(key: "role"): Json {
  const { fields, ...rest } = structuredClone(shipped.questionnaire);
  return { ...rest, fields: fields.map(({ [key]: _, ...field }) => field) };
}
