import assert from "node:assert/strict";
import { LocalBuckets, parseKey, type Role, roleNamed, type Session } from "../../access/mod.ts";
import { OPEN_ACCESS } from "../../tasks/schemas.ts";
import { config, openApp, type TestApp, type TestAppOptions } from "../support/app.ts";
import { limitsOf } from "../../routes/limits.ts";
import { recordDecisions, tightening } from "../support/outcomes.ts";
import { readConfig } from "../support/service.ts";

const { questionnaire, banks } = readConfig();
const ORIGIN = "http://prescore.example";

/** Whoever has a cookie is of the tenant that it names, and may read, or what `as-ROLE` says before it. */
function sessionOf(cookie: string): Session {
  const [, role = "read", tenant = ""] = /^(?:as-(\w+)-)?for-(.*)$/.exec(cookie) ?? [];
  return {
    caller: { role: roleNamed(role) ?? "read", tenant, keyId: tenant, perSecond: undefined },
    csrfToken: `form of ${tenant}`,
    newToken: undefined,
  };
}

async function openConsole(options: TestAppOptions = {}): Promise<TestApp> {
  return await openApp({
    expressLanes: 1,
    ...options,
    options: {
      ...options.options,
      signIn: {
        sessions: {
          open: () => Promise.reject(new Error("nobody signs in here")),
          find: (cookie) => Promise.resolve(sessionOf(cookie)),
          close: () => Promise.resolve(),
        },
        record: () => Promise.resolve(),
      },
    },
  });
}

interface Visit {
  readonly form?: Record<string, string>;
  readonly tenant?: string;
  /** Absent: may read. */
  readonly role?: Role;
  readonly language?: string;
}

async function visit(app: TestApp, path: string, { form, tenant, role, language }: Visit = {}) {
  const response = await app.request(`${ORIGIN}${path}`, {
    method: form ? "POST" : "GET",
    headers: {
      host: "prescore.example",
      "Accept-Language": language ?? "en",
      ...form && { Origin: ORIGIN },
      ...tenant !== undefined && {
        Cookie: `prescore_session=${role === undefined ? "" : `as-${role}-`}for-${tenant}`,
      },
    },
    ...form && { body: new URLSearchParams(form) },
  });
  return { response, status: response.status, html: await response.text() };
}

/** What the form holds, as a browser would send it. */
function filledForm(html: string): Record<string, string> {
  const text = (part: string) =>
    part.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll(
      "&gt;",
      ">",
    ).replaceAll("&amp;", "&");
  const inputs = [...html.matchAll(/<input[^>]* name="(\w+)" value="([^"]*)"/g)];
  const selects = [...html.matchAll(/<select[^>]* name="(\w+)">(.*?)<\/select>/gs)];
  return Object.fromEntries([
    ...inputs.map(([, name = "", value = ""]) => [name, text(value)]),
    ...selects.map(([, name = "", options = ""]) => {
      return [name, text(/value="([^"]*)" selected/.exec(options)?.[1] ?? "")];
    }),
  ]);
}

async function example(app: TestApp): Promise<Record<string, string>> {
  return filledForm((await visit(app, "/console?example=1")).html);
}

/** Applies, and gives the path of the application. */
async function apply(app: TestApp, form: Record<string, string>, who: Visit = {}): Promise<string> {
  const { response, html } = await visit(app, "/console/applications", { ...who, form });
  assert.equal(response.status, 303, html);
  return response.headers.get("location") ?? "";
}

/** Uploads a table of decisions as the ledger's form does. */
async function sendTable(app: TestApp, text: string) {
  const body = new FormData();
  body.set("table", new File([text], "outcomes.csv", { type: "text/csv" }));
  const response = await app.request(`${ORIGIN}/console/ledger`, {
    method: "POST",
    headers: { host: "prescore.example", Origin: ORIGIN, "Accept-Language": "en" },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    html: await response.text(),
  };
}

Deno.test("the form asks for every field, in the language that is asked for", async () => {
  await using app = await openConsole();
  for (const language of ["ru", "en"] as const) {
    const { html } = await visit(app, "/console", { language });
    assert.match(html, new RegExp(`<html lang="${language}">`));
    for (const { id, label } of questionnaire.fields) {
      assert.ok(html.includes(`name="${id}"`), id);
      assert.ok(html.includes(label[language]), label[language]);
    }
  }
  const chosen = await visit(app, "/console?lang=ru", { language: "en" });
  assert.match(chosen.html, /<html lang="ru">/);
  assert.match(chosen.response.headers.get("set-cookie") ?? "", /^prescore_lang=ru/);
});

Deno.test("an application shows every bank, the advice, offers, curves and a plan", async () => {
  await using app = await openConsole();
  const path = await apply(app, await example(app));
  for (const language of ["ru", "en"] as const) {
    const { html, status } = await visit(app, path, { language });
    assert.equal(status, 200);
    for (const { title } of banks.banks) assert.ok(html.includes(title[language]));
    for (const id of ["offers", "banks", "plan"]) assert.ok(html.includes(`id="${id}"`), id);
    assert.equal([...html.matchAll(/class="curve"/g)].length, banks.banks.length);
    assert.ok([...html.matchAll(/class="waterfall"/g)].length === banks.banks.length);
    // What was sent stands in no address of the page.
    assert.doesNotMatch(html, /(href|action|src)="[^"]*180000/);
  }
});

