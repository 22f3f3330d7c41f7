import assert from "node:assert/strict";
import { OpenAPIHono } from "@hono/zod-openapi";
import { Keyring, LocalBuckets, Sessions } from "../../access/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import { accessControl, callerOf, seal } from "../../routes/access.ts";
import { limitsOf } from "../../routes/limits.ts";
import { addSignIn, viewerOf } from "../../routes/sign_in.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FRESH_MS, keyStore, makeKey } from "../support/keys.ts";
import { readConfig } from "../support/service.ts";
import { openStore } from "../support/store.ts";

const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];

/** A console of two pages behind the guard: who looks, and something that changes something. */
async function openConsole({ isOpen = false } = {}) {
  const { connection: database, ...test } = await openStore();
  const clock = new FakeClock();
  const keys = keyStore(database, () => clock.now());
  const keyring = new Keyring({
    ...{ store: keys, clock, freshMs: FRESH_MS },
    report: (error) => {
      throw error;
    },
  });
  const audit = new AuditLog({
    ...{ database, now: () => clock.now(), newId: () => crypto.randomUUID() },
  });
  const app = new OpenAPIHono();
  app.use(accessControl({
    ...{ keyring, needsNoKey: () => isOpen, buckets: new LocalBuckets(clock) },
    rate: { perSecond: 1000, burst: 1000 },
  }));
  addSignIn(app, {
    sessions: new Sessions({
      ...{ database, keyring, now: () => clock.now() },
      random: (bytes) => crypto.getRandomValues(bytes),
    }),
    record: (entry) => audit.append(entry),
    limits: limitsOf(readConfig().service),
    after: (ms, callback) => clock.after(ms, callback),
  });
  app.get("/console", (c) => c.json({ ...viewerOf(c.req.raw), role: callerOf(c).role }));
  app.post("/console/change", async (c) => c.text(await c.req.text()));
  seal(app);

  /** A browser that keeps its cookie and names the site of its pages. */
  class Browser {
    cookie = "";

    async send(path: string, { form, headers = {}, method }: {
      form?: Record<string, string>;
      headers?: Record<string, string>;
      method?: string;
    } = {}): Promise<Response> {
      const response = await app.request(`http://prescore.example${path}`, {
        method: method ?? (form ? "POST" : "GET"),
        headers: {
          host: "prescore.example",
          ...form && { Origin: "https://prescore.example" },
          ...this.cookie && { Cookie: this.cookie },
          ...headers,
        },
        ...form && { body: new URLSearchParams(form) },
      });
      const [set] = response.headers.getSetCookie();
      if (set !== undefined) this.cookie = set.split(";")[0] ?? "";
      return response;
    }

    signIn(key: string, headers: Record<string, string> = {}): Promise<Response> {
      return this.send("/console/login", { form: { key }, headers });
    }

    async viewer() {
      const response = await this.send("/console");
      return response.status === 200 ? await response.json() : response.status;
    }
  }
  return { ...test, database, clock, keys, keyring, audit, browser: () => new Browser() };
}

Deno.test("one signs in with a key that may read, and is its caller from then on", async () => {
  using test = await openConsole();
  const key = await makeKey(test.keys, { role: "operate", tenant: "shop" });
  const browser = test.browser();
  const away = await browser.send("/console");
  assert.deepEqual([away.status, away.headers.get("location")], [303, "/console/login"]);
  assert.match(await (await browser.send("/console/login")).text(), /action="\/console\/login"/);
  const response = await browser.signIn(key, { "X-Forwarded-Proto": "https" });
  assert.deepEqual([response.status, response.headers.get("location")], [303, "/console"]);
  const [cookie = ""] = response.headers.getSetCookie();
  for (const part of ["HttpOnly", "SameSite=Strict", "Secure", "Path=/console"]) {
    assert.ok(cookie.includes(part), `${part} is not in ${cookie}`);
  }
  const { role, tenant, name, formToken, signOutPath } = await browser.viewer();
  assert.deepEqual(
    [role, tenant, name, formToken.name, signOutPath],
    ["operate", "shop", key.split("_")[1], "csrf_token", "/console/logout"],
  );
});

Deno.test("no other key signs in, and it is on record, but not without end", async () => {
  using test = await openConsole();
  const weak = await makeKey(test.keys, { role: "submit" });
  const good = await makeKey(test.keys, { role: "read" });
  const browser = test.browser();
  for (const key of [weak, good.slice(0, -1) + (good.endsWith("0") ? "1" : "0"), "", "x"]) {
    assert.equal((await browser.signIn(key)).status, 403);
    assert.equal(browser.cookie, "");
  }
  for (let attempt = 0; attempt < 200; attempt++) {
    await test.clock.advance(1000);
    await browser.signIn("x");
  }
  assert.equal((await browser.signIn(good)).status, 303);
  const entries = await Array.fromAsync(test.audit.entries());
  const refused = entries.filter(({ action }) => action === "console.refuse");
  assert.ok(refused.length >= 20 && refused.length <= 25, String(refused.length));
  assert.equal(refused[0]?.actor, `key:${weak.split("_")[1]}`);
  assert.equal(entries.at(-1)?.action, "console.login");
  assert.ok(!JSON.stringify(entries).includes(good.split("_")[2] ?? ""));
});

