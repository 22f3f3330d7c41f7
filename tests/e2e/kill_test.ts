import assert from "node:assert/strict";
import { killRandomly } from "../support/kill_harness.ts";

/** More with PRESCORE_KILLS; each database lives through 500 at most. */
const KILLS = Number(Deno.env.get("PRESCORE_KILLS") ?? 12);
const KILLS_OF_A_DATABASE = 500;

Deno.test(`${KILLS} random kills lose no acknowledged task, store one result for each, and leave none stuck`, async () => {
  for (let done = 0, seed = 1; done < KILLS; done += KILLS_OF_A_DATABASE, seed++) {
    const kills = Math.min(KILLS_OF_A_DATABASE, KILLS - done);
    const report = await killRandomly({ kills, seed });
    console.log(JSON.stringify({ seed, ...report }));
    assert.equal(report.late, 0, "something waited longer than its lease and a second");
    assert.ok(report.acknowledged > kills, "there was hardly any load");
  }
});