Deno.test("another loan is looked at without being stored, and can be applied for", async () => {
  await using app = await openConsole();
  const path = await apply(app, await example(app));
  const asked = await visit(app, path);
  const other = await visit(app, `${path}?amount=60000&term=12`);
  assert.match(other.html, /another loan: ₽60,000 for 12 months/);
  assert.doesNotMatch(asked.html, /another loan/);
  assert.notEqual(
    /class="figure">\d+%/.exec(other.html)?.[0],
    /class="figure">\d+%/.exec(asked.html)?.[0],
  );
  const { response } = await visit(app, `${path}/take`, { form: { amount: "60000", term: "12" } });
  const taken = response.headers.get("location") ?? "";
  assert.notEqual(taken, path);
  assert.match((await visit(app, taken)).html, /name="amount"[^>]*value="60000"/);
});

Deno.test("an empty form is an application with every answer missing", async () => {
  await using app = await openConsole();
  const { status, html } = await visit(app, await apply(app, {}));
  assert.equal(status, 200);
  assert.match(html, /id="banks"/);
  assert.doesNotMatch(html, /data-live/, "there is no loan to slide");
});

Deno.test("what is no number is sent back with its field marked and everything kept", async () => {
  await using app = await openConsole();
  const form = { ...await example(app), monthprofit: "much", childcount: "1.5" };
  const { status, html } = await visit(app, "/console/applications", { form });
  assert.equal(status, 422);
  assert.match(html, /id="e-monthprofit">much is not a number/);
  assert.match(html, /id="e-childcount">1.5 is not a whole number/);
  assert.match(html, /name="monthexpense" value="100000"/);
});

Deno.test("a hostile answer is shown as the text that it is", async () => {
  await using app = await openConsole();
  const position = `"><script>alert(1)</script>'&`;
  const { html } = await visit(app, await apply(app, { ...await example(app), position }));
  assert.ok(!html.includes("<script>alert"));
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
});

Deno.test("an application of another tenant is answered as one that never was", async () => {
  await using app = await openConsole();
  const token = (tenant: string) => ({ csrf_token: `form of ${tenant}` });
  const path = await apply(app, { ...await example(app), ...token("a") }, { tenant: "a" });
  assert.equal((await visit(app, path, { tenant: "a" })).status, 200);
  const foreign = await visit(app, path, { tenant: "b" });
  const missing = await visit(app, `${path.slice(0, -4)}0000`, { tenant: "b" });
  assert.equal(foreign.status, 404);
  assert.equal(
    foreign.html.replaceAll(path, ""),
    missing.html.replaceAll(`${path.slice(0, -4)}0000`, ""),
  );
  const form = { amount: "60000", term: "12", ...token("b") };
  assert.equal((await visit(app, `${path}/take`, { tenant: "b", form })).status, 404);
});

Deno.test("a form that is not of the session is refused", async () => {
  await using app = await openConsole();
  const form = { ...await example(app), csrf_token: "form of b" };
  assert.equal((await visit(app, "/console/applications", { tenant: "a", form })).status, 403);
});

Deno.test("style and script are small, kept by the browser, and the only ones a page may load", async () => {
  await using app = await openConsole();
  const { html, response } = await visit(app, "/console");
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(html, / style=|<style|<script>/);
  const paths = [...html.matchAll(/(?:href|src)="(\/console\/assets\/[^"]+)"/g)].map(([, path]) =>
    path ?? ""
  );
  assert.equal(paths.length, 2);
  let bytes = html.length;
  for (const path of paths) {
    const asset = await visit(app, path);
    assert.equal(asset.status, 200);
    assert.match(asset.response.headers.get("cache-control") ?? "", /immutable/);
    bytes += asset.html.length;
  }
  assert.ok(bytes < 100_000, `${bytes} bytes`);
});

