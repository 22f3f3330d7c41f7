// quick: in-process cost of permit via app.fetch
import { openApp } from "../../tests/support/app.ts";
import { Keyring, KeyStore, keyText, LocalBuckets, needsNoKey, newKey } from "../../access/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import { systemClock } from "../../clock.ts";
import { openStore } from "../../tests/support/store.ts";
const t = await openStore();
const audit = new AuditLog({
  database: t.connection,
  now: Date.now,
  newId: () => crypto.randomUUID(),
});
const keys = new KeyStore(t.connection, audit);
const key = newKey((b) => crypto.getRandomValues(b));
await keys.create(key, { name: "a", role: "submit", tenant: "" }, { actor: "x", nowMs: 0 });
const keyring = new Keyring({
  store: keys,
  clock: systemClock,
  freshMs: 3000,
  report: console.error,
});
const open = await openApp();
const keyed = await openApp({
  options: {
    access: {
      keyring,
      needsNoKey: () => false,
      buckets: new LocalBuckets(systemClock),
      rate: { perSecond: 1e6, burst: 1e6 },
    },
  },
});
const url = "http://127.0.0.1/check_task?task_id=abc";
const H = { authorization: "Bearer " + keyText(key) };
async function bench(n: string, f: () => Promise<unknown>) {
  for (let i = 0; i < 3000; i++) await f();
  const t = performance.now();
  const N = 20000;
  for (let i = 0; i < N; i++) await f();
  console.log(n, ((performance.now() - t) * 1000 / N).toFixed(2), "us");
}
for (let r = 0; r < 3; r++) {
  await bench("open ", () => open.request(url));
  await bench(
    "open with header",
    () => open.request(url, { headers: { "x-authorization": H.authorization } }),
  );
  await bench("keyed", () => keyed.request(url, { headers: H }));
}
console.log((await keyed.request(url, { headers: H })).headers);
Deno.exit(0);
