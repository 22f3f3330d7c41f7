import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ALIKE,
  type Column,
  type Condition,
  conditionsOf,
  descriptions,
  findCohorts,
  hidesSmallCells,
  jaccard,
  membersOf,
  type Population,
  SMALL_CELL,
} from "../../analytics/cohort_search.ts";
import { makeWorld } from "../../bench/cohorts/world.ts";

const column = (clients: number): fc.Arbitrary<Column> =>
  fc.record({ bins: fc.integer({ min: 2, max: 4 }), ordered: fc.boolean() }).chain((shape) =>
    fc.array(fc.nat(shape.bins - 1), { minLength: clients, maxLength: clients })
      .map((values) => ({ ...shape, values: Uint8Array.from(values) }))
  );

const population: fc.Arbitrary<Population> = fc.integer({ min: 40, max: 90 }).chain((clients) =>
  fc.record({
    columns: fc.array(column(clients), { minLength: 1, maxLength: 4 }),
    target: fc.array(fc.nat(1000), { minLength: clients, maxLength: clients })
      .map((values) => Float64Array.from(values, (permille) => permille / 1000)),
    members: fc.constant(Uint32Array.from({ length: clients }, (_, at) => at)),
  })
).map((drawn) => ({
  ...drawn,
  // Approval hangs on the first column, so that there is something to find.
  target: drawn.target.map((value, at) => drawn.columns[0]?.values[at] === 1 ? value / 20 : value),
}));

/** Those whom the conditions hold for, one by one. */
function filtered({ columns, members }: Population, conditions: readonly Condition[]): number[] {
  return [...members].filter((member) =>
    conditions.every(({ column, from, to }) => {
      const bin = columns[column]?.values[member] ?? -1;
      return from <= bin && bin <= to;
    })
  );
}

/** Every description of at most three conditions on different columns. */
function allDescriptions({ columns }: Population): Condition[][] {
  let all: Condition[][] = [[]];
  for (const [at, column] of columns.entries()) {
    const more = all.filter(({ length }) => length < 3)
      .flatMap((conditions) => conditionsOf(column, at).map((one) => [...conditions, one]));
    all = [...all, ...more];
  }
  return all.filter(({ length }) => length > 0);
}

function zOf({ target, members }: Population, cohort: readonly number[]): number {
  const [n, all] = [cohort.length, members.length];
  const mean = target.reduce((sum, value) => sum + value, 0) / all;
  const variance = target.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all - 1);
  const sum = cohort.reduce((sum, member) => sum + (target[member] ?? 0), 0);
  return (n * mean - sum) / Math.sqrt(variance * n * (all - n) / all);
}

Deno.test("a cohort holds whom its conditions hold for, and is as far from the others as is said", () => {
  let found = 0;
  fc.assert(fc.property(population, (all) => {
    for (
      const { conditions, members, z } of findCohorts(all, {
        ...{ direction: "lower", limit: 5, leastMembers: 5 },
      })
    ) {
      found++;
      assert.deepEqual([...members], filtered(all, conditions));
      assert.ok(members.length >= 5);
      assert.ok(Math.abs(z - zOf(all, [...members])) < 1e-9);
    }
  }));
  assert.ok(found > 20, `${found} cohorts were found`);
});

Deno.test("no condition of a cohort leaves so few out that they could be known", () => {
  fc.assert(fc.property(population, (all) => {
    const options = { direction: "higher", limit: 9, leastMembers: 1 } as const;
    for (const { conditions, members } of findCohorts(all, options)) {
      assert.ok(members.length >= SMALL_CELL);
      for (const one of conditions) {
        const wider = filtered(all, conditions.filter((each) => each !== one));
        assert.ok(wider.length - members.length >= SMALL_CELL);
      }
    }
  }));
});

Deno.test("a search that goes on with everything finds the best of all descriptions", () => {
  fc.assert(fc.property(population, (all) => {
    const options = { direction: "lower", limit: 1, leastMembers: 5 } as const;
    const [best] = findCohorts(all, { ...options, keep: Infinity, width: Infinity });
    if (best === undefined) return;
    const sizes = allDescriptions(all).filter(({ length }) => length === best.conditions.length);
    const rivals = sizes.filter((conditions) => hidesSmallCells(all, conditions))
      .map((conditions) => filtered(all, conditions));
    assert.ok(best.z >= Math.max(...rivals.map((rival) => zOf(all, rival))) - 1e-9);
  }));
});

Deno.test("descriptions are counted as they are", () => {
  fc.assert(fc.property(population, (all) => {
    const counted = descriptions(all.columns.map((column, at) => conditionsOf(column, at).length));
    const listed = allDescriptions(all);
    for (const [at, count] of counted.entries()) {
      assert.equal(count, Math.max(1, listed.filter(({ length }) => length === at + 1).length));
    }
  }));
});

Deno.test("no two cohorts are alike, and a column that is left out is in none", () => {
  fc.assert(fc.property(population, (all) => {
    const options = { direction: "lower", limit: 9, leastMembers: 5 } as const;
    const found = findCohorts(all, options);
    for (const [at, { members }] of found.entries()) {
      for (const other of found.slice(at + 1)) {
        assert.ok(jaccard(members, other.members) < ALIKE);
      }
    }
    const without = findCohorts(all, { ...options, without: new Set([0]) });
    assert.ok(without.every(({ conditions }) => conditions.every(({ column }) => column !== 0)));
  }));
});

Deno.test("where all are alike nothing is found, and of nobody nothing", () => {
  const { population } = makeWorld({ seed: 1, clients: 2000, conditions: 0 });
  const options = { direction: "lower", limit: 3 } as const;
  const alike = { ...population, target: new Float64Array(2000).fill(0.4) };
  assert.deepEqual(findCohorts(alike, options), []);
  assert.deepEqual(findCohorts({ ...population, members: new Uint32Array() }, options), []);
});

Deno.test("a planted cohort of 5 % with 25 points less is among the first three, by its conditions", () => {
  let found = 0;
  const seeds = [1, 2, 3, 4];
  for (const seed of seeds) {
    for (const conditions of [1, 2, 3]) {
      const { population, planted } = makeWorld({ seed, clients: 5000, conditions });
      const truth = membersOf(population, planted);
      const cohorts = findCohorts(population, { direction: "lower", limit: 3 });
      found += Number(cohorts.some(({ members }) => jaccard(members, truth) >= 0.8));
    }
  }
  assert.ok(found >= 10, `${found} of ${3 * seeds.length} were found`);
});