Deno.test("the audit log is read page by page by who operates, from its head back to its start", async () => {
  await using app = await openConsole();
  for (let at = 1; at <= 250; at++) {
    await app.audit.append({
      ...{ actor: "key:tester", action: "models.register", subject: `models/${at}` },
      details: { reason: "a <test>" },
    });
  }
  const { sequence, hash } = await app.audit.head();
  const seen: number[] = [];
  let path: string | undefined = "/console/audit";
  for (let pages = 0; path !== undefined && pages < 10; pages++) {
    const { status, html } = await visit(app, path);
    assert.equal(status, 200);
    assert.equal(
      html.includes(`${sequence}:${hash}`),
      pages === 0,
      "the head is on the first page",
    );
    assert.doesNotMatch(html, /<test>/);
    seen.push(...[...html.matchAll(/<td>models\/(\d+)<\/td>/g)].map(([, at]) => Number(at)));
    path = /href="(\/console\/audit\?before=\d+)"/.exec(html)?.[1];
  }
  assert.deepEqual(seen, Array.from({ length: 250 }, (_, at) => 250 - at));
  assert.equal((await visit(app, "/console/audit?before=much")).status, 200);
  for (const tenant of ["a", ""]) {
    const refused = await visit(app, "/console/audit", { tenant });
    assert.equal(refused.status, 403, "a reader's, or a tenant's");
    assert.doesNotMatch(refused.html, /models\/250/);
  }
});

Deno.test("an administrator makes a key, which is shown once, and revokes it; nobody else does", async () => {
  await using app = await openConsole();
  const admin = { tenant: "", role: "admin" } as const;
  const wanted = { csrf_token: "form of ", role: "submit", tenant: "shop-7", days: "30" };
  const refused = await visit(app, "/console/keys", { ...admin, form: { ...wanted, name: "" } });
  assert.equal(refused.status, 422);
  assert.match(refused.html, /role="alert">name: must be 1 to 100 characters/);
  assert.match(refused.html, /value="shop-7"/, "what was right need not be typed again");
  for (const [field, value] of [["role", "king"], ["tenant", "Shop 7"], ["days", "-1"]] as const) {
    const form = { ...wanted, name: "till", [field]: value };
    const { status, html } = await visit(app, "/console/keys", { ...admin, form });
    assert.equal(status, 422, field);
    assert.ok(html.includes(`${field}: current value is ${value}`), field);
  }

  const form = { ...wanted, name: "<till> 7" };
  const made = await visit(app, "/console/keys", { ...admin, form });
  assert.equal(made.status, 200);
  assert.equal(made.response.headers.get("cache-control"), "no-store");
  const text = /id="made">([^<]+)</.exec(made.html)?.[1] ?? "";
  const key = parseKey(text);
  assert.ok(key, text);
  const listed = await visit(app, "/console/keys", admin);
  assert.ok(!listed.html.includes(key.secret), "the secret is not shown again");
  assert.match(listed.html, /&lt;till&gt; 7/);
  assert.match(listed.html, /valid until/);
  assert.deepEqual((await app.audit.page({ limit: 1 })).map(({ action }) => action), [
    "keys.create",
  ]);

  const revoke = { csrf_token: "form of " };
  const path = `/console/keys/${key.id}/revoke`;
  for (
    const other of [{ tenant: "", role: "operate" }, { tenant: "a", role: "admin" }, {
      tenant: "",
    }] as const
  ) {
    const form = { csrf_token: `form of ${other.tenant}` };
    for (const asked of [{}, { form: { ...wanted, ...form, name: "own" } }]) {
      const { status, html } = await visit(app, "/console/keys", { ...other, ...asked });
      assert.equal(status, 403);
      assert.ok(!html.includes(key.id));
    }
    assert.equal((await visit(app, path, { ...other, form })).status, 403);
  }
  assert.equal((await visit(app, path, { ...admin, form: { csrf_token: "another" } })).status, 403);
  assert.equal((await visit(app, path, { ...admin, form: revoke })).status, 303);
  assert.match((await visit(app, "/console/keys", admin)).html, /revoked \d{4}-/);
  const again = await visit(app, path, { ...admin, form: revoke });
  assert.equal(again.status, 422);
  assert.match(again.html, /no such key/);
  assert.equal(
    (await visit(app, "/console/keys")).status,
    403,
    "keys are out of reach without one",
  );
});

