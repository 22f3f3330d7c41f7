import assert from "node:assert/strict";
import fc from "fast-check";
import { loadConfig } from "../../configs/mod.ts";
import type { Answer, Answers } from "../../scoring/answers.ts";
import { describeFeatures, Features, UNKNOWN } from "../../scoring/features.ts";

const { questionnaire } = loadConfig({
  folder: new URL("../../configs/", import.meta.url),
  env: {},
  readText: (file) => Deno.readTextFileSync(file),
});
const features = new Features(questionnaire);
const AT_MS = Date.UTC(2023, 11, 1);

function row(answers: Answers, atMs = AT_MS): Record<string, number> {
  const matrix = features.matrix([{ answers, atMs }]);
  return Object.fromEntries(features.names.map((name, index) => [name, matrix[index] ?? NaN]));
}

function feature(field: string, answer: Answer, name = field): number | undefined {
  return row({ [field]: answer })[name];
}

Deno.test("Features gives one column per field and per derived feature, in the configured order", () => {
  assert.deepEqual(features.names, [
    ...["age_years", "education", "employment_status", "value", "job_tenure_months"],
    ...["position_group", "monthprofit", "monthexpense", "gender", "family_status", "childcount"],
    ...["snils", "merch_code", "loan_amount", "loan_term", "goods_category"],
    ...["monthly_payment", "payment_to_income", "disposable_income", "expense_to_income"],
  ]);
});

Deno.test("Features is all missing where nothing is answered", () => {
  assert.ok(Object.values(row({})).every(Number.isNaN));
});

for (const missing of [null, "", "   ", "NULL", "null"]) {
  Deno.test(`Features takes ${JSON.stringify(missing)} as a missing answer`, () => {
    for (const { id } of questionnaire.fields) {
      assert.ok(Object.values(row({ [id]: missing })).every(Number.isNaN), id);
    }
  });
}

Deno.test("Features counts age up to the time of the application", () => {
  const birthdate = "1988-12-01 00:00:00.0000000";
  assert.ok(Math.abs((row({ birthdate }).age_years ?? 0) - 35) < 0.005);
  assert.ok(Math.abs((row({ birthdate }, Date.UTC(2033, 11, 1)).age_years ?? 0) - 45) < 0.005);
});

for (
  const date of [
    "1988-07-21 00:00:00.0000000",
    "1988-07-21",
    "1988-07-21T00:00:00Z",
    "1988-07-21T03:00:00+03:00",
    "1988-07-21T00:00",
    " 21.07.1988 ",
  ]
) {
  Deno.test(`Features reads the date ${date}`, () => {
    assert.equal(
      feature("birthdate", date, "age_years"),
      feature("birthdate", "1988-07-21", "age_years"),
    );
    assert.ok(Math.abs((feature("birthdate", date, "age_years") ?? 0) - 35.36) < 0.01);
  });
}

for (
  const date of [
    "1988-02-30",
    "1988-13-01",
    "hello",
    "0000",
    "1988-07-21T25:00",
    "1700-01-01",
    "2024-01-01",
    "21.07.88",
  ]
) {
  Deno.test(`Features takes the impossible date ${date} as missing`, () => {
    assert.ok(Number.isNaN(feature("birthdate", date, "age_years")));
  });
}

Deno.test("Features recognises harmless variants of a category", () => {
  const code = feature("employment_status", "Работаю по найму полный рабочий день/служу");
  for (
    const variant of [
      "Работаю по найму полный рабочий день\\/служу",
      "  работаю  по найму полный рабочий день / служу ",
      "РАБОТАЮ ПО НАЙМУ ПОЛНЫЙ РАБОЧИЙ ДЕНЬ/СЛУЖУ",
    ]
  ) assert.equal(feature("employment_status", variant), code);
  assert.equal(
    feature("family_status", "Разведен / Разведена"),
    feature("family_status", "Разведён / Разведена"),
  );
  assert.equal(feature("value", "9 – 10 лет"), feature("value", "9 - 10 лет"));
});

