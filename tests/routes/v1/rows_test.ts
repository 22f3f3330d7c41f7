import assert from "node:assert/strict";
import fc from "fast-check";
import { newApplicationSchema } from "../../../routes/v1/application_schema.ts";
import { type ReadRow, ROW_READERS } from "../../../routes/v1/rows.ts";
import type { Answers } from "../../../scoring/answers.ts";
import { readConfig } from "../../support/service.ts";

const { questionnaire } = readConfig();
const options = {
  schema: newApplicationSchema(questionnaire),
  readTerms: () => undefined,
  ...{ questionnaire, maxRowBytes: 4096, limits: { jsonDepth: 32, jsonMembers: 1000 } },
};

const NDJSON = "application/x-ndjson";
const JSON_ARRAY = "application/json";
const CSV = "text/csv";

async function read(type: string, body: string | Uint8Array<ArrayBuffer>): Promise<ReadRow[]> {
  return await Array.fromAsync(ROW_READERS[type]?.(new Blob([body]).stream(), options) ?? []);
}

const texts = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => text.trim() !== "" && text.trim().toUpperCase() !== "NULL");
const answer = {
  string: texts,
  integer: fc.maxSafeInteger(),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
};

/** Any answers that the questionnaire allows, in its order. */
const answers: fc.Arbitrary<Answers> = fc.record(
  Object.fromEntries(questionnaire.fields.map(({ id, type }) => [id, answer[type]])),
  { requiredKeys: [] },
).map((given) =>
  Object.fromEntries(
    questionnaire.fields.flatMap(({ id }) =>
      given[id] === undefined ? [] : [[id, given[id]] as const]
    ),
  )
);

Deno.test("NDJSON and a JSON array give back the applications that were written", async () => {
  await fc.assert(fc.asyncProperty(fc.array(answers, { maxLength: 5 }), async (written) => {
    const rows = written.map((answers) => JSON.stringify({ answers }));
    const expected = written.map((answers) => ({ answers: JSON.parse(JSON.stringify(answers)) }));
    assert.deepEqual(await read(NDJSON, rows.join("\n")), expected);
    assert.deepEqual(await read(JSON_ARRAY, `[${rows.join(",")}]`), expected);
  }));
});

Deno.test("CSV gives back the applications that were written, quoted or not, with either delimiter", async () => {
  const tables = fc.tuple(fc.array(answers, { maxLength: 5 }), fc.constantFrom(",", ";"));
  await fc.assert(fc.asyncProperty(tables, async ([written, delimiter]) => {
    const ids = questionnaire.fields.map(({ id }) => id);
    const cells = written.map((answers) =>
      ids.map((id) => {
        const text = answers[id] === undefined ? "" : String(answers[id]);
        return `"${text.replaceAll('"', '""')}"`;
      })
    );
    const table = [ids, ...cells].map((row) => row.join(delimiter)).join("\r\n");
    assert.deepEqual(
      await read(CSV, table),
      written.map((answers) => ({ answers: JSON.parse(JSON.stringify(answers)) })),
    );
  }));
});

Deno.test("a row that is no application is refused alone and keeps its place", async () => {
  const good = { answers: { gender: 0 } };
  const bad = [
    "nonsense",
    '{"answers":{"gender":"0"}}',
    '{"answers":{"sex":0}}',
    "{}",
    `{"answers":{"position":"${"x".repeat(options.maxRowBytes)}"}}`,
  ];
  for (const wrong of bad) {
    const rows = [JSON.stringify(good), wrong, JSON.stringify(good)];
    for (
      const found of [
        await read(NDJSON, rows.join("\n")),
        await read(JSON_ARRAY, `[${rows.join(",")}]`),
      ]
    ) {
      assert.deepEqual([found[0], found[2]], [good, good], wrong);
      assert.ok(found[1] && "errors" in found[1] && found[1].errors.length === 1, wrong);
    }
  }
  assert.deepEqual(await read(CSV, "gender;childcount\n0;1\nx;2\n0\n1;2\n"), [
    { answers: { gender: 0, childcount: 1 } },
    {
      errors: [{
        detail: 'Cannot read row 2, column gender: current value is "x", ' +
          "must be a whole number, empty or NULL",
      }],
    },
    {
      errors: [{
        detail: "Cannot read row 3: it has 1 cells, and must have 2 as the header",
      }],
    },
    { answers: { gender: 1, childcount: 2 } },
  ]);
});

Deno.test("a line that is not UTF-8 is refused alone", async () => {
  const [line, end] = ['{"answers":{}}', new Uint8Array([0x22, 0xff, 0x22])];
  const bytes = new Uint8Array([
    ...new TextEncoder().encode(`${line}\n`),
    ...end,
    ...new TextEncoder().encode(`\n${line}`),
  ]);
  assert.deepEqual(await read(NDJSON, bytes), [
    { answers: {} },
    { errors: [{ detail: "the row must be UTF-8" }] },
    { answers: {} },
  ]);
});

Deno.test("a row tells at most twenty of its errors", async () => {
  const answers = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`unknown${at}`, 1]));
  const [row] = await read(NDJSON, JSON.stringify({ answers }));
  assert.ok(row && "errors" in row);
  assert.equal(row.errors.length, 20);
});

Deno.test("a row that is too long is refused alone", async () => {
  const long = "x".repeat(2 * options.maxRowBytes);
  const refused = { errors: [{ detail: "the row must have at most 4096 bytes" }] };
  const short = { answers: { gender: 0 } };
  const json = JSON.stringify(short);
  assert.deepEqual(await read(NDJSON, `"${long}"\n${json}`), [refused, short]);
  assert.deepEqual(await read(CSV, `gender;position\n0;${long}\n0;\n`), [refused, short]);
});

Deno.test("a table without an end of a line, or of a quote, is read no further than a few rows' length", async () => {
  const endless = "x".repeat(100 * options.maxRowBytes);
  for (const body of [endless, `gender;position\n0;"${endless}`, `gender;position\r0;${endless}`]) {
    await assert.rejects(read(CSV, body), /Cannot read the table/);
  }
});

Deno.test("a JSON array may begin with a byte order mark", async () => {
  assert.deepEqual(await read(JSON_ARRAY, '\ufeff[{"answers":{}}]'), [{ answers: {} }]);
  await assert.rejects(read(JSON_ARRAY, "\ufeff\ufeff[]"), /must be one JSON array/);
});
