import assert from "node:assert/strict";
import { startScoring } from "../../workers.ts";
import { APPLIED_AT_MS, randomApplicant } from "../support/applicants.ts";
import { readConfig } from "../support/service.ts";
import { Random } from "../queue/simulation/random.ts";

Deno.test("workers decide as the main thread does", async () => {
  const config = readConfig();
  await using scoring = await startScoring({
    ...config,
    service: { ...config.service, workers: 1 },
  });
  const random = new Random(2);
  const applications = Array.from({ length: 5 }, () => ({
    answers: randomApplicant(random),
    atMs: APPLIED_AT_MS,
  }));
  const decideAll = () => Promise.all(applications.map((one) => scoring.decider.explore(one)));
  const here = await decideAll();
  assert.equal(await scoring.startWorkers(), 1);
  assert.deepEqual(await decideAll(), here);
});
