import assert from "node:assert/strict";
import fc from "fast-check";
import { statement } from "../../database/database.ts";
import { sealStored } from "../../queue/seal_stored.ts";
import { openStore, type TestStore } from "../support/store.ts";

const STATES = ["queued", "leased", "done"] as const;
type State = typeof STATES[number];

const payloadOf = (at: number) => JSON.stringify({ answers: { monthprofit: 10_000 + at } });
const resultFor = (at: number) =>
  JSON.stringify({ model: "1", probabilities: { bank_a: at / 100 } });

/** Stores tasks as a version did that knew no keys. */
async function storeInClear({ store, connection }: TestStore, states: readonly State[]) {
  for (const [at, state] of states.entries()) {
    const task = { id: `app_${at}`, payload: payloadOf(at), revision: "1" };
    if (state === "done") {
      await store.enqueueDone({ ...task, result: resultFor(at), createdAtMs: 1 }, 1);
    } else await store.enqueue([task], 1);
    const row = { id: task.id, payload: task.payload, result: resultFor(at) };
    const number = "(SELECT number FROM tasks WHERE id = :id)";
    await connection.write([
      statement(
        `UPDATE payloads SET key = NULL, sealed = NULL, body = :payload WHERE number = ${number}`,
        { id: row.id, payload: row.payload },
      ),
      statement(`UPDATE results SET sealed = NULL, body = :result WHERE number = ${number}`, {
        ...{ id: row.id, result: row.result },
      }),
      ...state === "leased"
        ? [statement(
          "UPDATE tasks SET state = 'leased', lease_until_ms = 9, attempt = 1, fence = 1 WHERE id = :id",
          { id: row.id },
        )]
        : [],
    ]);
  }
}

async function clearTexts({ connection }: TestStore): Promise<string[]> {
  const { rows } = await connection.read(
    "SELECT body FROM payloads UNION ALL SELECT body FROM results",
  );
  return rows.map(({ body }) => String(body)).filter((body) => body !== "null");
}

Deno.test("sealing what was stored leaves in clear what is at work alone, and every text as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...STATES), { maxLength: 12 }),
      async (states) => {
        using test = await openStore();
        await storeInClear(test, states);
        const atWork = states.filter((state) => state === "leased").length;
        const parts = { database: test.connection, vault: test.vault };
        const sealed = { sealed: states.length - atWork, left: atWork };
        assert.deepEqual(await sealStored(parts), sealed);
        const inClear = states.flatMap((state, at) => state === "leased" ? [payloadOf(at)] : []);
        assert.deepEqual((await clearTexts(test)).toSorted(), inClear.toSorted());
        const ids = states.map((_, at) => `app_${at}`);
        const payloads = await test.store.payloadEach(ids);
        const tasks = await test.store.findEach(ids);
        for (const [at, state] of states.entries()) {
          assert.equal(payloads.get(`app_${at}`), payloadOf(at));
          const result = state === "done" ? resultFor(at) : null;
          assert.equal(tasks.get(`app_${at}`)?.result, result);
        }
        assert.deepEqual(await sealStored(parts), { sealed: 0, left: atWork });
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("more than one step of what was stored is sealed to its end", async () => {
  using test = await openStore();
  await storeInClear(test, Array.from({ length: 450 }, (_, at) => STATES[at % 3] ?? "done"));
  const sealed = await sealStored({ database: test.connection, vault: test.vault });
  assert.deepEqual(sealed, { sealed: 300, left: 150 });
});
