import assert from "node:assert/strict";
import fc from "fast-check";
import { LiveModels, type LoadedVersion, type Serving } from "../../lifecycle/mod.ts";
import { isForChallenger, placeOf } from "../../lifecycle/split.ts";
import { settle } from "../support/fake_clock.ts";

interface Version extends LoadedVersion {
  readonly disposed: { value: boolean };
}

function version(name: string): Version {
  const disposed = { value: false };
  return {
    version: name,
    revision: `revision of ${name}`,
    disposed,
    [Symbol.asyncDispose]() {
      disposed.value = true;
      return Promise.resolve();
    },
  };
}

/** Serves version 1 at first; `serving` is what the database says. */
function open({ fails = () => false }: { fails?: (version: string) => boolean } = {}) {
  const made = new Map<string, Version>();
  const loads: string[] = [];
  const state = {
    serving: { serial: 0, active: "1" } as Serving,
    nowMs: 0,
    reported: [] as unknown[],
  };
  const champion = version("1");
  made.set("1", champion);
  const live = new LiveModels<Version>({
    serving: state.serving,
    champion,
    load(name) {
      loads.push(name);
      if (fails(name)) return Promise.reject(new Error(`${name} is broken`));
      const loaded = version(name);
      made.set(name, loaded);
      return Promise.resolve(loaded);
    },
    read: () => Promise.resolve(state.serving),
    splits: (id) => !id.startsWith("batch"),
    now: () => state.nowMs,
    report: (error) => state.reported.push(error),
  });
  return { live, made, loads, state };
}

/** Work that ends when it is told to, and says which version it had. */
function slowly() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { end: resolve, work: (used: Version) => promise.then(() => used.version) };
}

Deno.test("work keeps the version that it began with, which is let go when the last has ended", async () => {
  const { live, made, state } = open();
  const [first, second] = [slowly(), slowly()];
  const before = [live.useChampion(first.work), live.useChampion(second.work)];
  state.serving = { serial: 1, active: "2" };
  await live.follow();
  assert.equal(await live.useChampion(({ version }) => Promise.resolve(version)), "2");
  assert.equal(made.get("1")?.disposed.value, false);
  first.end();
  assert.equal(await before[0], "1");
  assert.equal(made.get("1")?.disposed.value, false);
  second.end();
  assert.equal(await before[1], "1");
  assert.equal(made.get("1")?.disposed.value, true);
  assert.equal(made.get("2")?.disposed.value, false);
});

Deno.test("a version that cannot be loaded changes nothing, is reported, and tried again later", async () => {
  let broken = true;
  const { live, loads, state } = open({ fails: () => broken });
  state.serving = { serial: 1, active: "2" };
  for (let look = 0; look < 3; look++) await live.follow();
  assert.equal(live.champion.version, "1");
  assert.deepEqual(loads, ["2"]);
  assert.match(String(state.reported), /2 is broken/);
  broken = false;
  state.nowMs += 30_000;
  await live.follow();
  assert.equal(live.champion.version, "2");
});

Deno.test("what was prepared is there at once, survives a look in between, and is let go where it does not serve", async () => {
  const { live, made, loads, state } = open();
  const release = await live.prepare("2");
  await live.follow();
  state.serving = { serial: 1, active: "2" };
  await live.follow();
  release();
  assert.deepEqual([live.champion.version, loads], ["2", ["2"]]);
  const releaseUnused = await live.prepare("3");
  await live.follow();
  assert.equal(made.get("3")?.disposed.value, false);
  releaseUnused();
  await settle();
  assert.equal(made.get("3")?.disposed.value, true);
  assert.equal(made.get("2")?.disposed.value, false);
});

Deno.test("a challenger that cannot be loaded keeps nobody from the champion", async () => {
  const { live, state } = open({ fails: (name) => name === "3" });
  state.serving = {
    serial: 1,
    active: "2",
    challenger: { version: "3", share: 1, salt: "a" },
  };
  await live.follow();
  assert.deepEqual([live.champion.version, live.challenger], ["2", undefined]);
  assert.equal(live.chosen("x").version, "2");
});

Deno.test("useEach gives each item to who answers it, and keeps their order", async () => {
  const { live, state } = open();
  const split = { share: 0.5, salt: "a" };
  state.serving = { serial: 1, active: "1", challenger: { version: "2", ...split } };
  await live.follow();
  const ids = Array.from({ length: 40 }, (_, at) => at % 5 === 0 ? `batch${at}` : `app${at}`);
  const answers = await live.useEach(ids, {
    idOf: (id) => id,
    work: ({ version }, items) => Promise.resolve(items.map((id) => `${id} by ${version}`)),
  });
  assert.deepEqual(
    answers,
    ids.map((id) =>
      `${id} by ${!id.startsWith("batch") && isForChallenger(id, split) ? "2" : "1"}`
    ),
  );
  assert.equal(new Set(answers.map((answer) => answer.at(-1))).size, 2);
});

Deno.test("the same application is always answered by the same version, and a growing share takes none back", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (id, salt, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        assert.equal(
          isForChallenger(id, { share: less, salt }),
          isForChallenger(id, { share: less, salt }),
        );
        if (isForChallenger(id, { share: less, salt })) {
          assert.ok(
            isForChallenger(id, { share: more, salt }),
          );
        }
        assert.equal(isForChallenger(id, { share: 0, salt }), false);
        assert.equal(isForChallenger(id, { share: 1, salt }), true);
      },
    ),
  );
});

Deno.test("the challenger gets its share of the applications, another one with another salt", () => {
  const ids = Array.from({ length: 20_000 }, (_, at) => `app_${at}`);
  const chosen = (salt: string) => ids.filter((id) => isForChallenger(id, { share: 0.1, salt }));
  const [one, other] = [chosen("a"), chosen("b")];
  // Six standard deviations of a binomial with n = 20,000 and p = 0.1 are 255.
  assert.ok(Math.abs(one.length - 2000) < 255, `${one.length}`);
  const both = one.filter((id) => other.includes(id)).length;
  assert.ok(Math.abs(both - 200) < 85, `${both}`);
  assert.ok(ids.every((id) => placeOf(id, "a") >= 0 && placeOf(id, "a") < 1));
});
