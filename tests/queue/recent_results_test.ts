import assert from "node:assert/strict";
import { RecentResults } from "../../queue/recent_results.ts";
import type { Task } from "../../queue/store.ts";
import { FakeClock } from "../support/fake_clock.ts";

const FRESH_MS = 1000;

function done(id: string, result = "{}"): Task {
  return {
    ...{ id, state: "done", attempt: 1, error: null, result },
    ...{ createdAtMs: 0, finishedAtMs: 0 },
  };
}

/** A store that counts its reads, and whose tasks a test changes. */
function setUp() {
  const clock = new FakeClock();
  const tasks = new Map<string, Task>();
  const reads: string[] = [];
  const find = (id: string) => {
    reads.push(id);
    return Promise.resolve(tasks.get(id));
  };
  const recent = new RecentResults({ store: { find }, clock, freshMs: FRESH_MS });
  return { clock, tasks, reads, recent };
}

Deno.test("RecentResults reads a done task once while it is fresh, and again after", async () => {
  const { clock, tasks, reads, recent } = setUp();
  tasks.set("a", done("a"));
  const first = await recent.find("a");
  await clock.advance(FRESH_MS - 1);
  assert.equal(await recent.find("a"), first);
  assert.equal(recent.peek("a"), first);
  assert.equal(reads.length, 1);
  await clock.advance(1);
  assert.equal(recent.peek("a"), undefined);
  tasks.delete("a");
  assert.equal(await recent.find("a"), undefined);
});

Deno.test("RecentResults keeps no task that may still change, none that is not there, and no long result", async () => {
  const { tasks, recent } = setUp();
  tasks.set("queued", { ...done("queued"), state: "queued", result: null });
  tasks.set("dead", { ...done("dead"), state: "dead", result: null });
  tasks.set("long", done("long", "x".repeat(2001)));
  for (const id of ["queued", "dead", "long", "none"]) {
    assert.equal(await recent.find(id), tasks.get(id));
    assert.equal(recent.peek(id), undefined, id);
  }
});

Deno.test("RecentResults forgets what is evicted, also where it is being read", async () => {
  const { tasks, recent } = setUp();
  tasks.set("a", done("a"));
  await recent.find("a");
  recent.evict("a");
  assert.equal(recent.peek("a"), undefined);
  const reading = recent.find("a");
  recent.evict("a");
  await reading;
  assert.equal(recent.peek("a"), undefined);
  await recent.find("a");
  recent.clear();
  assert.equal(recent.peek("a"), undefined);
});

Deno.test("RecentResults takes a result back when an upload queues its task again, and not when it is known", async () => {
  const { tasks, recent } = setUp();
  tasks.set("a", done("a"));
  await recent.find("a");
  await recent.watch(() => Promise.resolve("done"))({ id: "a" });
  assert.ok(recent.peek("a"));
  await recent.watch(() => Promise.resolve("queued"))({ id: "a" });
  assert.equal(recent.peek("a"), undefined);
});

Deno.test("RecentResults keeps no more than its limit, and lets go of the oldest", async () => {
  const { clock, tasks, recent } = setUp();
  for (let number = 0; number <= 10_000; number++) {
    tasks.set(String(number), done(String(number)));
    await recent.find(String(number));
  }
  assert.equal(recent.peek("0"), undefined);
  assert.ok(recent.peek("1") && recent.peek("10000"));
  await clock.advance(FRESH_MS);
  assert.equal(recent.peek("10000"), undefined);
});
