import assert from "node:assert/strict";
import { decisionSchema } from "../../scoring/decision.ts";
import {
  decodeDecision,
  decodeResult,
  encodePayload,
  scoringHandler,
} from "../../scoring/handler.ts";
import { Scorer } from "../../scoring/score.ts";
import { APPLIED_AT_MS } from "../support/applicants.ts";
import { newDecider, readModels } from "../support/models.ts";
import { EXAMPLE, readConfig } from "../support/service.ts";

const config = readConfig();
const models = await readModels(config);
const scorer = new Scorer({
  features: models.features,
  models: models.models,
  banks: config.banks.banks.map(({ id }) => id),
  withoutEvidence: [],
});
const decider = newDecider(config, models);

function task(payload: string) {
  return { payload, createdAtMs: APPLIED_AT_MS };
}

Deno.test("a task gets what its payload wants: probabilities, or a decision as of its upload", async () => {
  const [scored, decided] = await scoringHandler({ scorer, decider })([
    task(encodePayload(EXAMPLE)),
    task(encodePayload(EXAMPLE, "decision")),
  ]);
  assert.ok(scored && "result" in scored && decided && "result" in decided);
  const { probabilities } = decodeResult(scored.result);
  const decision = decisionSchema.parse(decodeDecision(decided.result));
  assert.equal(decision.receipt.asOfMs, APPLIED_AT_MS);
  const found = decision.banks.map((
    bank,
  ) => [bank.bank, "probability" in bank && bank.probability]);
  assert.deepEqual(Object.fromEntries(found), probabilities);
});

Deno.test("a payload that wants only probabilities is as it was before decisions", () => {
  assert.equal(encodePayload({ amount: 1 }), '{"answers":{"amount":1}}');
});

Deno.test("what cannot be read or decided fails alone", async () => {
  const failing = { decide: () => Promise.reject(new Error("the workers are gone")) };
  const outcomes = await scoringHandler({ scorer, decider: failing })([
    task("{"),
    task('{"answers":{},"wanted":"a loan"}'),
    task(encodePayload(EXAMPLE, "decision")),
    task(encodePayload(EXAMPLE)),
  ]);
  assert.match(
    outcomes.map((one) => "error" in one ? one.error : "").join("\n"),
    /^the stored application cannot be read: .*\nthe stored application cannot be read: it wants "a loan", must be .*\nthe workers are gone\n$/,
  );
  assert.ok(outcomes[3] && "result" in outcomes[3]);
});
