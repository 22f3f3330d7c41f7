/** Who comes first and who is refused, on every kind of database: priorities, tenants in turn, a full queue. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { QueueAdmin } from "../../queue/admin.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import type { NewTask, TaskStore } from "../../queue/store.ts";
import { openRemoteStore } from "../support/remote_store.ts";
import { openStore, temporaryFolder } from "../support/store.ts";
import type { OpenStore } from "./store_suite.ts";

const NOW = 1_700_000_000_000;

function tasks(
  prefix: string,
  count: number,
  rest: Pick<NewTask, "tenant" | "priority"> = {},
): NewTask[] {
  return Array.from(
    { length: count },
    (_, index) => ({ id: `${prefix}${index}`, payload: "{}", revision: "1", ...rest }),
  );
}

async function claim(store: TaskStore, limit: number) {
  const claim = { leaseMs: 1000, limit, retryHorizonMs: 1000 };
  return (await store.settle({ nowMs: NOW, claim })).claimed;
}

/** The ids in the order in which single claims give them. */
async function claimOrder(store: TaskStore): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const [task] = await claim(store, 1);
    if (task === undefined) return ids;
    ids.push(task.id);
  }
}

const kinds: [string, OpenStore][] = [
  ["in memory", openStore],
  ["on a server over Hrana", openRemoteStore],
];

for (const [where, open] of kinds) {
  Deno.test(`${where}: settle() claims interactive tasks before any of a batch`, async () => {
    await using test = await open();
    await test.store.enqueue(tasks("batch", 3, { priority: "batch" }), NOW);
    await test.store.enqueue(tasks("now", 2), NOW + 1);
    assert.deepEqual(await claimOrder(test.store), ["now0", "now1", "batch0", "batch1", "batch2"]);
  });

  Deno.test(`${where}: settle() claims no task of a batch with an interactive one, and few together`, async () => {
    await using test = await open();
    await test.store.enqueue(tasks("batch", 4, { priority: "batch" }), NOW);
    await test.store.enqueue(tasks("now", 2), NOW);
    const options = { leaseMs: 1000, limit: 10, batchLimit: 3, retryHorizonMs: 1000 };
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { claimed } = await test.store.settle({ nowMs: NOW, claim: options });
      sizes.push(claimed.length);
    }
    assert.deepEqual(sizes, [2, 3, 1]);
  });

  Deno.test(`${where}: settle() serves a tenant that comes late beside one with a backlog`, async () => {
    await using test = await open();
    await test.store.enqueue(tasks("a", 50, { tenant: "a" }), NOW);
    await claim(test.store, 10);
    await test.store.enqueue(tasks("b", 3, { tenant: "b" }), NOW);
    const order = await claimOrder(test.store);
    assert.deepEqual(order.slice(0, 6), ["a10", "b0", "a11", "b1", "a12", "b2"]);
    assert.equal(order.length, 43);
  });

  Deno.test(`${where}: settle() holds nothing against a tenant that used an idle queue`, async () => {
    await using test = await open();
    await test.store.enqueue(tasks("a", 50, { tenant: "a" }), NOW);
    await claim(test.store, 50);
    await test.store.enqueue(tasks("b", 50, { tenant: "b" }), NOW);
    await test.store.enqueue(tasks("late", 2, { tenant: "a" }), NOW);
    assert.deepEqual((await claimOrder(test.store)).slice(0, 4), ["b0", "late0", "b1", "late1"]);
  });

  Deno.test(`${where}: enqueue() refuses what it does not know while the queue is full`, async () => {
    await using test = await open();
    const store = new LibsqlStore(test.connection, {
      limits: { waitingTasks: 4, waitingTasksPerTenant: 3 },
      vault: test.vault,
    });
    const [first, ...others] = tasks("a", 3, { tenant: "a" });
    assert.ok(first);
    assert.deepEqual(await store.enqueue([first, ...others], NOW), ["queued", "queued", "queued"]);
    assert.deepEqual(await store.enqueue([...tasks("more", 1, { tenant: "a" }), first], NOW), [
      "refused",
      "queued",
    ]);
    assert.equal(await store.find("more0"), undefined);
    assert.deepEqual(await store.enqueue(tasks("b", 1, { tenant: "b" }), NOW), ["queued"]);
    assert.deepEqual(await store.enqueue(tasks("c", 1, { tenant: "c" }), NOW), ["refused"]);
    const batch = { tenant: "a", priority: "batch" } as const;
    assert.deepEqual(await store.enqueue(tasks("batch", 1, batch), NOW), ["queued"]);

    const claimed = await claim(store, 1);
    assert.deepEqual(await store.enqueue(tasks("c", 1, { tenant: "c" }), NOW), ["refused"]);
    await store.settle({
      nowMs: NOW,
      completed: claimed.map((task) => ({ ...task, result: "1" })),
    });
    assert.deepEqual(await store.enqueue(tasks("c", 1, { tenant: "c" }), NOW), ["queued"]);
    const again = claimed.map(({ id }) => ({ id, payload: "{}", revision: "2", tenant: "a" }));
    assert.deepEqual(await store.enqueue(again, NOW), ["queued"]);
  });
}

