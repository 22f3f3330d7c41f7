import assert from "node:assert/strict";
import fc from "fast-check";
import { Registry } from "../../telemetry/mod.ts";

Deno.test("a histogram's buckets count what is at or below them, and its sum and count are those of the values", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { maxLength: 50 }),
    async (values) => {
      const registry = new Registry();
      const buckets = [0.5, 1, 10];
      const histogram = registry.histogram({
        name: "h",
        help: "of a test",
        labels: ["of"],
        buckets,
      });
      for (const value of values) histogram.observe(value, ["x"]);
      const text = await registry.text();
      if (values.length === 0) return assert.doesNotMatch(text, /h_count/);
      for (const bound of buckets) {
        const count = values.filter((value) => value <= bound).length;
        assert.ok(text.includes(`h_bucket{of="x",le="${bound}"} ${count}\n`), text);
      }
      assert.ok(text.includes(`h_bucket{of="x",le="+Inf"} ${values.length}\n`));
      assert.ok(text.includes(`h_count{of="x"} ${values.length}\n`));
      const sum = Number(/h_sum\{of="x"\} (\S+)/.exec(text)?.[1]);
      assert.ok(Math.abs(sum - values.reduce((a, b) => a + b, 0)) < 1e-9);
    },
  ));
});

Deno.test("counters add up by their labels, whose values are escaped", async () => {
  const registry = new Registry();
  const counter = registry.counter({ name: "c_total", help: "of a test", labels: ["a", "b"] });
  counter.add(2, ["x", 'with "quotes" and \\']);
  counter.add(1, ["x", 'with "quotes" and \\']);
  registry.counter({ name: "d_total", help: "never counted" });
  assert.equal(
    await registry.text(),
    "# HELP c_total of a test\n# TYPE c_total counter\n" +
      'c_total{a="x",b="with \\"quotes\\" and \\\\"} 3\n' +
      "# HELP d_total never counted\n# TYPE d_total counter\nd_total 0\n",
  );
});

Deno.test("a gauge that cannot be read is left out, and the others are there", async () => {
  const registry = new Registry();
  registry.gauge({ name: "broken", help: "fails", read: () => Promise.reject(new Error("no")) });
  registry.gauge({ name: "whole", help: "works", read: () => [[[], 7]] });
  const text = await registry.text();
  assert.match(text, /^whole 7$/m);
  assert.doesNotMatch(text, /^broken /m);
});

Deno.test("a name is taken once", () => {
  const registry = new Registry();
  registry.counter({ name: "c", help: "" });
  assert.throws(() => registry.counter({ name: "c", help: "" }), /there twice/);
});
