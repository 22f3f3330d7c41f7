import assert from "node:assert/strict";
import { Reporter } from "../tasks/report.ts";

Deno.test("Reporter says the same thing once a second, with the number of times", () => {
  let nowMs = 0;
  const lines: string[] = [];
  const reporter = new Reporter({ now: () => nowMs, write: (line) => lines.push(line) });
  for (let time = 0; time < 5; time++) reporter.report("It failed", new TypeError("no"));
  reporter.report("It failed", new Error("other"));
  nowMs = 1000;
  reporter.report("It failed", new TypeError("no"));
  assert.deepEqual(lines, [
    "It failed: TypeError: no",
    "It failed: Error: other",
    "It failed: TypeError: no (and 4 times more before)",
  ]);
});
