import assert from "node:assert/strict";
import fc from "fast-check";
import { cohortsOf, OutcomeStore } from "../../../analytics/mod.ts";
import { edgesOf } from "../../../analytics/cohort_columns.ts";
import { config, openApp, type TestApp } from "../../support/app.ts";

const CLIENTS = 2400;
const LEAST_INCOME = 40_000;

const kindsOf = (id: string) => {
  const { meaning } = config.questionnaire.fields.find((field) => field.id === id) ??
    assert.fail(id);
  return meaning.kind === "category" ? meaning.values : assert.fail(id);
};

/** Of every second in turn; a third of the others whom the planted cohort does not hold. */
function client(at: number) {
  const [kinds, lessons] = [kindsOf("employment_status"), kindsOf("education")];
  const kind = kinds[at % 3]?.value ?? "";
  const income = LEAST_INCOME + 1000 * (at * 7 % 160);
  const isPlanted = at % 3 === 1 && income < 80_000;
  return {
    answers: {
      ...{ employment_status: kind, education: lessons[at % 4]?.value ?? "" },
      ...{ monthprofit: income, loan_amount: 50_000 + 1000 * (at * 13 % 200), loan_term: 12 },
    },
    // Every tenth of the planted, every second of the others, without a pattern that an answer has.
    approved: (at * 2_654_435_761 >>> 16) % 10 < (isPlanted ? 2 : 5),
  };
}

async function store({ stores, clock, project }: TestApp, count = CLIENTS): Promise<void> {
  const result = JSON.stringify({ model: "1", probabilities: { bank_a: 0.5, bank_b: 0.3 } });
  for (let at = 0; at < count; at++) {
    const task = {
      ...{ id: `app_${at}`, payload: JSON.stringify({ answers: client(at).answers }) },
      ...{ revision: "1", result, createdAtMs: clock.now() },
    };
    await stores.store.enqueueDone(task, clock.now());
  }
  await new OutcomeStore(stores.connection).record(
    Array.from({ length: count }, (_, at) => ({
      ...{ applicationId: `app_${at}`, tenant: "", bank: "bank_a", decidedAtMs: 1 },
      ...{ event: client(at).approved ? "approved" as const : "refused" as const },
      ...{ probability: 0.5, bins: new Uint8Array() },
    })),
    1,
  );
  await project();
}

const read = async (app: TestApp, query = "") =>
  await (await app.request(`/v1/analytics/cohorts?${query}`)).json();

Deno.test("clients whom banks approve less are named by their conditions, the first of all", async () => {
  await using app = await openApp();
  await store(app);
  const { clients, mean, lower } = await read(app);
  assert.equal(clients, CLIENTS);
  assert.ok(mean > 0.35 && mean < 0.55, String(mean));
  const [first] = lower;
  assert.deepEqual(
    first.conditions.map(({ field }: { field: string }) => field).toSorted(),
    ["employment_status", "monthprofit"],
  );
  const texts = first.conditions.map(({ text }: { text: { en: string } }) => text.en);
  const label = kindsOf("employment_status")[1]?.label.en ?? "";
  assert.ok(texts.some((text: string) => text.endsWith(`: ${label}`)), texts.join());
  assert.ok(texts.some((text: string) => /: less than .?(7|8)\d,\d{3}$/.test(text)), texts.join());
  assert.ok(first.value < 0.3 && first.others > 0.4, JSON.stringify(first));
  assert.equal(first.decided, first.clients);
  assert.equal(first.rate.value, first.value);
  assert.equal(first.expected, 0.5);
});

Deno.test("where all have the same chance no cohort is found by estimates", async () => {
  await using app = await openApp();
  await store(app, 200);
  const { fields, ...rest } = await read(app, "by=estimated");
  assert.ok(fields.some(({ field }: { field: string }) => field === "monthprofit"));
  assert.deepEqual({ ...rest, fields }, {
    ...{ measure: "estimated", clients: 200, mean: 0.5, lower: [], higher: [], fields },
  });
  assert.equal((await app.request("/v1/analytics/cohorts?by=luck")).status, 422);
});

Deno.test("all clients are told apart by the answers to any question that has few, or an order", async () => {
  await using app = await openApp();
  await store(app, 300);
  const cellsOf = async (split: string) => (await read(app, `split=${split}`)).split.cells;
  const kinds = await cellsOf("employment_status");
  assert.deepEqual(kinds.map(({ clients }: { clients: number }) => clients), [100, 100, 100]);
  const expected =
    Array.from({ length: 300 }, (_, at) => at).filter((at) => at % 3 === 1 && client(at).approved)
      .length / 100;
  assert.equal(kinds[1].value, expected);
  const incomes = await cellsOf("monthprofit");
  const sum = incomes.reduce((sum: number, { clients }: { clients: number }) => sum + clients, 0);
  assert.equal(sum, 300);
  assert.match(incomes[0].conditions[0].text.en, /less than/);
  assert.match(incomes.at(-1).conditions[0].text.en, /or more$/);
  assert.equal((await app.request("/v1/analytics/cohorts?split=merch_code")).status, 404);
});

Deno.test("what was found is kept for ten minutes", async () => {
  await using app = await openApp();
  assert.equal((await read(app)).clients, 0);
  await store(app, 10);
  assert.equal((await read(app)).clients, 0);
  await app.clock.advance(600_000);
  assert.equal((await read(app)).clients, 10);
});

Deno.test("cohortsOf() shows no fewer than five clients, and no rate of fewer decisions", () => {
  const clientOf = fc.record({
    kind: fc.integer({ min: 0, max: 2 }),
    chance: fc.integer({ min: 0, max: 1000 }),
    told: fc.constantFrom({}, { bank_a: "refused" as const }, { bank_a: "approved" as const }),
  });
  fc.assert(
    fc.property(fc.array(clientOf, { minLength: 30, maxLength: 150 }), (drawn) => {
      const clients = drawn.map(({ kind, chance, told }) => ({
        answers: { employment_status: kindsOf("employment_status")[kind]?.value ?? "" },
        ...{ atMs: 0, told },
        estimate: {
          ...{ scored: true, recommended: true, levers: {} },
          permille: { bank_a: kind === 0 ? 0 : chance },
        },
      }));
      const { cohorts: found, splits } = cohortsOf(clients, { ...config, measure: "estimated" });
      for (const cohort of [...found.lower, ...found.higher]) {
        assert.ok(cohort.clients >= 5 && found.clients - cohort.clients >= 5);
        assert.ok(cohort.decided === undefined || cohort.decided >= 5);
      }
      for (const { cells } of splits.values()) {
        const shown = cells.reduce((sum, { clients }) => sum + clients, 0);
        const hidden = found.clients - shown;
        assert.ok(cells.every(({ clients }) => clients >= 5));
        assert.ok(hidden === 0 || hidden >= 5, `${hidden} clients could be told from the sum`);
      }
    }),
  );
});

Deno.test("edgesOf() rises, leaves nobody out, and cuts each value off from some", () => {
  fc.assert(fc.property(fc.array(fc.float({ noNaN: true, min: 0, max: 1e6 })), (numbers) => {
    const edges = edgesOf(Float32Array.from(numbers));
    assert.deepEqual(edges, [...new Set(edges)].toSorted((a, b) => a - b));
    assert.ok(edges.every((edge) => numbers.some((value) => value < edge)));
  }));
});
