import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePrefer, preferredWaitS } from "../../../routes/v1/prefer.ts";

Deno.test("parsePrefer reads the examples of RFC 7240", () => {
  const examples: [string, [string, string][]][] = [
    ["respond-async, wait=100", [["respond-async", ""], ["wait", "100"]]],
    ['foo; some-parameter=""', [["foo", ""]]],
    ['foo=""; some-parameter', [["foo", ""]]],
    ["Priority=5, handling = lenient", [["priority", "5"], ["handling", "lenient"]]],
    ['return=minimal; foo="some parameter"', [["return", "minimal"]]],
    ["wait=1, wait=2", [["wait", "1"]]],
    ['a="x, y=1", b="\\"quoted\\""', [["a", "x, y=1"], ["b", '"quoted"']]],
    ["", []],
  ];
  for (const [header, expected] of examples) assert.deepEqual([...parsePrefer(header)], expected);
});

Deno.test("preferredWaitS takes no preference that is not a number of seconds", () => {
  for (
    const header of ["wait", "wait=", "wait=-1", "wait=1.5", "wait=1e3", "wait=ten", "wait==3"]
  ) {
    assert.equal(preferredWaitS(header), undefined, header);
  }
  assert.equal(preferredWaitS(undefined), undefined);
  assert.equal(preferredWaitS(`wait=1, ${"x".repeat(1000)}`), undefined);
  assert.equal(preferredWaitS("wait=0"), 0);
  assert.equal(preferredWaitS("wait=99999999999"), 99_999_999_999);
});

const token = fc.string({
  unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"),
  minLength: 1,
  maxLength: 12,
});
const space = fc.constantFrom("", " ", "\t", "  ");

Deno.test("parsePrefer gives back whatever was written, in any spacing and quoting", () => {
  const written = fc.uniqueArray(
    fc.record({
      name: token,
      value: fc.option(fc.string({ maxLength: 12 })),
      before: space,
      after: space,
    }),
    { selector: ({ name }) => name.toLowerCase(), maxLength: 6 },
  );
  fc.assert(fc.property(written, (preferences) => {
    const header = preferences.map(({ name, value, before, after }) => {
      const quoted = value === null ? "" : `${before}=${after}"${value.replace(/["\\]/g, "\\$&")}"`;
      return `${before}${name}${quoted}${after}`;
    }).join(",");
    assert.deepEqual(
      [...parsePrefer(header)],
      preferences.map(({ name, value }) => [name.toLowerCase(), value ?? ""]),
    );
  }));
});

Deno.test("parsePrefer reads any text without an error, and quickly", () => {
  fc.assert(fc.property(fc.string(), (text) => void parsePrefer(text)));
  const startedMs = performance.now();
  for (const text of ['"'.repeat(50_000), "a;".repeat(25_000), 'a="\\'.repeat(12_000)]) {
    parsePrefer(text);
  }
  assert.ok(performance.now() - startedMs < 2000);
});
