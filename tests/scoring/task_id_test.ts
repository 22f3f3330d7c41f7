/** Task ids and Python's texts, against those that Python itself printed (`golden/generate_python_repr.py`). */

import assert from "node:assert/strict";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { isPythonPrintable } from "../../scoring/python_printable.ts";
import { pythonFloatRepr, pythonStringRepr, pythonValueRepr } from "../../scoring/python_repr.ts";
import {
  type AnswerField,
  type AnswerType,
  pythonDictRepr,
  taskId,
} from "../../scoring/task_id.ts";

interface Golden {
  readonly floats: readonly { readonly bits: string; readonly repr: string }[];
  readonly strings: readonly { readonly text: string; readonly repr: string }[];
  readonly printableSha1: string;
  readonly dict: {
    readonly answers: Readonly<Record<string, string | number>>;
    readonly fields: readonly string[];
    readonly repr: string;
  };
}

const golden = JSON.parse(
  await Deno.readTextFile(new URL("golden/python_repr.json", import.meta.url)),
) as Golden;

const EXAMPLE_FIELDS: readonly AnswerField[] = [
  { id: "birthdate", type: "string" },
  { id: "education", type: "string" },
  { id: "employment_status", type: "string" },
  { id: "value", type: "string" },
  { id: "jobstartdate", type: "string" },
  { id: "position", type: "string" },
  { id: "monthprofit", type: "number" },
  { id: "monthexpense", type: "number" },
  { id: "gender", type: "integer" },
  { id: "family_status", type: "string" },
  { id: "childcount", type: "integer" },
  { id: "snils", type: "integer" },
  { id: "merch_code", type: "integer" },
  { id: "loan_amount", type: "number" },
  { id: "loan_term", type: "number" },
  { id: "goods_category", type: "string" },
];

const EXAMPLE_ANSWERS = {
  birthdate: "1988-07-21 00:00:00.0000000",
  education: "Высшее - специалист",
  employment_status: "Работаю по найму полный рабочий день\\/служу",
  value: "9 - 10 лет",
  jobstartdate: "2013-09-01 00:00:00.0000000",
  position: "начальник п",
  monthprofit: 180000,
  monthexpense: 100000,
  gender: 0,
  family_status: "Никогда в браке не состоял(а)",
  childcount: 0,
  snils: 0,
  merch_code: 77,
  loan_amount: 137000,
  loan_term: 18,
  goods_category: "Furniture",
};

Deno.test("taskId of the documented questionnaire is the documented one", () => {
  const id = taskId(EXAMPLE_ANSWERS, EXAMPLE_FIELDS);
  assert.equal(id, "0bf47865db14802e29de4d4f769c00b97966a691");
});

Deno.test("taskId takes an absent answer and null for the same, and ignores other keys", () => {
  const { snils: _, ...withoutSnils } = EXAMPLE_ANSWERS;
  const id = taskId(withoutSnils, EXAMPLE_FIELDS);
  assert.equal(taskId({ ...EXAMPLE_ANSWERS, snils: null, other: 1 }, EXAMPLE_FIELDS), id);
  assert.notEqual(id, taskId(EXAMPLE_ANSWERS, EXAMPLE_FIELDS));
});

Deno.test("taskId does not take inherited properties for answers", () => {
  const fields: AnswerField[] = [{ id: "constructor", type: "string" }];
  assert.equal(taskId({}, fields), taskId({ constructor: null }, fields));
});

Deno.test("taskId tells integers beyond 2^53 apart", () => {
  const fields: AnswerField[] = [{ id: "snils", type: "integer" }];
  assert.notEqual(taskId({ snils: 2n ** 53n }, fields), taskId({ snils: 2n ** 53n + 1n }, fields));
});

Deno.test("pythonDictRepr prints a dict as Python does", () => {
  const { answers, fields, repr } = golden.dict;
  const entries = fields.map((field): [string, string] => {
    const [id = "", type] = field.split(":");
    return [id, pythonValueRepr(answers[id] ?? null, (type as AnswerType) === "number")];
  });
  assert.equal(pythonDictRepr(entries), repr);
});

Deno.test("pythonFloatRepr prints floats of every magnitude as Python does", () => {
  for (const { bits, repr } of golden.floats) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(`0x${bits}`));
    assert.equal(pythonFloatRepr(view.getFloat64(0)), repr);
  }
});

Deno.test("pythonFloatRepr prints what is not finite as Python does", () => {
  assert.deepEqual([NaN, Infinity, -Infinity].map(pythonFloatRepr), ["nan", "inf", "-inf"]);
});

Deno.test("pythonFloatRepr reads back to the same number and is never an integer's text", () => {
  fc.assert(fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (x) => {
    const text = pythonFloatRepr(x);
    assert.ok(Object.is(Number(text), x), text);
    assert.match(text, /^-?[0-9]+(\.[0-9]+)?(e[+-][0-9]{2,})?$/);
    assert.match(text, /[.e]/);
  }));
});

Deno.test("pythonStringRepr prints odd strings as Python does", () => {
  for (const { text, repr } of golden.strings) assert.equal(pythonStringRepr(text), repr);
});

Deno.test("pythonStringRepr escapes lone surrogates", () => {
  assert.equal(pythonStringRepr("a\ud800b"), "'a\\ud800b'");
});

Deno.test("pythonStringRepr is one to one and printable, whatever the text", () => {
  const texts = fc.string({ unit: "binary" });
  fc.assert(fc.property(texts, texts, (a, b) => {
    assert.equal(pythonStringRepr(a) === pythonStringRepr(b), a === b);
    for (const character of pythonStringRepr(a)) {
      assert.ok(isPythonPrintable(character.codePointAt(0) ?? 0));
    }
  }));
});

Deno.test("isPythonPrintable agrees with Python over all of Unicode", () => {
  let flags = "";
  for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
    flags += isPythonPrintable(codePoint) ? "1" : "0";
  }
  assert.equal(createHash("sha1").update(flags).digest("hex"), golden.printableSha1);
});