Deno.test("Features gives an unknown category a value of its own", () => {
  assert.equal(feature("goods_category", "Weapons"), UNKNOWN);
  assert.equal(feature("gender", 7), UNKNOWN);
  assert.equal(feature("position", "qwerty", "position_group"), UNKNOWN);
});

Deno.test("Features knows every listed category by its position", () => {
  for (const { id, meaning } of questionnaire.fields) {
    if (meaning.kind !== "category") continue;
    const codes = meaning.values.map(({ value }) => feature(id, value));
    assert.deepEqual(codes, meaning.values.map((_, index) => index), id);
  }
});

Deno.test("Features reads positions by stems, cut-off ones too", () => {
  const groups = [
    "executive",
    "self_employed",
    "manager",
    "professional",
    "office",
    "trade",
    "worker",
  ];
  for (
    const [position, group] of [
      ["ГЕНЕРАЛЬНЫЙ ДИРЕКТОР", "executive"],
      ["самозанятая", "self_employed"],
      ["инд", "self_employed"],
      ["ИП", "self_employed"],
      ["начальник п", "manager"],
      ["главный бухгалтер", "professional"],
      ["менеджер ", "office"],
      ["мене", "office"],
      ["продавец-кассир", "trade"],
      ["водитель", "worker"],
    ] as const
  ) assert.equal(feature("position", position, "position_group"), groups.indexOf(group), position);
});

Deno.test("Features takes a number outside its plausible range as missing", () => {
  assert.ok(Number.isNaN(feature("monthprofit", -1)));
  assert.ok(Number.isNaN(feature("loan_term", 0)));
  assert.ok(Number.isNaN(feature("childcount", 10n ** 30n)));
});

Deno.test("Features derives payment, its share of income, and what is left of income", () => {
  const derived = row({
    loan_amount: 120_000,
    loan_term: 12,
    monthprofit: 50_000,
    monthexpense: 20_000,
  });
  assert.equal(derived.monthly_payment, 10_000);
  assert.equal(derived.payment_to_income, Math.fround(0.2));
  assert.equal(derived.disposable_income, 30_000);
  assert.equal(derived.expense_to_income, Math.fround(0.4));
});

Deno.test("Features derives nothing from a missing part or a zero income", () => {
  assert.ok(Number.isNaN(row({ loan_amount: 120_000 }).monthly_payment));
  const noIncome = row({ loan_amount: 120_000, loan_term: 12, monthprofit: 0 });
  assert.ok(Number.isNaN(noIncome.payment_to_income));
});

Deno.test("Features gives a finite number or missing for any answers at all", () => {
  const answer = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.bigInt(),
    fc.constant(null),
    fc.constantFrom(...questionnaire.fields.map(({ example }) => example)),
  );
  const ids = fc.constantFrom(...questionnaire.fields.map(({ id }) => id));
  fc.assert(
    fc.property(
      fc.dictionary(ids, answer),
      fc.date({ noInvalidDate: true }),
      (answers, at) => {
        const matrix = features.matrix([{ answers, atMs: at.getTime() }]);
        assert.equal(matrix.length, features.names.length);
        assert.ok(matrix.every((value) => Number.isFinite(value) || Number.isNaN(value)));
      },
    ),
  );
});

Deno.test("Features gives a row the same numbers alone and among others", () => {
  const rows = questionnaire.fields.map(({ id, example }) => ({
    answers: { [id]: example },
    atMs: AT_MS,
  }));
  const together = features.matrix(rows);
  const alone = rows.flatMap((each) => [...features.matrix([each])]);
  assert.deepEqual([...together], alone);
});

Deno.test("describeFeatures() changes with the order of a category, and not with a label", async () => {
  const { sha256 } = await describeFeatures(questionnaire);
  const relabelled = structuredClone(questionnaire);
  const reordered = structuredClone(questionnaire);
  for (const field of relabelled.fields) field.label.en += "!";
  for (const { meaning } of reordered.fields) {
    if (meaning.kind === "category") meaning.values.reverse();
  }
  assert.equal((await describeFeatures(relabelled)).sha256, sha256);
  assert.notEqual((await describeFeatures(reordered)).sha256, sha256);
});
