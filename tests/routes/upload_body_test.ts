import assert from "node:assert/strict";
import fc from "fast-check";
import { answersSchema, readUpload } from "../../routes/upload_body.ts";

const schema = answersSchema([
  { id: "position", type: "string", description: "", example: "a" },
]);
const BODY = new TextEncoder().encode('{"position":"a"}');
const token = fc.string({
  unit: fc.constantFrom(..."abcxyzJSON0129.-!#$&^_"),
  minLength: 1,
  maxLength: 12,
}).filter((text) => !/^json$/i.test(text));
const parameters = fc.constantFrom("", ";charset=utf-8", " ; a=b", ";", "; x=application/json");
/** A text in any mix of small letters and capitals. */
const cased = (text: string) =>
  fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length }).map((upper) =>
    Array.from(text, (letter, at) => upper[at] ? letter.toUpperCase() : letter).join("")
  );

const isRead = (contentType: string) => readUpload(BODY, { contentType, schema }).ok;

Deno.test("a body is read as JSON under application/json and any +json, in any case, with any parameters", () => {
  const types = fc.oneof(
    cased("application/json"),
    token.map((name) => `application/${name}+json`),
  );
  fc.assert(fc.property(types, parameters, (type, rest) => {
    assert.ok(isRead(type + rest), type + rest);
  }));
  assert.ok(readUpload(BODY, { contentType: undefined, schema }).ok);
});

Deno.test("a body of another type is refused, not read", () => {
  const types = fc.oneof(
    fc.tuple(token, token).filter(([main]) => main.toLowerCase() !== "application")
      .map((parts) => parts.join("/")),
    token.map((name) => `application/${name}`),
    fc.constantFrom("application", "text/json", "json", "application/json/x", "/json", "+json"),
  );
  fc.assert(fc.property(types, parameters, (type, rest) => {
    assert.ok(!isRead(type + rest), type + rest);
  }));
});
