import assert from "node:assert/strict";
import { runTask } from "../support/process.ts";
import { EXAMPLE, readConfig, startTestService } from "../support/service.ts";

const UPLOAD = ["-P=upload", "tasks/upload.ts"];
const FEATURES = ["-P=features", "tasks/features.ts"];
const SAMPLE = "training/sample/applications.csv";

Deno.test("deno task upload gives every row of the sample a result, and sums up", async () => {
  await using test = await startTestService(readConfig());
  const { code, stdout, stderr } = await runTask([
    ...UPLOAD,
    "--file",
    SAMPLE,
    "--url",
    test.service.url,
  ]);
  assert.equal(code, 0, stderr);
  const rows = Number(/^(\d+) rows: (\d+) with a result, 0 failed$/m.exec(stdout)?.[1]);
  assert.ok(rows >= 100, stdout);
  assert.match(stdout, /\d+ rows\/s/);
  assert.match(stdout, /^bank_e: mean approval probability 0\.\d{4}$/m);
});

for (
  const [what, args, expected] of [
    ["no file", [], /--file is absent/],
    ["an unknown option", ["--flie", SAMPLE], /Unknown option '--flie'.* Options: --file, --url/],
    ["a file that is not there", ["--file", "nothing.csv"], /--file: cannot read nothing\.csv/],
    [
      "a wrong address",
      ["--file", SAMPLE, "--url", "localhost"],
      /--url: current value is localhost/,
    ],
    [
      "a wrong concurrency",
      ["--file", SAMPLE, "--concurrency", "0"],
      /--concurrency: current value is 0/,
    ],
  ] as const
) {
  Deno.test(`deno task upload refuses ${what} with one sentence`, async () => {
    const { code, stderr } = await runTask([...UPLOAD, ...args]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}

Deno.test("deno task upload names the rows that failed and exits 1", async () => {
  const { code, stdout, stderr } = await runTask([
    ...UPLOAD,
    "--file",
    SAMPLE,
    "--url",
    "http://127.0.0.1:9",
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^row 1: /m);
  assert.match(stdout, / 0 with a result/);
});

Deno.test("deno task features turns either kind of CSV into the same matrix", async () => {
  const ids = Object.keys(EXAMPLE);
  const cells = Object.values(EXAMPLE).map(String);
  const commas = `${ids.join(",")}\n${cells.map((cell) => `"${cell}"`).join(",")}\n`;
  const headers = ids.map((id) => id === "family_status" ? "Family status" : id.toUpperCase());
  const semicolons = `\uFEFF${headers.join(";")};BankA_decision\r\n${cells.join(";")};denied\r\n`;
  const [first, second] = await Promise.all(
    [commas, semicolons].map((stdin) => runTask([...FEATURES, "--at", "2023-12-01"], { stdin })),
  );
  assert.ok(first && second);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, second.stdout);
  const [header, row, end] = first.stdout.split("\n");
  assert.match(header ?? "", /^age_years,education,.*expense_to_income$/);
  assert.match(row ?? "", /^35\.36\d*,5,5,11,/);
  assert.equal(end, "");
});

for (
  const [what, stdin, args, expected] of [
    ["an empty input", "", [], /it is empty, and must have a header/],
    ["a header without a known column", "a,b\n1,2\n", [], /must name at least one of birthdate/],
    [
      "a text for a number",
      "monthprofit\n5\nmuch\n",
      [],
      /row 2, column monthprofit: current value is "much"/,
    ],
    ["a wrong date", "monthprofit\n5\n", ["--at", "soon"], /--at: current value is soon/],
  ] as const
) {
  Deno.test(`deno task features refuses ${what} with one sentence`, async () => {
    const { code, stderr } = await runTask([...FEATURES, ...args], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}

Deno.test("deno task features refuses a table that is not UTF-8, and does not guess", async () => {
  const windows1251 = Uint8Array.of(0xc2, 0xfb, 0xf1);
  const stdin = new Uint8Array([
    ...new TextEncoder().encode("gender;education\n1;"),
    ...windows1251,
  ]);
  const { code, stderr } = await runTask(FEATURES, { stdin });
  assert.equal(code, 1);
  assert.match(stderr, /a byte in line 2 is not UTF-8; save the file as CSV in UTF-8/);
});

Deno.test("deno task features keeps a line for each row of a table with one column", async () => {
  const { stdout } = await runTask(FEATURES, { stdin: "gender\r\n1\n\r\n0\n" });
  const lines = stdout.trimEnd().split("\n").slice(1).map((line) => line.replaceAll(/,+/g, ""));
  assert.deepEqual(lines, ["1", "", "0"]);
});

Deno.test("deno task features --describe gives the names and fingerprint of the features", async () => {
  const { stdout } = await runTask([...FEATURES, "--describe"]);
  const { names, sha256 } = JSON.parse(stdout);
  assert.equal(names.length, 20);
  assert.match(sha256, /^[0-9a-f]{64}$/);
});
