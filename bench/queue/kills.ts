/**
 * `deno task soak-kills [--kills 10000] [--seed 1]`: the kill test at length, a line of JSON for each database of 500 kills.
 * Ends with an error at the first task that was lost, stuck or given a second result.
 */
import { parseArgs } from "node:util";
import { killRandomly } from "../../tests/support/kill_harness.ts";

const KILLS_OF_A_DATABASE = 500;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
  },
});
const all = Number(values.kills);
for (let done = 0, seed = Number(values.seed); done < all; done += KILLS_OF_A_DATABASE, seed++) {
  const kills = Math.min(KILLS_OF_A_DATABASE, all - done);
  console.log(JSON.stringify({ seed, ...await killRandomly({ kills, seed }) }));
}