Deno.test("the models are shown to who may read, changed by who may operate, and not a tenant's", async () => {
  await using app = await openConsole();
  const open = await visit(app, "/console/models");
  assert.equal(open.status, 200);
  assert.match(open.html, /Version 1/);
  assert.match(open.html, /href="\/console\/models\/1\/card"/);
  assert.equal((await visit(app, "/console/models/1/card")).status, 200);
  assert.equal((await visit(app, "/console/models/7/card")).status, 404);
  assert.doesNotMatch(
    open.html,
    /models\/1\/activate/,
    "the active version is not activated again",
  );
  const form = { csrf_token: "form of a" };
  assert.equal((await visit(app, "/console/models", { tenant: "a" })).status, 404);
  assert.equal((await visit(app, "/console/models/1/activate", { tenant: "a", form })).status, 403);
  const reader = { csrf_token: "form of " };
  const read = await visit(app, "/console/models", { tenant: "" });
  assert.equal(read.status, 200);
  assert.match(open.html, /id="record"/);
  assert.doesNotMatch(read.html, /id="record"/, "who did what is for those who operate");
  assert.equal(
    (await visit(app, "/console/models/1/activate", { tenant: "", form: reader })).status,
    403,
  );
});

Deno.test("a step that is refused says why, beside everything else", async () => {
  await using app = await openConsole();
  const absent = await visit(app, "/console/models/7/activate", { form: {} });
  assert.equal(absent.status, 409);
  assert.match(absent.html, /role="alert">[^<]*7/);
  const share = await visit(app, "/console/models/1/challenge", { form: { share: "150" } });
  assert.equal(share.status, 409);
  assert.match(share.html, /the share is 1.5, must be from 0 to 1/);
});

Deno.test("a table of decisions moves the ledger, and its bad rows are named", async () => {
  await using app = await openConsole();
  assert.match((await visit(app, "/console/ledger")).html, /No decision of this bank/);
  const id = (await apply(app, await example(app))).split("/").at(-1);
  const head = "application;bank;decision;decided_at\n";
  const at = "2023-11-14T12:00:00Z";
  const sent = await sendTable(
    app,
    `${head}${id};bank_a;approved;${at}\n<b>;bank_a;approved;${at}\n`,
  );
  assert.equal(sent.status, 200);
  assert.match(sent.html, /2 rows, 1 of them new, 1 rejected/);
  assert.match(sent.html, /row 2: there is no application &lt;b&gt;/);
  assert.match(sent.html, /1 decisions, 1 approved/);
  const bad = await sendTable(app, "bank;decision\n");
  assert.equal(bad.status, 422);
  assert.match(bad.html, /must have a column application, decided_at/);
});

Deno.test("an application is seen in the overview, in both languages", async () => {
  await using app = await openConsole();
  const funnel = (html: string) =>
    /id="funnel-applied">.*?<td class="number">(\d+)</s.exec(html)?.[1];
  assert.equal(funnel((await visit(app, "/console/overview")).html), "0");
  await apply(app, await example(app));
  await app.project();
  for (const language of ["ru", "en"] as const) {
    const { html, status } = await visit(app, "/console/overview?days=30", { language });
    assert.equal(status, 200);
    assert.equal(funnel(html), "1");
    for (const { title } of banks.banks) assert.ok(html.includes(title[language]));
  }
  const foreign = await visit(app, "/console/overview", { tenant: "shop" });
  assert.equal(funnel(foreign.html), "0");
});

Deno.test("a bank that has tightened is named with the date, in both languages", async () => {
  await using app = await openConsole();
  assert.match((await visit(app, "/console/drift")).html, /nothing to compare yet/);
  await recordDecisions(app, tightening("bank_b", Date.UTC(2023, 0, 1)));
  await app.clock.advance(60_000);
  const { status, html } = await visit(app, "/console/drift");
  assert.equal(status, 200);
  assert.match(html, /1,200 decisions; 700 were looked at/);
  assert.match(html, /Bank B has tightened since February 7, 2023/);
  const russian = await visit(app, "/console/drift", { language: "ru" });
  assert.match(russian.html, /Банк Б: с 7 февраля 2023 г. одобряет реже/);
});

