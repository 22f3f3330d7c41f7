import assert from "node:assert/strict";
import { openStore } from "../support/store.ts";
import { MemoryDatabase } from "./simulation/database.ts";
import { MUTANTS } from "./simulation/mutants.ts";
import { live, type Mutant } from "./simulation/world.ts";

/** More with PRESCORE_SIMULATION_SEEDS; a seed that fails is lived again by itself, with `lifeOf(seed)`. */
const SEEDS = Number(Deno.env.get("PRESCORE_SIMULATION_SEEDS") ?? 100);
const FIRST_SEED = Number(Deno.env.get("PRESCORE_SIMULATION_FIRST_SEED") ?? 1);
/** A mutant that outlives this many seeds is not noticed. */
const MUTANT_SEEDS = 400;

const database = await MemoryDatabase.open();

async function lifeOf(seed: number, mutant?: Mutant): Promise<string[]> {
  database.clear();
  return await live({ seed, database, ...mutant && { mutant } });
}

Deno.test(`the queue keeps its laws in ${SEEDS} simulated lives`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    assert.deepEqual(await lifeOf(seed), [], `seed ${seed}`);
  }
});

Deno.test("a simulated life is the same each time", async () => {
  const [mutant] = MUTANTS;
  for (let seed = 1; seed <= 5; seed++) {
    assert.deepEqual(await lifeOf(seed, mutant), await lifeOf(seed, mutant), `seed ${seed}`);
  }
});

Deno.test("the queue keeps its laws on libSQL as well", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    using test = await openStore();
    assert.deepEqual(await live({ seed, database: test.connection }), [], `seed ${seed}`);
  }
});

for (const mutant of MUTANTS) {
  Deno.test(`the simulation notices when ${mutant.name}`, async () => {
    const first = mutant.noticedAt ?? 1;
    for (let seed = first; seed < first + MUTANT_SEEDS; seed++) {
      if ((await lifeOf(seed, mutant)).length > 0) return;
    }
    assert.fail(`no law was broken in ${MUTANT_SEEDS} lives`);
  });
}