Deno.test("settle() claims by its indexes, not by reading or sorting the table", async () => {
  await using folder = await temporaryFolder();
  using test = await openStore(`file:${folder.path}/queue.db`);
  const seen: string[] = [];
  const spy = new LibsqlStore({
    async write(statements) {
      for (const each of statements) {
        assert.ok(typeof each !== "string");
        const { rows } = await test.connection.read({
          ...each,
          sql: `EXPLAIN QUERY PLAN ${each.sql}`,
        });
        seen.push(rows.map(({ detail }) => detail).join("; "));
      }
      return await test.connection.write(statements);
    },
    read: (statement) => test.connection.read(statement),
    close() {},
  }, { limits: { waitingTasks: 1, waitingTasksPerTenant: 1 }, vault: test.vault });
  await claim(spy, 3);
  const [retry = "", fresh = ""] = seen;
  for (const bound of ["<", ">"]) {
    for (const plan of [retry, fresh]) {
      assert.ok(plan.includes(`INDEX tasks_retry (priority=? AND run_at_ms${bound}?)`), plan);
    }
  }
  assert.match(fresh, /SEARCH tasks USING (COVERING )?INDEX tasks_fresh \(priority=\?\)/);
  for (const plan of seen) {
    assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/);
    assert.match(plan, /SEARCH tasks USING INTEGER PRIMARY KEY \(rowid=\?\)/);
  }
});

Deno.test("of two tenants that both wait neither is ever more than two tasks ahead", async () => {
  const step = fc.oneof(
    fc.record({
      tenant: fc.constantFrom("a", "b", "c"),
      count: fc.integer({ min: 1, max: 12 }),
    }),
    // A tenant whose tasks have all ended is forgotten, and comes again.
    fc.record({ claim: fc.integer({ min: 1, max: 5 }), ends: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      using test = await openStore();
      const waiting = { a: 0, b: 0, c: 0 };
      /** Tasks served since both of the pair have been waiting, first minus second. */
      const ahead = new Map<string, { most: number; least: number; now: number }>();
      let next = 0;
      function serve(served: "a" | "b" | "c"): void {
        for (const [first, second] of [["a", "b"], ["a", "c"], ["b", "c"]] as const) {
          const pair = first + second;
          if (waiting[first] === 0 || waiting[second] === 0) {
            ahead.delete(pair);
            continue;
          }
          const lead = ahead.get(pair) ?? { most: 0, least: 0, now: 0 };
          lead.now += served === first ? 1 : served === second ? -1 : 0;
          lead.most = Math.max(lead.most, lead.now);
          lead.least = Math.min(lead.least, lead.now);
          ahead.set(pair, lead);
          assert.ok(
            lead.most - lead.least <= 2,
            `${first} and ${second}: ${lead.least} to ${lead.most}`,
          );
        }
        waiting[served]--;
      }
      for (const each of steps) {
        if ("count" in each) {
          await test.store.enqueue(tasks(`${next++}.`, each.count, { tenant: each.tenant }), NOW);
          waiting[each.tenant] += each.count;
          continue;
        }
        const claimed = await claim(test.store, each.claim);
        if (each.ends) {
          const completed = claimed.map((task) => ({ ...task, result: "1" }));
          await test.store.settle({ nowMs: NOW, completed });
        }
        const { rows } = await test.connection.read({
          sql:
            "SELECT tenant FROM tasks WHERE id IN (SELECT value FROM json_each(?)) ORDER BY turn, rowid",
          args: [JSON.stringify(claimed.map(({ id }) => id))],
        });
        for (const { tenant } of rows) serve(tenant as "a" | "b" | "c");
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("the counts of what waits are right after every kind of change", async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("enqueue" as const),
      id: fc.integer({ min: 0, max: 5 }),
      tenant: fc.constantFrom("a", "b"),
      priority: fc.constantFrom("interactive" as const, "batch" as const),
      revision: fc.constantFrom("1", "2"),
    }),
    fc.record({
      kind: fc.constantFrom("claim", "complete", "fail", "bury", "rescue", "requeue", "purge"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      using test = await openStore();
      const admin = new QueueAdmin(test.connection);
      let held: Awaited<ReturnType<typeof claim>> = [];
      for (const each of steps) {
        if ("id" in each) {
          await test.store.enqueue([{ ...each, id: `t${each.id}`, payload: "{}" }], NOW);
        }
        if (each.kind === "claim") held = await claim(test.store, 2);
        const completed = held.map((task) => ({ ...task, result: "1" }));
        const failed = held.map((task) => ({
          ...task,
          error: "no",
          retryAtMs: each.kind === "bury" ? null : NOW,
        }));
        if (each.kind === "complete") await test.store.settle({ nowMs: NOW, completed });
        if (["fail", "bury"].includes(each.kind)) await test.store.settle({ nowMs: NOW, failed });
        if (each.kind === "rescue") {
          await test.store.rescue({ nowMs: NOW + 1000, maxAttempts: 2, leaseHorizonMs: 5000 });
        }
        if (each.kind === "requeue") await admin.requeue("all", NOW);
        if (each.kind === "purge") await admin.purge("done", NOW + 1);
        const kept = await test.connection.read(
          "SELECT priority, tenant, waiting FROM tenants ORDER BY priority, tenant",
        );
        const counted = await test.connection.read(`
          SELECT priority, tenant, count(*) AS waiting FROM tasks WHERE state IN ('queued', 'leased')
          GROUP BY priority, tenant ORDER BY priority, tenant`);
        assert.deepEqual(kept.rows, counted.rows);
      }
    }),
    { numRuns: 150 },
  );
});