Deno.test("a decision says which of its bands is to be read as a lower one", async () => {
  await using app = await openConsole();
  const path = await apply(app, await example(app));
  const banks = ["bank_a", "bank_b", "bank_c", "bank_d", "bank_e"];
  // Whatever it was given: no client of any bank was approved.
  await recordDecisions(
    app,
    banks.flatMap((bank) =>
      [0.25, 0.45, 0.65, 0.85].flatMap((probability) =>
        Array(80).fill({ bank, probability, approved: false, decidedAtMs: 1 })
      )
    ),
  );
  await visit(app, path);
  await app.clock.advance(60_000);
  const { html } = await visit(app, path);
  assert.match(html, /overstated: of 80 decisions 0% came true. Read it as Poor/);
});

Deno.test("a table is taken as large as the API takes it; what is refused is refused by a page", async () => {
  await using app = await openConsole();
  const id = (await apply(app, await example(app))).split("/").at(-1);
  const head = "application;bank;decision;decided_at;note\n";
  const row = `${id};bank_a;approved;2023-11-14T12:00:00Z;${"x".repeat(900)}\n`;
  const whole = await sendTable(app, head + row.repeat(1000));
  assert.equal(whole.status, 200);
  assert.match(whole.html, /1000 rows, 1 of them new, 0 rejected/);
  for (const bytes of [1_048_577, 2_000_000]) {
    const large = await sendTable(app, "x".repeat(bytes));
    assert.equal(large.status, 413);
    assert.match(large.type ?? "", /^text\/html/);
    assert.match(large.html, /role="alert">What was sent is too large/);
  }
});

/** Everyone may come, and each key has a bucket. */
function withBuckets(
  rate = config.service.limits.requestsPerKey,
): NonNullable<TestAppOptions["access"]> {
  return ({ clock }) => ({ ...OPEN_ACCESS, rate, buckets: new LocalBuckets(clock) });
}

Deno.test("what is stored is shown however often it is looked at; the curves alone have a quota", async () => {
  const limits = { ...limitsOf(config.service), probesPerApplicantAndHour: 2 };
  await using app = await openConsole({ options: { limits }, access: withBuckets() });
  const who = { tenant: "a" };
  const form = { ...await example(app), csrf_token: "form of a" };
  const path = await apply(app, form, who);
  for (const curves of [5, 5, 0, 0]) {
    const { status, html } = await visit(app, path, who);
    assert.equal(status, 200);
    assert.equal([...html.matchAll(/class="curve"/g)].length, curves);
    assert.equal(html.includes("the curves over the amount are left out"), curves === 0);
  }
  const other = await visit(app, `${path}?amount=60000&term=12`, who);
  assert.equal(other.status, 429);
  assert.match(other.html, /Too many variants were asked/);
});

Deno.test("a page takes from the same bucket as the API's requests with the key", async () => {
  const rate = { perSecond: 1, burst: 2 };
  await using app = await openConsole({ access: withBuckets(rate) });
  const statuses = [];
  for (let at = 0; at < 3; at++) {
    statuses.push((await visit(app, "/console", { tenant: "a" })).status);
  }
  assert.deepEqual(statuses, [200, 200, 429]);
  const { html, response } = await visit(app, "/console", { tenant: "a" });
  assert.match(html, /role="alert">Too many requests with this key/);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal((await visit(app, "/console", { tenant: "b" })).status, 200);
  await app.clock.advance(1000);
  assert.equal((await visit(app, "/console", { tenant: "a" })).status, 200);
});

Deno.test("cohorts and lists of clients are tables for a spreadsheet too, in the visitor's language", async () => {
  await using app = await openConsole();
  for (
    const [path, header] of [
      ["/console/cohorts.csv", "Cohorts,Who,Clients"],
      ["/console/cohorts.csv?by=estimated&split=monthprofit", "Cohorts,Who,Clients"],
      ["/console/campaign.csv?days=0", "Application,Applied on"],
    ] as const
  ) {
    const { status, response, html } = await visit(app, path);
    assert.equal(status, 200, path);
    assert.match(response.headers.get("content-type") ?? "", /^text\/csv/);
    assert.ok(html.replace("\uFEFF", "").startsWith(header), html);
  }
  const { html } = await visit(app, "/console/campaign.csv", { language: "ru" });
  assert.ok(html.includes("Заявка"), html);
  for (const path of ["/console/cohorts.csv?split=x", "/console/campaign.csv?cohort=a:b"]) {
    assert.equal((await visit(app, path)).status, 404, path);
  }
});
