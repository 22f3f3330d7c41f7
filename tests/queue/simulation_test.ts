import assert from "node:assert/strict";
import { MUTANTS } from "./simulation/mutants.ts";
import { live } from "./simulation/world.ts";

/** More with PRESCORE_SIMULATION_SEEDS; a seed that fails is lived again with `live(seed)`. */
const SEEDS = Number(Deno.env.get("PRESCORE_SIMULATION_SEEDS") ?? 40);
/** A mutant that outlives this many seeds is not noticed. */
const MUTANT_SEEDS = 400;

Deno.test(`the queue keeps its laws in ${SEEDS} simulated lives`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    assert.deepEqual(await live(seed), [], `seed ${seed}`);
  }
});

Deno.test("a simulated life is the same each time", async () => {
  const [mutant] = MUTANTS;
  for (let seed = 1; seed <= 5; seed++) {
    assert.deepEqual(await live(seed, mutant), await live(seed, mutant), `seed ${seed}`);
  }
});

for (const mutant of MUTANTS) {
  Deno.test(`the simulation notices when ${mutant.name}`, async () => {
    const first = mutant.noticedAt ?? 1;
    for (let turn = 0; turn < MUTANT_SEEDS; turn++) {
      const seed = 1 + (first - 1 + turn) % MUTANT_SEEDS;
      if ((await live(seed, mutant)).length > 0) return;
    }
    assert.fail(`no law was broken in ${MUTANT_SEEDS} lives`);
  });
}
