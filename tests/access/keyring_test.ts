import assert from "node:assert/strict";
import { Keyring, keyText, newKey } from "../../access/mod.ts";
import type { KeyRecord } from "../../access/mod.ts";
import { AuditLog, verify } from "../../audit/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FRESH_MS, keyStore, makeKey } from "../support/keys.ts";
import { openStore } from "../support/store.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

async function openKeyring({ adminKey = undefined as ReturnType<typeof newKey> | undefined } = {}) {
  const { connection, ...test } = await openStore();
  const clock = new FakeClock();
  const keys = keyStore(connection, () => clock.now());
  const looked: string[] = [];
  const reported: unknown[] = [];
  const keyring = new Keyring({
    store: {
      find: (id) => {
        looked.push(id);
        return keys.find(id);
      },
      any: () => keys.any(),
      used: (record: KeyRecord, nowMs) => keys.used(record, nowMs),
    },
    ...{ clock, freshMs: FRESH_MS, adminKey, report: (error: unknown) => reported.push(error) },
  });
  return { ...test, connection, clock, keys, keyring, looked, reported };
}

function idOf(key: string): string {
  return key.split("_")[1] ?? "";
}

Deno.test("a key is looked up once in its time, however many ask", async () => {
  using test = await openKeyring();
  const key = await makeKey(test.keys, { role: "read", tenant: "shop", perSecond: 7 });
  const callers = await Promise.all(Array.from({ length: 9 }, () => test.keyring.callerOf(key)));
  const caller = { keyId: idOf(key), role: "read", tenant: "shop", perSecond: 7 };
  for (const each of callers) assert.deepEqual(each, caller);
  // No promise: a request that finds its key known waits for nothing.
  assert.deepEqual(test.keyring.callerOf(key), caller);
  assert.deepEqual(test.looked, [idOf(key)]);
  await test.clock.advance(FRESH_MS);
  await test.keyring.callerOf(key);
  assert.equal(test.looked.length, 2);
});

Deno.test("a wrong secret is refused before and after the right one was shown", async () => {
  using test = await openKeyring();
  const key = await makeKey(test.keys);
  const wrong = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
  assert.equal(await test.keyring.callerOf(wrong), undefined);
  assert.notEqual(await test.keyring.callerOf(key), undefined);
  assert.equal(await test.keyring.callerOf(wrong), undefined);
  assert.notEqual(await test.keyring.callerOf(key), undefined);
});

Deno.test("a key is refused from the moment it expires, although it is known", async () => {
  using test = await openKeyring();
  const expiresAtMs = test.clock.now() + FRESH_MS / 2;
  const key = await makeKey(test.keys, { expiresAtMs });
  assert.notEqual(await test.keyring.callerOf(key), undefined);
  await test.clock.advance(FRESH_MS / 2 - 1);
  assert.notEqual(await test.keyring.callerOf(key), undefined);
  await test.clock.advance(1);
  assert.equal(await test.keyring.callerOf(key), undefined);
});

Deno.test("a key that is forgotten while it is looked up is looked up again", async () => {
  using test = await openKeyring();
  const key = await makeKey(test.keys);
  const before = test.keyring.callerOf(key);
  await test.keys.revoke(idOf(key), { actor: "test", nowMs: 1 });
  test.keyring.forget(idOf(key));
  await before;
  assert.equal(await test.keyring.callerOf(key), undefined);
});

Deno.test("the environment's key is an administrator's that no database knows, and needs no look", async () => {
  const adminKey = newKey(random);
  using test = await openKeyring({ adminKey });
  const caller = test.keyring.callerOf(keyText(adminKey));
  assert.deepEqual(caller, {
    ...{ keyId: adminKey.id, role: "admin", tenant: "", perSecond: undefined },
  });
  assert.deepEqual(await test.keyring.callerWithId(adminKey.id), caller);
  assert.equal(
    await test.keyring.callerOf(keyText({ ...adminKey, secret: "0".repeat(64) })),
    undefined,
  );
  assert.equal(test.keyring.areThereKeys(), true);
});

Deno.test("once there was a key there always is one, also when it is revoked", async () => {
  using test = await openKeyring();
  assert.equal(await test.keyring.areThereKeys(), false);
  const key = await makeKey(test.keys);
  // What was known is believed for a while, as with keys.
  assert.equal(await test.keyring.areThereKeys(), false);
  await test.clock.advance(FRESH_MS);
  assert.equal(await test.keyring.areThereKeys(), true);
  await test.keys.revoke(idOf(key), { actor: "test", nowMs: 1 });
  await test.clock.advance(FRESH_MS);
  assert.equal(test.keyring.areThereKeys(), true);
  assert.equal(await test.keys.any(), true);
});

Deno.test("the use of a key is noted by the hour", async () => {
  using test = await openKeyring();
  const key = await makeKey(test.keys);
  const usedAtMs = async () => (await test.keys.find(idOf(key)))?.lastUsedAtMs;
  assert.equal(await usedAtMs(), null);
  await test.keyring.callerOf(key);
  await test.clock.advance(0);
  const hourMs = 3_600_000;
  const firstMs = Math.floor(test.clock.now() / hourMs) * hourMs;
  assert.equal(await usedAtMs(), firstMs);
  await test.clock.advance(hourMs);
  await test.keyring.callerOf(key);
  await test.clock.advance(0);
  assert.equal(await usedAtMs(), firstMs + hourMs);
  assert.deepEqual(test.reported, []);
});

Deno.test("the database keeps no secret, and the record of what was done with keys none either", async () => {
  using test = await openKeyring();
  const key = await makeKey(test.keys, { name: "shop 7", role: "operate", tenant: "shop" });
  const [record] = await test.keys.list();
  assert.ok(record);
  const next = newKey(random);
  await test.keys.rotate(record, next, { actor: "test", nowMs: 5, untilMs: 10 });
  assert.ok(await test.keys.revoke(record.id, { actor: "test", nowMs: 6 }));
  assert.ok(!await test.keys.revoke(record.id, { actor: "test", nowMs: 7 }));
  assert.ok(!await test.keys.revoke("0000", { actor: "test", nowMs: 7 }));

  const audit = new AuditLog({ database: test.connection, now: () => 0, newId: () => "" });
  const entries = await Array.fromAsync(audit.entries());
  assert.deepEqual(
    entries.map(({ action, subject }) => [action, subject]),
    [["keys.create", record.id], ["keys.rotate", next.id], ["keys.revoke", record.id]]
      .map(([action, id]) => [action, `keys/${id}`]),
  );
  assert.equal((await verify(audit.entries())).fault, undefined);
  const rotated = (await test.keys.list()).find(({ id }) => id === next.id);
  assert.deepEqual(
    [rotated?.name, rotated?.role, rotated?.tenant, rotated?.expiresAtMs],
    ["shop 7", "operate", "shop", null],
  );
  assert.equal((await test.keys.find(record.id))?.expiresAtMs, 10);
  const kept = JSON.stringify([await test.keys.list(), entries]);
  for (const secret of [key.split("_")[2] ?? "", next.secret]) assert.ok(!kept.includes(secret));
});
