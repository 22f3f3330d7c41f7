import assert from "node:assert/strict";
import fc from "fast-check";
import { Connection } from "../../database/connection.ts";
import { SealError, Vault } from "../../sealing/mod.ts";
import { temporaryFolder } from "../support/store.ts";

const [OLD, NEW, WRONG] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

async function openAt(path: string, masterKeys: readonly Uint8Array[]) {
  const database = await Connection.open(`file:${path}`);
  try {
    const vault = await Vault.open({ database, masterKeys, isFile: true });
    return { vault, [Symbol.dispose]: () => vault.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

Deno.test("keys are read by another process until they are destroyed, whatever is taken and destroyed in which order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }),
      async (destroyed) => {
        await using folder = await temporaryFolder();
        const path = `${folder.path}/keys.db`;
        using one = await openAt(path, [OLD]);
        using two = await openAt(path, [OLD]);
        const taken = await one.vault.taken(destroyed.length);
        assert.equal(new Set(taken.map(({ number }) => number)).size, taken.length);
        const numbers = taken.map(({ number }) => number);
        const gone = numbers.filter((_, at) => destroyed[at]);
        const bytes = new Map(taken.map(({ number, bytes }) => [number, Uint8Array.from(bytes)]));
        await two.vault.destroy(gone);
        using three = await openAt(path, [OLD]);
        for (const { vault } of [two, three]) {
          const keys = await vault.keys(numbers);
          assert.deepEqual([...keys.keys()], numbers.filter((number) => !gone.includes(number)));
          for (const [number, key] of keys) assert.deepEqual(key, bytes.get(number));
        }
        const files = await Array.fromAsync(Deno.readDir(folder.path));
        for (const { name } of files) {
          const text = new TextDecoder("latin1").decode(
            await Deno.readFile(`${folder.path}/${name}`),
          );
          for (const key of bytes.values()) {
            assert.ok(!text.includes(new TextDecoder("latin1").decode(key)), "a key is in clear");
          }
        }
      },
    ),
    { numRuns: 15 },
  );
});

Deno.test("two processes that destroy keys of one block at the same time both do", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/keys.db`;
  using one = await openAt(path, [OLD]);
  using two = await openAt(path, [OLD]);
  const numbers = (await one.vault.taken(64)).map(({ number }) => number);
  await Promise.all([
    one.vault.destroy(numbers.slice(0, 20)),
    two.vault.destroy(numbers.slice(20, 40)),
  ]);
  using three = await openAt(path, [OLD]);
  assert.deepEqual([...(await three.vault.keys(numbers)).keys()], numbers.slice(40));
});

Deno.test("a master key is changed by wrapping anew; then the old one opens nothing", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/keys.db`;
  let numbers: readonly number[];
  let bytes: readonly Uint8Array[];
  {
    using before = await openAt(path, [OLD]);
    const taken = await before.vault.taken(500);
    numbers = taken.map(({ number }) => number);
    bytes = taken.map(({ bytes }) => bytes);
  }
  {
    using both = await openAt(path, [NEW, OLD]);
    assert.deepEqual([...(await both.vault.keys(numbers)).values()], bytes);
    // The check, and blocks of 64: at least 8 of them.
    assert.ok(await both.vault.rewrap() > 8);
  }
  using after = await openAt(path, [NEW]);
  assert.deepEqual([...(await after.vault.keys(numbers)).values()], bytes);
  await assert.rejects(openAt(path, [OLD]), SealError);
});

Deno.test("a wrong master key is refused when the vault is opened", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/keys.db`;
  (await openAt(path, [OLD]))[Symbol.dispose]();
  await assert.rejects(
    openAt(path, [WRONG]),
    /Cannot open the keys of this database: the master key is not the one/,
  );
  await assert.rejects(openAt(path, [WRONG, NEW]), /no master key is the one/);
});
