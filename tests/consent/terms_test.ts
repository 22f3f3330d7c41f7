import assert from "node:assert/strict";
import fc from "fast-check";
import {
  consentCovers,
  ConsentStore,
  isInForce,
  PURPOSES,
  subjectHash,
} from "../../consent/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import { statement } from "../../database/database.ts";
import { openStore } from "../support/store.ts";

const KEY = new Uint8Array(32).fill(7);

Deno.test("a list finds in force what the program does, whenever it is asked", async () => {
  using test = await openStore();
  const { store, connection: database } = test;
  const audit = new AuditLog({ database, now: () => 0, newId: () => crypto.randomUUID() });
  const consents = new ConsentStore(database, audit);
  const time = fc.integer({ min: 0, max: 9 });
  const agreement = fc.record({
    purpose: fc.constantFrom(...PURPOSES),
    givenAtMs: time,
    expiresAtMs: fc.option(time, { nil: undefined }),
    isWithdrawn: fc.boolean(),
    nowMs: time,
  });
  let number = 0;
  await fc.assert(
    fc.asyncProperty(agreement, async ({ purpose, isWithdrawn, nowMs, ...times }) => {
      const id = `app_${number++}`;
      const consent = { purposes: [purpose], document: "notice/1", ...times };
      const terms = { consent, actor: "key:1" };
      // Of one of which nothing was said nothing is refused, and nothing is covered.
      await store.enqueue([{ id: "app_0nothing", payload: "{}", revision: "1" }], 0);
      await store.enqueue([{ id, payload: "{}", revision: "1", terms }], 0);
      if (isWithdrawn) await consents.withdraw({ id, actor: "key:1", nowMs: 5 });
      const [stored] = await consents.read(id) ?? [];
      assert.ok(stored);
      assert.equal(stored.expiresAtMs, times.expiresAtMs ?? null);
      assert.equal(stored.withdrawnAtMs, isWithdrawn ? 5 : null);
      for (const asked of PURPOSES) {
        const isCovered: boolean = asked === purpose && isInForce(stored, nowMs);
        const refused = await consents.refused([id, "app_0nothing"], { purpose: asked, nowMs });
        assert.deepEqual([...refused], isCovered ? [] : [id]);
        const covered = await database.read(
          statement(`SELECT id FROM tasks WHERE id = :id AND ${consentCovers()}`, {
            ...{ id, purpose: asked, now: nowMs },
          }),
        );
        assert.equal(covered.rows.length > 0, isCovered);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("a person's hash depends on the key, the tenant and the reference, and has none of them in it", () => {
  const hash = subjectHash(KEY);
  const text = fc.string({ unit: "grapheme", maxLength: 30 });
  fc.assert(fc.property(text, text, text, text, (tenant, one, otherTenant, other) => {
    const same = tenant === otherTenant && one === other;
    assert.equal(hash(tenant, one) === hash(otherTenant, other), same);
    assert.match(hash(tenant, one), /^[0-9a-f]{64}$/);
    assert.notEqual(hash(tenant, one), subjectHash(new Uint8Array(32))(tenant, one));
  }));
});
