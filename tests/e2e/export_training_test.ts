import assert from "node:assert/strict";
import type { SentTerms } from "../../consent/mod.ts";
import { encodePayload } from "../../scoring/handler.ts";
import { csvRows } from "../../scoring/csv.ts";
import { openStores } from "../../stores.ts";
import { config } from "../support/app.ts";
import { runTask } from "../support/process.ts";
import { EXAMPLE } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const TASK = ["-P=operate", "tasks/export_training.ts"];
const DAY_MS = Date.UTC(2026, 0, 31);

/** One who agreed to it, one who did not, and one whose agreement has run out. */
const TERMS: Readonly<Record<number, { terms: SentTerms }>> = {
  0: { terms: { actor: "test", consent: { purposes: ["model-training"], document: "notice" } } },
  2: { terms: { actor: "test", consent: { purposes: ["scoring"], document: "notice" } } },
  4: {
    terms: {
      actor: "test",
      consent: { purposes: ["model-training"], document: "notice", expiresAtMs: DAY_MS + 1 },
    },
  },
};

/** Applications of two kinds, the likelier of which are sent to bank A more often. */
async function fill(databaseUrl: string): Promise<void> {
  const stores = await openStores({ databaseUrl, limits: config.service.limits }, DAY_MS);
  for (let at = 0; at < 40; at++) {
    const likely = at % 2 === 0;
    const id = `app_${at}`;
    const answers = { ...EXAMPLE, monthprofit: 50_000 + at, position: at === 0 ? "=1+1" : "x;y" };
    const result = JSON.stringify({
      model: "1",
      probabilities: { bank_a: likely ? 0.81 : 0.21, bank_b: 0.5 },
    });
    const task = { id, payload: encodePayload(answers), revision: "1", ...TERMS[at] };
    assert.ok(await stores.store.enqueueDone({ ...task, result, createdAtMs: DAY_MS }, DAY_MS));
    if (likely || at % 8 === 1) {
      await stores.outcomes.record([{
        ...{ applicationId: id, tenant: "", bank: "bank_a", decidedAtMs: DAY_MS + 1 },
        ...{ event: at % 3 === 0 ? "refused" : "approved", probability: likely ? 0.81 : 0.21 },
        bins: new Uint8Array(),
      }], DAY_MS);
    }
  }
  stores.store.close();
}

Deno.test("deno task export-training writes what training reads, weighted, and says whom it leaves out", async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/p.db`;
  await fill(databaseUrl);
  const out = `${folder.path}/training.csv`;
  const env = { PRESCORE_DATABASE_URL: databaseUrl };
  const { code, stdout, stderr } = await runTask([...TASK, "--", "--out", out], { env });
  assert.equal(code, 0, stderr);
  const said = await Deno.readTextFile(`${out}.txt`);
  assert.ok(stdout.includes(said.trim()));
  assert.match(said, /a bank decides on whom it is\s+sent/);
  assert.match(said, /bank_a: of 40 applications .* decision of 23 is known/);
  assert.match(said, /bank_b: of 40 .* 0 is known.* 40 applications have an estimate at which no/);

  const text = await Deno.readTextFile(out);
  const rows = await Array.fromAsync(
    csvRows(ReadableStream.from([new TextEncoder().encode(text)])),
  );
  const [header = [], ...lines] = rows;
  assert.equal(lines.length, 23, "those of which nothing is known, or may be used, are left out");
  const column = (name: string) => lines.map((cells) => cells[header.indexOf(name)]);
  assert.deepEqual(
    header.slice(0, config.questionnaire.fields.length),
    config.questionnaire.fields.map(({ id }) => id),
  );
  assert.deepEqual([...new Set(column("applied_at"))], ["2026-01-31"]);
  assert.deepEqual([...new Set(column("BankA_decision"))].sort(), ["denied", "success"]);
  assert.deepEqual([...new Set(column("BankB_decision"))], [""]);
  assert.deepEqual([...new Set(column("BankA_weight"))].sort(), ["0.638889", "2.3"]);
  assert.equal(column("position")[0], "'=1+1", "no spreadsheet computes what a client wrote");
  assert.equal(column("position")[1], "x;y");

  const features = await runTask(
    ["-P=features", "tasks/features.ts", "--at-column", "applied_at"],
    {
      stdin: text,
    },
  );
  assert.equal(features.code, 0, features.stderr);
  assert.equal(features.stdout.trim().split("\n").length, 24);
});

Deno.test("deno task export-training says what is wrong with its options", async () => {
  for (
    const [args, expected] of [
      [[], /must be given --out FILE/],
      [["--out", "x.csv", "--from", "soon"], /--from: current value is soon, must be a date/],
    ] as const
  ) {
    const { code, stderr } = await runTask([...TASK, ...args]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
});
