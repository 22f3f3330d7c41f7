import assert from "node:assert/strict";
import { loadConfig } from "../../configs/mod.ts";
import { columnId, delimiterOf, TableError, TableReader } from "../../scoring/table.ts";

const { questionnaire } = loadConfig({
  folder: new URL("../../configs/", import.meta.url),
  env: {},
  readText: (file) => Deno.readTextFileSync(file),
});

Deno.test("columnId() turns a header into the field's id", () => {
  for (
    const [header, id] of [
      ["\uFEFFBirthDate", "birthdate"],
      ["employment status", "employment_status"],
      [" Family status ", "family_status"],
      ["Merch_code", "merch_code"],
      ["monthprofit", "monthprofit"],
    ] as const
  ) assert.equal(columnId(header), id);
});

Deno.test("delimiterOf() tells ; from , by the header", () => {
  assert.equal(delimiterOf("a;b;c"), ";");
  assert.equal(delimiterOf("a,b,c"), ",");
  assert.equal(delimiterOf("a"), ",");
  assert.equal(delimiterOf('"a;b;c;d",gender,childcount\n1;2;3;4'), ",");
});

Deno.test("TableReader reads typed answers and leaves other columns alone", () => {
  const table = new TableReader(questionnaire, [
    "id",
    "MonthProfit",
    "Gender",
    "education",
    "BankA_decision",
  ]);
  assert.deepEqual(table.answers(["9", "180000.50", " 1", "MBA", "denied"], 1), {
    monthprofit: 180000.5,
    gender: 1,
    education: "MBA",
  });
  assert.deepEqual(table.answers(["9", "NULL", "", "NULL", ""], 2), {
    monthprofit: null,
    gender: null,
    education: null,
  });
});

for (
  const [what, header, cells, expected] of [
    [
      "a text in a number column",
      ["monthprofit"],
      ["много"],
      /row 3, column monthprofit: current value is "много", must be a number/,
    ],
    ["a decimal comma", ["monthprofit"], ["1,5"], /must be a number with a decimal point/],
    ["hexadecimal", ["monthprofit"], ["0x10"], /must be a number/],
    ["infinity", ["monthprofit"], ["1e999"], /must be a number/],
    ["a fraction in an integer column", ["gender"], ["0.5"], /must be a whole number/],
    [
      "a row of another width",
      ["gender", "snils"],
      ["1"],
      /row 3: it has 1 cells, and must have 2/,
    ],
  ] as const
) {
  Deno.test(`TableReader refuses ${what}, naming row and column`, () => {
    const table = new TableReader(questionnaire, header);
    assert.throws(
      () => table.answers(cells, 3),
      (error) => error instanceof TableError && expected.test(error.message),
    );
  });
}

Deno.test("TableReader refuses a header that names a field twice, or none", () => {
  assert.throws(
    () => new TableReader(questionnaire, ["Gender", "gender"]),
    /columns 1 and 2 are both gender/,
  );
  assert.throws(
    () => new TableReader(questionnaire, ["a", "b"]),
    /must name at least one of birthdate/,
  );
});
