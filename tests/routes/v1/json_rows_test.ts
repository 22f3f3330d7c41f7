import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonArrayRows, ndjsonRows, RowsError } from "../../../routes/v1/json_rows.ts";

const MAX_ROW_BYTES = 200;
const encoder = new TextEncoder();

type Reader = typeof ndjsonRows;

/** The rows of a body that comes in pieces of any size. */
async function rows(read: Reader, bytes: Uint8Array, cuts: readonly number[] = []) {
  async function* pieces() {
    let at = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      yield bytes.subarray(at, Math.max(at, cut));
      at = Math.max(at, cut);
    }
    yield bytes.subarray(at);
  }
  const found: (string | null)[] = [];
  for await (const row of read(pieces(), { maxRowBytes: MAX_ROW_BYTES })) {
    found.push(row && new TextDecoder().decode(row));
  }
  return found;
}

const cuts = fc.array(fc.nat(500), { maxLength: 8 });
const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n"), maxLength: 3 });
const value = fc.json({ maxDepth: 3, stringUnit: "binary" })
  .filter((text) => encoder.encode(text).length <= MAX_ROW_BYTES - 6);

Deno.test("ndjsonRows gives every line back, however the body is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 6 }), cuts, async (values, cuts) => {
      for (const end of ["\n", "\r\n"]) {
        const found = await rows(ndjsonRows, encoder.encode(values.join(end)), cuts);
        assert.deepEqual(found.map((text) => text?.trimEnd()), values);
      }
    }),
  );
});

Deno.test("jsonArrayRows gives every element back, however the body is cut and spaced", async () => {
  const elements = fc.array(fc.tuple(space, value, space), { maxLength: 6 });
  await fc.assert(fc.asyncProperty(elements, space, cuts, async (elements, around, cuts) => {
    const body = `${around}[${elements.map((parts) => parts.join("")).join(",")}]${around}`;
    const found = await rows(jsonArrayRows, encoder.encode(body), cuts);
    assert.deepEqual(
      found.map((text) => JSON.parse(text ?? "")),
      elements.map(([, text]) => JSON.parse(text)),
    );
  }));
});

Deno.test("what is no JSON spoils its own row alone", async () => {
  const broken = `{"a": 1}\nnot json\n\n"open\n{"a": 2}`;
  assert.deepEqual(await rows(ndjsonRows, encoder.encode(broken)), [
    '{"a": 1}',
    "not json",
    '"open',
    '{"a": 2}',
  ]);
  assert.deepEqual(await rows(jsonArrayRows, encoder.encode("[1,nonsense,{x},,2]")), [
    "1",
    "nonsense",
    "{x}",
    "",
    "2",
  ]);
});

Deno.test("a row over the limit is told apart and not kept", async () => {
  const long = `"${"x".repeat(MAX_ROW_BYTES)}"`;
  for (const cuts of [[], [50, 100, 150]]) {
    assert.deepEqual(await rows(ndjsonRows, encoder.encode(`1\n${long}\n2`), cuts), [
      "1",
      null,
      "2",
    ]);
    assert.deepEqual(await rows(jsonArrayRows, encoder.encode(`[1,${long},2]`), cuts), [
      "1",
      null,
      "2",
    ]);
  }
});

Deno.test("jsonArrayRows refuses what is no array, or no whole one", async () => {
  for (const body of ["", " ", "{}", "1", "[1", "[1]2", "[1][2]", '["]', "[}]", "[\ufeff1]2"]) {
    await assert.rejects(rows(jsonArrayRows, encoder.encode(body)), RowsError, body);
  }
  assert.deepEqual(await rows(jsonArrayRows, encoder.encode(" [ ] ")), []);
});

Deno.test("both readers give rows or RowsError for any bytes", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), cuts, async (bytes, cuts) => {
    await rows(ndjsonRows, bytes, cuts);
    await rows(jsonArrayRows, bytes, cuts).catch((error) => assert.ok(error instanceof RowsError));
  }));
});
