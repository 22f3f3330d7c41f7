import assert from "node:assert/strict";
import { Completions } from "../../queue/completions.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const POLL_MS = 250;

function open(look: (ids: readonly string[]) => readonly string[] = () => []) {
  const clock = new FakeClock();
  const asked: (readonly string[])[] = [];
  const reported: unknown[] = [];
  const completions = new Completions({
    store: {
      ended(ids) {
        asked.push(ids);
        return new Promise((resolve) => resolve(look(ids)));
      },
    },
    clock,
    pollEveryMs: POLL_MS,
    report: (error) => reported.push(error),
  });
  return { clock, completions, asked, reported };
}

Deno.test("Completions.wait ends at once when its task is told of", async () => {
  const { clock, completions, asked } = open();
  const waits = ["a", "a", "b"].map((id) => completions.wait(id, { timeoutMs: 1000 }));
  completions.tell(["c", "a"]);
  assert.deepEqual(await Promise.all(waits.slice(0, 2)), ["ended", "ended"]);
  completions.tell(["b"]);
  assert.equal(await waits[2], "ended");
  assert.equal(clock.pending, 0);
  assert.deepEqual(asked, []);
});

Deno.test("Completions.wait finds what another process ended, with one look for all", async () => {
  const ended = new Set<string>();
  const { clock, completions, asked } = open((ids) => ids.filter((id) => ended.has(id)));
  const waits = ["a", "b"].map((id) => completions.wait(id, { timeoutMs: 10_000 }));
  await clock.advance(POLL_MS);
  ended.add("b");
  await clock.advance(POLL_MS);
  assert.equal(await waits[1], "ended");
  ended.add("a");
  await clock.advance(POLL_MS);
  assert.equal(await waits[0], "ended");
  assert.deepEqual(asked, [["a", "b"], ["a", "b"], ["a"]]);
  await clock.advance(10 * POLL_MS);
  assert.equal(asked.length, 3);
  assert.equal(clock.pending, 0);
});

Deno.test("Completions.wait begins one look each time, also where a wait begins while it looks", async () => {
  let begin = () => {};
  const { clock, completions, asked } = open((ids) => {
    begin();
    return ids.filter((id) => id === "a");
  });
  const first = completions.wait("a", { timeoutMs: 10_000 });
  let second: Promise<unknown> | undefined;
  begin = () => second ??= completions.wait("b", { timeoutMs: 10_000 });
  await clock.advance(POLL_MS);
  assert.equal(await first, "ended");
  await clock.advance(3 * POLL_MS);
  assert.deepEqual(asked, [["a"], ["b"], ["b"], ["b"]]);
  completions.close();
  assert.equal(await second, "closed");
  assert.equal(clock.pending, 0);
});

Deno.test("Completions.wait ends by its timeout, by its signal, and when it is closed", async () => {
  const { clock, completions } = open();
  const gone = new AbortController();
  const waits = [
    completions.wait("a", { timeoutMs: 100 }),
    completions.wait("a", { timeoutMs: 1000, signal: gone.signal }),
    completions.wait("a", { timeoutMs: 1000 }),
  ];
  await clock.advance(100);
  gone.abort();
  await settle();
  completions.close();
  assert.deepEqual(await Promise.all(waits), ["timeout", "closed", "closed"]);
  assert.equal(await completions.wait("a", { timeoutMs: 1000 }), "closed");
  assert.equal(clock.pending, 0);
});

Deno.test("Completions goes on looking after the store failed", async () => {
  let failures = 2;
  const { clock, completions, reported } = open((ids) => {
    if (failures-- > 0) throw new Error("no answer");
    return ids;
  });
  const wait = completions.wait("a", { timeoutMs: 10_000 });
  await clock.advance(3 * POLL_MS);
  assert.equal(await wait, "ended");
  assert.equal(reported.length, 2);
});
