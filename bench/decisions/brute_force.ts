/**
 * The offers of 1,000 random clients at all banks against a look at every loan of every product: the same loans, to the cell.
 *
 *     deno run -A --no-lock bench/decisions/brute_force.ts [CLIENTS]
 *
 * Writes bench/results/offers.json; fails where an offer differs.
 */
import assert from "node:assert/strict";
import { APPLIED_AT_MS, randomApplicant } from "../../tests/support/applicants.ts";
import { bruteForceOffers } from "../../tests/support/brute_force.ts";
import { newDecider, readModels } from "../../tests/support/models.ts";
import { readConfig } from "../../tests/support/service.ts";
import { Random } from "../../tests/queue/simulation/random.ts";

const clients = Number(Deno.args[0] ?? 1000);
const shipped = readConfig();
// All applications are judged, however few answers they have.
const config = { ...shipped, policy: { ...shipped.policy, leastAnsweredShare: 0 } };
const models = await readModels(config);
const decider = newDecider(config, models);
const random = new Random(20261125);

const counts = { clients, banks: config.banks.banks.length, loans: 0, offers: 0, none: 0 };
const changed: Record<string, number> = {};
for (let client = 0; client < clients; client++) {
  const application = { answers: randomApplicant(random), atMs: APPLIED_AT_MS };
  const { banks } = await decider.decide(application);
  const expected = bruteForceOffers(application, { config, models });
  counts.loans += expected.cells;
  for (const bank of banks) {
    assert.ok(bank.status === "decided");
    const found = bank.offers.found.map(({ product, amount, term, probability }) => ({
      product,
      amount,
      term,
      probability,
    }));
    const where = `client ${client}, ${bank.bank}: ${JSON.stringify(application.answers)}`;
    assert.deepEqual(found, expected.offers.get(bank.bank), where);
    assert.equal(found.length === 0, bank.offers.none !== undefined, where);
    if (found.length === 0) counts.none++;
    counts.offers += found.length;
    for (const offer of bank.offers.found) {
      const kind = offer.changed.join(" and ") || "as asked for";
      changed[kind] = (changed[kind] ?? 0) + 1;
    }
  }
}

const result = { ...counts, changed, differences: 0 };
console.log(result);
await Deno.writeTextFile(
  new URL("../results/offers.json", import.meta.url),
  `${JSON.stringify(result, null, 2)}\n`,
);
