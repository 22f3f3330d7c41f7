/** Token buckets, of one process and shared: never more than the burst and what has come back since. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Buckets, LocalBuckets, type Rate, SharedBuckets } from "../../access/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openRemoteStore } from "../support/remote_store.ts";
import { openStore } from "../support/store.ts";

const rates = fc.record({
  perSecond: fc.constantFrom(0.05, 1, 3, 500),
  burst: fc.integer({ min: 1, max: 40 }),
});

/** How many of `count` requests at once are taken. */
async function taken(buckets: Buckets, rate: Rate, count: number): Promise<number> {
  let n = 0;
  for (let each = 0; each < count; each++) if ((await buckets.take("a", rate)).waitMs === 0) n++;
  return n;
}

Deno.test("a bucket gives its burst, and then what comes back", async () => {
  await fc.assert(fc.asyncProperty(
    rates,
    fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 }),
    async (rate, pausesMs) => {
      const clock = new FakeClock();
      const buckets = new LocalBuckets(clock);
      let [given, passedMs] = [await taken(buckets, rate, rate.burst + 5), 0];
      assert.equal(given, rate.burst);
      for (const pauseMs of pausesMs) {
        clock.set(clock.now() + pauseMs);
        passedMs += pauseMs;
        given += await taken(buckets, rate, 3);
        assert.ok(given <= rate.burst + passedMs * rate.perSecond / 1000 + 1e-6);
      }
    },
  ));
});

Deno.test("who waits for as long as he is told is given a token, and not before", async () => {
  await fc.assert(fc.asyncProperty(rates, async (rate) => {
    const clock = new FakeClock();
    const buckets = new LocalBuckets(clock);
    await taken(buckets, rate, rate.burst);
    const { waitMs, remaining } = buckets.take("a", rate);
    assert.equal(remaining, 0);
    clock.set(clock.now() + Math.ceil(waitMs) - 1);
    if (Math.ceil(waitMs) - 1 > 0) assert.ok(buckets.take("a", rate).waitMs > 0);
    clock.set(clock.now() + 1);
    assert.equal(buckets.take("a", rate).waitMs, 0);
  }));
});

Deno.test("a bucket counts down what is left, and each key has its own", () => {
  const buckets = new LocalBuckets(new FakeClock());
  const rate = { perSecond: 1, burst: 3 };
  assert.deepEqual([1, 2, 3].map(() => buckets.take("a", rate).remaining), [2, 1, 0]);
  assert.equal(buckets.take("b", rate).remaining, 2);
});

Deno.test("a clock that is set back keeps no bucket empty for longer than it takes to fill", async () => {
  const clock = new FakeClock();
  const buckets = new LocalBuckets(clock);
  const rate = { perSecond: 1, burst: 3 };
  await taken(buckets, rate, 3);
  clock.set(clock.now() - 86_400_000);
  assert.ok(buckets.take("a", rate).waitMs <= 3000);
  clock.set(clock.now() + 3000);
  assert.equal(await taken(buckets, rate, 5), 3);
});

Deno.test("processes share a bucket: together they get its burst, and what comes back", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  const rate = { perSecond: 10, burst: 20 };
  const processes = [1, 2, 3].map(() => new SharedBuckets(test.connection, clock));
  const all = async () => {
    let n = 0;
    for (let each = 0; each < 30; each++) {
      for (const buckets of processes) if ((await buckets.take("a", rate)).waitMs === 0) n++;
    }
    return n;
  };
  assert.equal(await all(), 20);
  await clock.advance(500);
  assert.equal(await all(), 5);
  await clock.advance(86_400_000);
  assert.equal(await all(), 20);
});

Deno.test("a process writes once for many requests, and not at all for one that must wait", async () => {
  using test = await openStore();
  const clock = new FakeClock();
  let writes = 0;
  const { connection } = test;
  const database = {
    read: connection.read.bind(connection),
    close() {},
    write: (...args: Parameters<typeof connection.write>) => {
      writes++;
      return connection.write(...args);
    },
  };
  const buckets = new SharedBuckets(database, clock);
  const rate = { perSecond: 1, burst: 100 };
  assert.equal(await taken(buckets, rate, 100), 100);
  assert.equal(writes, 10);
  assert.equal(await taken(buckets, rate, 1000), 0);
  assert.equal(writes, 11);
});

Deno.test("requests that come together share one lot", async () => {
  using test = await openStore();
  const buckets = new SharedBuckets(test.connection, new FakeClock());
  const rate = { perSecond: 1, burst: 50 };
  const allowances = await Promise.all(
    Array.from({ length: 80 }, () => buckets.take("a", rate)),
  );
  assert.equal(allowances.filter(({ waitMs }) => waitMs === 0).length, 50);
});

Deno.test("a bucket is shared through a database on a server too, although an answer is lost", async () => {
  let pipelines = 0;
  await using test = await openRemoteStore({
    fault: (sql) =>
      sql.some((text) => text.includes("token_buckets")) && ++pipelines === 2 ? "cutAfter" : "none",
  });
  const clock = new FakeClock();
  const rate = { perSecond: 1, burst: 20 };
  const given = await taken(new SharedBuckets(test.connection, clock), rate, 30);
  // The lot whose answer was lost is given to nobody.
  assert.equal(given, 18);
});