Deno.test("a flood of attempts is told to wait", async () => {
  using test = await openConsole();
  const statuses = new Set<number>();
  for (let attempt = 0; attempt < 40; attempt++) {
    statuses.add((await test.browser().signIn("x")).status);
  }
  assert.deepEqual([...statuses], [403, 429]);
});

Deno.test("what changes something needs the session's own token, in the form or in a header", async () => {
  using test = await openConsole();
  const browser = test.browser();
  await browser.signIn(await makeKey(test.keys, { role: "read" }));
  const other = test.browser();
  await other.signIn(await makeKey(test.keys, { role: "read" }));
  const { formToken: { value } } = await browser.viewer();
  const { formToken: { value: foreign } } = await other.viewer();
  const change = (form: Record<string, string>, headers = {}) =>
    browser.send("/console/change", { form, headers });
  for (const token of [undefined, "", "x", foreign, value.slice(1)]) {
    const form: Record<string, string> = token === undefined ? {} : { csrf_token: token };
    assert.equal((await change(form)).status, 403);
    assert.equal((await change({}, { "X-CSRF-Token": token ?? "" })).status, 403);
  }
  const changed = await change({ csrf_token: value, amount: "5" });
  // The page still reads the whole form.
  assert.equal(await changed.text(), `csrf_token=${value}&amount=5`);
  assert.equal((await change({}, { "X-CSRF-Token": value })).status, 200);
});

Deno.test("a page of another site changes nothing, even with the token, and signs nobody in", async () => {
  using test = await openConsole();
  const key = await makeKey(test.keys, { role: "read" });
  const browser = test.browser();
  await browser.signIn(key);
  const { formToken: { value } } = await browser.viewer();
  for (const Origin of ["https://evil.example", "null", "https://prescore.example.evil.example"]) {
    const form = { csrf_token: value };
    assert.equal(
      (await browser.send("/console/change", { form, headers: { Origin } })).status,
      403,
    );
    assert.equal((await test.browser().signIn(key, { Origin })).status, 403);
  }
});

Deno.test("the cookie changes while it is used; the one before is good for requests under way", async () => {
  using test = await openConsole();
  const browser = test.browser();
  await browser.signIn(await makeKey(test.keys, { role: "read" }));
  const first = browser.cookie;
  const { formToken } = await browser.viewer();
  assert.equal(browser.cookie, first);
  await test.clock.advance(15 * MINUTE_MS);
  const late = test.browser();
  late.cookie = first;
  // Both come at once: one is given the new cookie, and both are answered.
  const answers = await Promise.all([browser.viewer(), late.viewer()]);
  for (const answer of answers) assert.deepEqual(answer.formToken, formToken);
  assert.equal([browser, late].filter(({ cookie }) => cookie !== first).length, 1);
  const current = [browser, late].find(({ cookie }) => cookie !== first);
  await test.clock.advance(MINUTE_MS);
  late.cookie = first;
  assert.equal(await late.viewer(), 303);
  assert.deepEqual((await current?.viewer()).formToken, formToken);
});

Deno.test("a session ends when it is signed out of, unused, old, or without its key", async () => {
  using test = await openConsole();
  const key = await makeKey(test.keys, { role: "read" });
  const signedIn = async () => {
    const browser = test.browser();
    await browser.signIn(key);
    assert.equal((await browser.viewer()).role, "read");
    return browser;
  };
  const leaving = await signedIn();
  const { formToken: { value } } = await leaving.viewer();
  const kept = leaving.cookie;
  const out = await leaving.send("/console/logout", { form: { csrf_token: value } });
  assert.equal(out.status, 303);
  leaving.cookie = kept;
  assert.equal(await leaving.viewer(), 303);

  const idle = await signedIn();
  await test.clock.advance(HOUR_MS);
  assert.equal(await idle.viewer(), 303);

  const busy = await signedIn();
  for (let half = 0; half < 23; half++) {
    await test.clock.advance(HOUR_MS / 2);
    assert.equal((await busy.viewer()).role, "read");
  }
  await test.clock.advance(HOUR_MS / 2);
  assert.equal(await busy.viewer(), 303);

  const revoked = await signedIn();
  await test.keys.revoke(key.split("_")[1] ?? "", { actor: "test", nowMs: 1 });
  test.keyring.forget(key.split("_")[1] ?? "");
  assert.equal(await revoked.viewer(), 303);
});

Deno.test("the database has no token that a browser shows", async () => {
  using test = await openConsole();
  const browser = test.browser();
  await browser.signIn(await makeKey(test.keys, { role: "read" }));
  const token = browser.cookie.split("=")[1] ?? "";
  assert.match(token, /^[0-9a-f]{64}$/);
  const { rows } = await test.database.read("SELECT * FROM console_sessions");
  assert.equal(rows.length, 1);
  assert.ok(!JSON.stringify(rows).includes(token));
});

Deno.test("where no key is needed everybody looks, without a session and without the right to administer", async () => {
  using test = await openConsole({ isOpen: true });
  const viewer = await test.browser().viewer();
  assert.deepEqual([viewer.role, viewer.tenant, viewer.formToken], ["operate", "", undefined]);
});
