/**
 * The recorded answers of the reference service, each compared as exact text.
 *
 * `golden/generate.py` writes the cases. A case with a `wantedDifference` is answered otherwise on
 * purpose, and then that text is exact too.
 */

import assert from "node:assert/strict";
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { pydanticInteger, pydanticNumber, pydanticString } from "../../routes/pydantic.ts";
import { readTaskQuery } from "../../routes/task_query.ts";
import { answersSchema, readUpload, type UploadField } from "../../routes/upload_body.ts";
import { type AnswerType, taskId } from "../../scoring/task_id.ts";

interface GoldenAnswer {
  readonly status: number;
  readonly body: string;
}

interface GoldenCase {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly body_base64?: string;
    readonly body_parts?: readonly (readonly [text: string, times: number])[];
  };
  readonly response: GoldenAnswer;
  readonly wantedDifference?: { readonly why: string; readonly response: GoldenAnswer };
}

const GROUPS = ["string", "integer", "number", "several", "syntax", "body", "media", "query"];

const FIELD_TYPES: readonly (readonly [id: string, type: AnswerType])[] = [
  ["birthdate", "string"],
  ["education", "string"],
  ["employment_status", "string"],
  ["value", "string"],
  ["jobstartdate", "string"],
  ["position", "string"],
  ["monthprofit", "number"],
  ["monthexpense", "number"],
  ["gender", "integer"],
  ["family_status", "string"],
  ["childcount", "integer"],
  ["snils", "integer"],
  ["merch_code", "integer"],
  ["loan_amount", "number"],
  ["loan_term", "number"],
  ["goods_category", "string"],
];

const FIELDS: readonly UploadField[] = FIELD_TYPES.map(([id, type]) => ({
  id,
  type,
  description: `The field ${id}`,
  example: type === "string" ? "text" : 1,
}));

const SCHEMA = answersSchema(FIELDS);

for (const group of GROUPS) {
  Deno.test(`readUpload and readTaskQuery answer as the reference: ${group}`, async () => {
    const file = new URL(`golden/${group}.json`, import.meta.url);
    const cases = JSON.parse(await Deno.readTextFile(file)) as GoldenCase[];
    assert.ok(cases.length > 0);
    for (const golden of cases) {
      const expected = golden.wantedDifference?.response ?? golden.response;
      assert.deepEqual(answer(golden), expected, golden.name);
    }
  });
}

Deno.test("readUpload keeps the types of integers and floats in answers", () => {
  const text = '{"gender":9007199254740993,"snils":77.0,"loan_term":18,"childcount":null}';
  const reading = readText(text);
  assert.ok(reading.ok);
  const { gender, snils, loan_term, childcount, position } = reading.answers;
  assert.deepEqual(
    [gender, snils, loan_term, childcount, position],
    [9007199254740993n, 77, 18, null, null],
  );
});

Deno.test("readUpload leaves prototypes alone when a key is __proto__", () => {
  const reading = readText('{"__proto__":{"polluted":true},"gender":1}');
  assert.ok(reading.ok);
  assert.equal(Object.getPrototypeOf(reading.answers), Object.prototype);
  assert.equal("polluted" in reading.answers, false);
});

Deno.test("pydantic schemas coerce plain JSON values as they coerce read ones", () => {
  assert.equal(pydanticInteger().parse(2), 2);
  assert.equal(pydanticInteger().safeParse(2.5).success, false);
  assert.equal(pydanticNumber().parse(2.5), 2.5);
  assert.equal(pydanticNumber().safeParse(NaN).success, false);
  assert.equal(pydanticString().safeParse(1).success, false);
  assert.equal(pydanticString().parse(undefined), null);
});

Deno.test("pydanticNumber refuses a million digits and a letter in linear time", () => {
  const startedMs = performance.now();
  assert.equal(pydanticNumber().safeParse("1".repeat(1_000_000) + "x").success, false);
  assert.ok(performance.now() - startedMs < 2000); // quadratic time takes minutes
});

Deno.test("answersSchema documents each field as its type or null", () => {
  const app = new OpenAPIHono();
  const content = { "application/json": { schema: SCHEMA.openapi("FeaturesStructure") } };
  const route = createRoute({
    method: "post",
    path: "/upload_features",
    request: { body: { required: true, content } },
    responses: { 201: { description: "The task" } },
  });
  app.openapi(route, (context) => context.text("", 201));
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Prescore", version: "1" },
  });
  const properties = Object.fromEntries(FIELDS.map(({ id, type, description, example }) => [
    id,
    { type: [type, "null"], description, example },
  ]));
  assert.deepEqual(document.components?.schemas?.["FeaturesStructure"], {
    type: "object",
    properties,
  });
});

function readText(text: string) {
  const bytes = new TextEncoder().encode(text);
  return readUpload(bytes, { contentType: "application/json", schema: SCHEMA });
}

function answer({ request }: GoldenCase): GoldenAnswer {
  return request.method === "GET" ? answerQuery(request.path) : answerUpload(request);
}

function answerQuery(path: string): GoldenAnswer {
  const reading = readTaskQuery(`http://localhost${path}`);
  if (!reading.ok) return { status: reading.status, body: reading.body };
  return { status: 404, body: '{"detail":"Task not found"}' };
}

function answerUpload(request: GoldenCase["request"]): GoldenAnswer {
  const contentType = request.headers["content-type"];
  const reading = readUpload(bodyBytes(request), { contentType, schema: SCHEMA });
  if (!reading.ok) return { status: reading.status, body: reading.body };
  const body = `{"task_id":"${taskId(reading.answers, FIELDS)}","is_complete":false}`;
  return { status: 201, body };
}

function bodyBytes({ body, body_base64, body_parts }: GoldenCase["request"]): Uint8Array {
  if (body_base64 !== undefined) {
    return Uint8Array.from(atob(body_base64), (character) => character.charCodeAt(0));
  }
  const text = body ?? (body_parts ?? []).map(([part, times]) => part.repeat(times)).join("");
  return new TextEncoder().encode(text);
}
