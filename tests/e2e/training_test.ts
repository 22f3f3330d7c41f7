import assert from "node:assert/strict";
import { runTask } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";

const FEATURES = ["-P=features", "tasks/features.ts"];

Deno.test("deno task train --describe gives the checked configuration that training reads", async () => {
  const { code, stdout, stderr } = await runTask([
    "-P=train",
    "tasks/train.ts",
    "--",
    "--describe",
  ]);
  assert.equal(code, 0, stderr);
  const { names, sha256, features, banks, training } = JSON.parse(stdout);
  assert.equal(names.length, 20);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  // deno-lint-ignore no-explicit-any -- the shape is what is tested
  assert.deepEqual(features.map(({ name }: any) => name), names);
  assert.deepEqual(banks[0], { id: "bank_a", model: "bank_a", title: "Bank A" });
  assert.equal(training.decisions.columns.bank_a, "BankA_decision");
});

for (const task of ["train", "explore"]) {
  Deno.test(`deno task ${task} says how to install what it needs`, async () => {
    const { code, stderr } = await runTask(["-P=train", `tasks/${task}.ts`, "--out", "x"], {
      env: { PRESCORE_PYTHON: "/nowhere/python" },
    });
    assert.equal(code, 1);
    assert.match(stderr, /with \/nowhere\/python: .*\.venv\/bin\/pip install -e training/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}

Deno.test("deno task features --at-column counts ages up to each row's own date", async () => {
  const stdin = `birthdate,Applied at\n${EXAMPLE.birthdate},2018-07-21\n1988-07-21,21.07.2023\n`;
  const { code, stdout, stderr } = await runTask([...FEATURES, "--at-column", "applied at"], {
    stdin,
  });
  assert.equal(code, 0, stderr);
  const ages = stdout.trim().split("\n").slice(1).map((line) => Number(line.split(",")[0]));
  assert.deepEqual(ages.map(Math.round), [30, 35]);
});

for (
  const [what, stdin, expected] of [
    ["a date that cannot be read", "birthdate,on\n1988-07-21,soon\n", /row 1, column on: .*"soon"/],
    ["a table without the column", "birthdate\n1988-07-21\n", /it must have a column on/],
  ] as const
) {
  Deno.test(`deno task features --at-column refuses ${what} with one sentence`, async () => {
    const { code, stderr } = await runTask([...FEATURES, "--at-column", "on"], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}
