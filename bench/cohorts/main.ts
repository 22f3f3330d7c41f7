/**
 * `deno task bench-cohorts`: how often a planted cohort is among the first three that are found, and how often one is found where
 * nothing is planted; writes bench/results/cohorts.json. `--seeds N` sets how many worlds there are of each kind, `--clients N,M` of how many
 * clients.
 */
import { findCohorts, jaccard, membersOf } from "../../analytics/cohort_search.ts";
import { wilson } from "../../lifecycle/mod.ts";
import { main, readOptions } from "../../tasks/main.ts";
import { makeWorld } from "./world.ts";

const FIRST = 3;
/** A cohort that is found is the planted one where they share so much of what they hold together. */
const SAME = 0.8;

await main(async () => {
  const { values } = readOptions({
    options: {
      seeds: { type: "string", default: "200" },
      clients: { type: "string", default: "5000,20000" },
    },
  });
  const seeds = Number(values.seeds);
  const result = {
    seeds,
    clients: Object.fromEntries(
      values.clients.split(",").map(Number).map((clients) => [clients, {
        planted: Object.fromEntries(
          [1, 2, 3].map((conditions) => [conditions, planted({ seeds, clients, conditions })]),
        ),
        nothing: nothing({ seeds, clients }),
      }]),
    ),
  };
  console.log(JSON.stringify(result, null, 2));
  const file = new URL("../results/cohorts.json", import.meta.url);
  await Deno.writeTextFile(file, `${JSON.stringify(result, null, 2)}\n`);
});

interface Kind {
  readonly seeds: number;
  readonly clients: number;
}

/** Found: one of the first three is it; named: by the planted conditions themselves, or by its columns at least. */
function planted({ seeds, clients, conditions }: Kind & { readonly conditions: number }) {
  let [found, first, exact, columns, others] = [0, 0, 0, 0, 0];
  const milliseconds: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const world = makeWorld({ seed, clients, conditions });
    const startMs = performance.now();
    const cohorts = findCohorts(world.population, { direction: "lower", limit: 10 });
    milliseconds.push(performance.now() - startMs);
    const truth = membersOf(world.population, world.planted);
    const at = cohorts.findIndex(({ members }) => jaccard(members, truth) >= SAME);
    const hit = at >= 0 && at < FIRST ? cohorts[at] : undefined;
    others += cohorts.length - Number(at >= 0);
    if (hit === undefined) continue;
    found++;
    first += Number(at === 0);
    exact += Number(JSON.stringify(hit.conditions) === JSON.stringify(world.planted));
    const names = (all: readonly { readonly column: number }[]) =>
      all.map(({ column }) => column).join();
    columns += Number(names(hit.conditions) === names(world.planted));
  }
  milliseconds.sort((a, b) => a - b);
  return {
    found: wilson(found, seeds),
    first: wilson(first, seeds),
    sameColumns: wilson(columns, seeds),
    sameConditions: wilson(exact, seeds),
    othersPerWorld: others / seeds,
    medianMs: Math.round(milliseconds[Math.floor(seeds / 2)] ?? 0),
  };
}

/** How often anything is found, either way, where nothing differs. */
function nothing({ seeds, clients }: Kind) {
  let found = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const { population } = makeWorld({ seed: 10_000 + seed, clients, conditions: 0 });
    const any = (direction: "lower" | "higher") =>
      findCohorts(population, { direction, limit: 1 }).length > 0;
    found += Number(any("lower") || any("higher"));
  }
  return { found: wilson(found, seeds) };
}
