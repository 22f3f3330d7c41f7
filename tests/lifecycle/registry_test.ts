/** The steps between versions with the shipped models: what each does, what refuses it, and what is on record then. */
import assert from "node:assert/strict";
import { AuditLog, verify } from "../../audit/mod.ts";
import { LifecycleError } from "../../lifecycle/mod.ts";
import { lifecycleWithout } from "../../serving.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { openStore } from "../support/store.ts";
import { copyVersions, type Versions } from "../support/versions.ts";

const ACTOR = "key:ops";

async function open(further: readonly string[] = []) {
  await using resources = new AsyncDisposableStack();
  const versions = resources.use(await copyVersions(further));
  const { connection } = resources.use(await openStore());
  const clock = new FakeClock();
  const audit = new AuditLog({
    database: connection,
    now: () => clock.now(),
    newId: () => crypto.randomUUID(),
  });
  const lifecycle = (config = versions.read()) =>
    lifecycleWithout({ config, clock, stores: { database: connection, audit } });
  const running = resources.move();
  return {
    ...{ versions, connection, audit, lifecycle },
    actions: async () =>
      (await Array.fromAsync(audit.entries())).map(({ action, subject }) => `${action} ${subject}`),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

Deno.test("a version is registered, activated and rolled back, and each step is on record", async () => {
  await using test = await open();
  const models = test.lifecycle();
  assert.deepEqual(
    (await models.models()).versions.map(({ version, state }) => [version, state]),
    [["1", "active"], ["2", "unregistered"]],
  );
  await models.register("2", ACTOR);
  assert.deepEqual(await models.activate("2", ACTOR), { active: "2", previous: "1" });
  const { versions } = await models.models();
  assert.deepEqual(versions.map(({ version, state }) => [version, state]), [
    ["1", "previous"],
    ["2", "active"],
  ]);
  assert.ok(versions.every(({ registeredAt, problem }) => registeredAt && problem === undefined));
  assert.deepEqual(await models.rollback(ACTOR), { active: "1" });
  assert.deepEqual(await test.actions(), [
    "models.register models/2",
    "models.activate models/2",
    "models.rollback models/1",
  ]);
  const page = await models.audit({ limit: 2, subject: "models/2" });
  assert.deepEqual(
    page.entries.map(({ actor, action, details }) => [actor, action, details.from]),
    [
      [ACTOR, "models.activate", "1"],
      [ACTOR, "models.register", undefined],
    ],
  );
  assert.equal((await verify(test.audit.entries())).fault, undefined);
});

Deno.test("a list of versions tells their hashes, evidence and cards", async () => {
  await using test = await open();
  const [version] = (await test.lifecycle().models()).versions;
  assert.equal(version?.card?.split("\n")[0], "Approval models of simulated lenders, version 1");
  assert.match(version.files["bank_a.onnx"] ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(version.banks.map(({ bank, evidence }) => [bank, evidence?.signal]), [
    ...["a", "b", "c", "d", "e"].map((letter) => [`bank_${letter}`, true]),
  ]);
  assert.match(await test.lifecycle().card("1") ?? "", /^# Approval models/);
  assert.equal(await test.lifecycle().card("9"), undefined);
});

/** What is wrong with version 2, before it is registered or after. */
const REFUSALS: readonly {
  readonly what: string;
  readonly before?: (versions: Versions) => Promise<void>;
  readonly after?: (versions: Versions) => Promise<void>;
  readonly expected: RegExp;
}[] = [
  {
    what: "whose golden rows come out otherwise",
    before: (versions) =>
      versions.change("2", "golden.json", ({ probabilities }) => {
        probabilities.bank_c[3] += 2e-6;
      }),
    expected:
      /Cannot activate models\/2: Cannot accept bank_c: row 3 of the golden rows differs by/,
  },
  {
    what: "without golden rows",
    before: (versions) =>
      versions.change("2", "manifest.json", (manifest) => delete manifest.golden),
    expected: /Cannot activate models\/2: .*manifest.json must name golden rows/,
  },
  {
    what: "whose file was changed after it was registered, and its manifest with it",
    after: (versions) =>
      versions.change("2", "golden.json", ({ probabilities }) => {
        probabilities.bank_c[3] += 1e-9;
      }),
    expected:
      /Cannot use models\/2: its files must be those that were registered.*: golden.json, manifest.json;/,
  },
  {
    what: "whose model lost its evidence after it was registered",
    after: (versions) =>
      versions.change("2", "manifest.json", ({ models }) => {
        models.bank_d.evidence.signal = false;
      }),
    expected: /must be those that were registered, and these are not: manifest.json/,
  },
  {
    what: "one of whose files is gone",
    after: (versions) => Deno.remove(`${versions.path}/models/2/bank_e.onnx`),
    expected: /must be those that were registered, and these are not: bank_e.onnx/,
  },
];

for (const { what, before, after, expected } of REFUSALS) {
  Deno.test(`a version ${what} is not activated, and that is on record`, async () => {
    await using test = await open();
    await before?.(test.versions);
    await test.lifecycle().register("2", ACTOR);
    await after?.(test.versions);
    await assert.rejects(test.lifecycle().activate("2", ACTOR), expected);
    assert.equal((await test.lifecycle().models()).serving.active, "1");
    const [refusal] = (await test.lifecycle().audit({ limit: 1 })).entries;
    assert.deepEqual([refusal?.action, refusal?.details.step], ["models.refuse", "activate"]);
    assert.match(String(refusal?.details.reason), expected);
  });
}

Deno.test("a version without evidence is not registered, unless banks.json records an override", async () => {
  await using test = await open();
  await test.versions.change("2", "manifest.json", ({ models }) => {
    models.bank_d.evidence.signal = false;
  });
  await assert.rejects(
    test.lifecycle().register("2", ACTOR),
    /Cannot register models\/2: Cannot serve these banks.*\n {2}bank_d: model bank_d: no evidence of signal/,
  );
  await test.versions.configure("banks.json", ({ banks }) => {
    banks[3].override = { who: "the board", why: "a pilot", when: "2026-01-31" };
  });
  await test.lifecycle().register("2", ACTOR);
  assert.equal((await test.lifecycle().activate("2", ACTOR)).active, "2");
  await test.versions.configure("banks.json", ({ banks }) => delete banks[3].override);
  await test.lifecycle().rollback(ACTOR);
  await assert.rejects(
    test.lifecycle().activate("2", ACTOR),
    /Cannot activate models\/2: Cannot serve these banks/,
  );
});

Deno.test("steps that make no sense are refused with what would", async () => {
  await using test = await open(["3"]);
  const models = test.lifecycle();
  for (
    const [step, expected] of [
      [() => models.activate("2", ACTOR), /must be registered first: deno task models register 2/],
      [() => models.register("../1", ACTOR), /must be the plain name of a folder/],
      [() => models.register("9", ACTOR), /Cannot use models\/9: Cannot read .*manifest.json/],
      [() => models.rollback(ACTOR), /nothing was active before models\/1/],
      [() => models.endChallenge(ACTOR), /no version is tried/],
    ] as const
  ) {
    await assert.rejects(
      step,
      (error) => error instanceof LifecycleError && expected.test(error.message),
    );
  }
  await models.register("2", ACTOR);
  await assert.rejects(models.register("2", ACTOR), /it is registered already/);
  await models.activate("2", ACTOR);
  await assert.rejects(models.activate("2", ACTOR), /it is active already/);
  await assert.rejects(models.challenge("2", { share: 0, actor: ACTOR }), /it is active/);
  await test.versions.change("3", "manifest.json", (manifest) => {
    manifest.version = "1";
  });
  await assert.rejects(models.register("3", ACTOR), /manifest.json says version 1, and must say 3/);
});

Deno.test("a trial keeps its draw while its share changes, and ends with an activation", async () => {
  await using test = await open();
  const models = test.lifecycle();
  await models.register("2", ACTOR);
  assert.deepEqual(await models.challenge("2", { share: 0.1, actor: ACTOR }), {
    active: "1",
    challenger: { version: "2", share: 0.1 },
  });
  const salt = async () =>
    (await test.connection.read("SELECT salt FROM model_serving")).rows[0]?.salt;
  const before = await salt();
  await models.challenge("2", { share: 0.25, actor: ACTOR });
  assert.equal(await salt(), before);
  await models.endChallenge(ACTOR);
  await models.challenge("2", { share: 0, actor: ACTOR });
  assert.notEqual(await salt(), before);
  assert.deepEqual(await models.activate("2", ACTOR), { active: "2", previous: "1" });
  assert.deepEqual(await test.actions(), [
    "models.register models/2",
    "models.split models/2",
    "models.split models/2",
    "models.end_trial models/2",
    "models.shadow models/2",
    "models.activate models/2",
  ]);
});

Deno.test("of steps that come at the same time one is done, and the other sees it", async () => {
  await using test = await open(["3"]);
  const [one, other] = [test.lifecycle(), test.lifecycle()];
  await one.register("2", ACTOR);
  await one.register("3", ACTOR);
  await Promise.all([one.activate("2", ACTOR), other.activate("3", ACTOR)]);
  const { serving } = await one.models();
  assert.deepEqual(new Set([serving.active, serving.previous]), new Set(["2", "3"]));
  assert.equal((await verify(test.audit.entries())).fault, undefined);
});
