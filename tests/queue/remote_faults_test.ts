/** What a cut of the network at any point leaves: nothing lost, nothing twice. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fault } from "../support/hrana_server.ts";
import { openRemoteStore } from "../support/remote_store.ts";
import { resultOf } from "../support/store.ts";

const NOW = 1_700_000_000_000;
const LEASE = 1000;
const CLAIM = { leaseMs: LEASE, limit: 10, retryHorizonMs: 100 * LEASE };

/** A store whose server meets the faults in `next`, one for each request that writes. */
async function openFaulty() {
  const next: Fault[] = [];
  const test = await openRemoteStore({
    fault: (sql) => sql.some((text) => text.startsWith("BEGIN")) ? next.shift() ?? "none" : "none",
  });
  return Object.assign(test, { next });
}

Deno.test("an upload whose answer was lost after the commit is acknowledged, and stored once", async () => {
  await using test = await openFaulty();
  test.next.push("cutAfter");
  assert.deepEqual(await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW), [
    "queued",
  ]);
  assert.deepEqual(test.next, []);
  const { claimed } = await test.store.settle({ nowMs: NOW, claim: CLAIM });
  assert.deepEqual(claimed.map(({ id }) => id), ["a"]);
});

Deno.test("a result whose answer was lost after the commit stands, and is not stored again", async () => {
  await using test = await openFaulty();
  await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW);
  await test.store.settle({ nowMs: NOW, claim: CLAIM });
  test.next.push("cutAfter");
  await test.store.settle({ nowMs: NOW, completed: [{ id: "a", fence: 1, result: "1" }] });
  assert.deepEqual(test.next, []);
  assert.equal(await resultOf(test.store, "a"), "1");
  assert.equal((await test.store.find("a"))?.state, "done");
});

Deno.test("a failure whose answer was lost is counted once", async () => {
  await using test = await openFaulty();
  await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW);
  await test.store.settle({ nowMs: NOW, claim: CLAIM });
  test.next.push("cutAfter");
  const failed = [{ id: "a", fence: 1, error: "no", retryAtMs: NOW }];
  await test.store.settle({ nowMs: NOW, failed, claim: CLAIM });
  const task = await test.store.find("a");
  assert.equal(task?.state, "leased");
  assert.equal(task?.attempt, 2);
});

Deno.test("a claim whose answer was lost is taken up again when its lease ends", async () => {
  await using test = await openFaulty();
  await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW);
  test.next.push("cutAfter");
  assert.deepEqual((await test.store.settle({ nowMs: NOW, claim: CLAIM })).claimed, []);
  const nowMs = NOW + LEASE;
  await test.store.rescue({ nowMs, maxAttempts: 3, leaseHorizonMs: 100 * LEASE });
  const { claimed } = await test.store.settle({ nowMs, claim: CLAIM });
  assert.deepEqual(claimed.map(({ id, fence }) => [id, fence]), [["a", 2]]);
});

Deno.test("a server that stays away is reported, and used again when it is back", async () => {
  await using test = await openFaulty();
  // More than are tried again: fetch itself also repeats a request whose connection was closed.
  test.next.push(...Array<Fault>(20).fill("cutBefore"));
  await assert.rejects(test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW));
  test.next.length = 0;
  assert.equal(await test.store.find("a"), undefined);
  assert.deepEqual(await test.store.enqueue([{ id: "a", payload: "{}", revision: "1" }], NOW), [
    "queued",
  ]);
});

Deno.test("what a server refuses is not asked again", async () => {
  let writes = 0;
  await using test = await openRemoteStore({
    fault(sql) {
      if (sql.some((text) => text.startsWith("BEGIN"))) writes++;
      return "none";
    },
  });
  await test.vault.ready(1);
  const before = writes;
  await assert.rejects(
    test.store.enqueue([{ id: "a".repeat(65), payload: "{}", revision: "1" }], NOW),
    /length/,
  );
  assert.equal(writes, before + 1);
});

Deno.test("cuts at any point of any load lose no acknowledged task and store no second result", async () => {
  const cut = fc.constantFrom<Fault>("none", "none", "none", "cutBefore", "cutAfter");
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 60 }), async (faults) => {
      await using test = await openFaulty();
      test.next.push(...faults);
      const acknowledged: string[] = [];
      for (let upload = 0; upload < 8; upload++) {
        const id = `t${upload}`;
        await test.store.enqueue([{ id, payload: "{}", revision: "1" }], NOW)
          .then(() => acknowledged.push(id), () => {});
      }
      const stored = new Map<string, string[]>();
      let nowMs = NOW;
      // Every round ends one lease: what a lost answer left leased comes back, until all is done.
      for (let round = 0; round < 40; round++, nowMs += LEASE) {
        try {
          await test.store.rescue({ nowMs, maxAttempts: 1000, leaseHorizonMs: 100 * LEASE });
          const { claimed } = await test.store.settle({ nowMs, claim: { ...CLAIM, limit: 3 } });
          const completed = claimed.map(({ id, fence }) => ({ id, fence, result: `${fence}` }));
          if (completed.length === 0) continue;
          for (const { id, result } of completed) {
            stored.set(id, [...stored.get(id) ?? [], result]);
          }
          await test.store.settle({ nowMs, completed });
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }
      for (const id of acknowledged) {
        const result = await resultOf(test.store, id);
        assert.ok(result !== undefined && stored.get(id)?.includes(result), `${id}: ${result}`);
      }
    }),
    { numRuns: 15 },
  );
});
