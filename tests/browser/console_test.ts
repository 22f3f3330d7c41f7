/** The console as a person meets it, in a real browser. */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import {
  applyWithExample,
  LANGUAGES,
  mintKey,
  openBrowser,
  seeFunnel,
  sendRefused,
  type Service,
  signIn,
  startService,
  tellOutcomes,
  tellTightening,
  violations,
  visit,
} from "./support.ts";

const MOST_BYTES = 100_000;

Deno.test("apply, read the reasons, move the slider, take an offer", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser);
  const { page, errors } = visitor;
  await applyWithExample(page, service.url);
  assert.equal(await page.locator("article.bank").count(), 5);
  const why = page.locator("#why-bank_b");
  await why.locator("summary").click();
  assert.ok(await why.locator("tbody tr").count() > 2);

  const applied = page.url();
  const chance = page.locator("article.bank .figure").first();
  const before = await chance.textContent();
  const slider = page.locator("input[type=range][data-for=amount]");
  await slider.focus();
  await page.keyboard.press("Home");
  await page.locator("#decision .note").waitFor();
  assert.notEqual(await chance.textContent(), before);
  assert.ok(await why.getAttribute("open") !== null, "what was open stays open");
  assert.match(await page.locator("#live").textContent() ?? "", /\w/);
  assert.equal(page.url(), applied, "sliding goes nowhere");

  await page.goto(applied);
  const card = page.locator(".card").nth(1);
  const offered = await card.locator(".figure").textContent() ?? "";
  await card.locator("button").click();
  await page.waitForURL((url) => url.href !== applied);
  const amount = await page.locator("#amount").inputValue();
  await seeFunnel(page, service.url, { applied: 2 });
  await page.goBack();
  assert.ok(offered.replaceAll(/[^\d]/g, "").startsWith(amount), `${offered}: ${amount}`);
  assert.deepEqual(errors, []);
});

Deno.test("every page keeps the rules of accessibility, in both languages, light and dark", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  for (const language of LANGUAGES) {
    for (const colorScheme of ["light", "dark"] as const) {
      await using visitor = await visit(browser, { language, colorScheme });
      const { page } = visitor;
      const check = async (name: string) =>
        assert.deepEqual(await violations(page), [], `${name}, ${language}, ${colorScheme}`);
      await page.goto(`${service.url}/console`);
      assert.equal(await page.locator("html").getAttribute("lang"), language);
      await check("the form");
      await page.locator("input[name=monthprofit]").fill("much");
      await page.locator("main form button[type=submit]").click();
      await page.locator("[role=alert]").waitFor();
      await check("the form with an error");
      await applyWithExample(page, service.url);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      await check("the decision");
      await page.goto(`${service.url}/console/overview`);
      await check("the overview");
      await page.goto(`${service.url}/console/ledger`);
      await check("the empty ledger");
      await tellOutcomes(page, service.url);
      await check("the ledger");
      await page.goto(`${service.url}/console/drift`);
      await check("what changed");
      await page.goto(`${service.url}/console/models`);
      await check("the models");
      await page.goto(`${service.url}/console/models/1/card`);
      await check("a model card");
      await page.goto(`${service.url}/console/audit`);
      await check("the audit log");
      await page.goto(`${service.url}/console/nowhere`);
      await check("a page that is not there");
      await page.goto(`${service.url}/console/login`);
      await check("signing in");
    }
  }
});

Deno.test("without JavaScript all but the live sliders works", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, { javaScriptEnabled: false });
  const { page } = visitor;
  await applyWithExample(page, service.url);
  assert.equal(await page.locator("input[type=range]").first().isVisible(), false);
  await page.locator("#amount").fill("60000");
  await page.locator("form.sliders button").click();
  await page.waitForURL(/amount=60000/);
  assert.ok(await page.locator("#decision .note").isVisible());
});

Deno.test("every page is small at a first visit, complains of nothing, and says the same without JavaScript", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  const paths = await pagesOf(service, browser);
  for (const path of paths) {
    const [scripted, plain] = [
      await firstVisit(browser, { service, path }),
      await firstVisit(browser, { service, path, javaScriptEnabled: false }),
    ];
    // The page itself, its style, its script and the icon.
    assert.ok(scripted.bytes > 10_000 && scripted.bytes < MOST_BYTES, `${path}: ${scripted.bytes}`);
    assert.deepEqual([...scripted.errors, ...plain.errors], [], path);
    assert.equal(plain.text, scripted.text, path);
  }
});

/** The paths of all that the navigation leads to, and of what those pages lead to that is the service's own: with contents. */
async function pagesOf(service: Service, browser: Browser): Promise<readonly string[]> {
  await using visitor = await visit(browser);
  const { page } = visitor;
  await applyWithExample(page, service.url);
  const decision = new URL(page.url());
  await tellOutcomes(page, service.url);
  await seeFunnel(page, service.url, { applied: 41, sent: 40 });
  const linked = async (within: string) =>
    (await page.locator(`${within} a:not([download])`).evaluateAll((links) =>
      links.map((link) => (link as HTMLAnchorElement).href)
    )).map((href) => new URL(href)).filter(({ origin, pathname }) =>
      origin === service.url && pathname.startsWith("/console")
    ).map(({ pathname, search }) => pathname + search);
  const paths = new Set([decision.pathname, ...await linked("header nav")]);
  for (const path of await linked("header nav")) {
    await page.goto(service.url + path);
    for (const found of await linked("main")) paths.add(found);
  }
  return [...paths];
}

interface FirstVisit {
  /** Of all that was loaded, uncompressed. */
  readonly bytes: number;
  readonly errors: readonly string[];
  /** What the page says, but for what is there for scripts alone. */
  readonly text: string;
}

interface FirstVisitOptions {
  readonly service: Service;
  readonly path: string;
  readonly javaScriptEnabled?: boolean;
}

/** Opens a page with an empty cache; one that gave way to the next before it was read, as one that waits does, is opened again. */
async function firstVisit(browser: Browser, options: FirstVisitOptions): Promise<FirstVisit> {
  for (let tries = 0; tries < 5; tries++) {
    const seen = await visitOnce(browser, options);
    if (seen !== undefined) return seen;
  }
  throw new Error(`${options.path} never stayed long enough to be read`);
}

async function visitOnce(
  browser: Browser,
  { service, path, ...options }: FirstVisitOptions,
): Promise<FirstVisit | undefined> {
  await using visitor = await visit(browser, options);
  const { page, errors } = visitor;
  const sizes: Promise<number | undefined>[] = [];
  page.on("response", (response) => {
    assert.ok(response.url().startsWith(service.url), response.url());
    if (response.status() !== 200) return;
    sizes.push(response.body().then((body) => body.length, () => undefined));
  });
  await page.goto(service.url + path, { waitUntil: "networkidle" });
  const known = (await Promise.all(sizes)).flatMap((size) => size ?? []);
  if (known.length < sizes.length) return undefined;
  const bytes = known.reduce((sum, size) => sum + size, 0);
  const text = await page.locator("main").textContent() ?? "";
  return { bytes, errors, text };
}

Deno.test("what is printed is the client's sheet, without what can only be clicked", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser);
  const { page } = visitor;
  await applyWithExample(page, service.url);
  await page.emulateMedia({ media: "print" });
  for (const hidden of ["header nav", ".loan", ".card form"]) {
    assert.equal(await page.locator(hidden).first().isVisible(), false, hidden);
  }
  assert.ok(await page.locator(".card .figure").first().isVisible());
});

Deno.test("pages are reached and left by the keyboard", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser);
  const { page } = visitor;
  await page.goto(`${service.url}/console`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => location.hash), "#main");
});

Deno.test("activate a version of the models, and roll back", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser);
  const { page, errors } = visitor;
  await page.goto(`${service.url}/console/models`);
  const badge = (version: string) => page.locator(`#version-${version} .badge`).textContent();
  assert.equal(await badge("1"), "answers");
  await page.getByRole("button", { name: "Put on record" }).click();
  await page.getByRole("button", { name: "Activate" }).click();
  await page.locator("#version-2 .badge.good").waitFor();
  assert.equal(await badge("1"), "the one before");
  await applyWithExample(page, service.url);
  assert.match(await page.locator(".receipt").textContent() ?? "", /Models 2/);
  await page.goto(`${service.url}/console/models`);
  await page.getByRole("button", { name: "Roll back to it" }).click();
  await page.locator("#version-1 .badge.good").waitFor();
  assert.ok(await page.locator("#record").isVisible());
  assert.deepEqual(errors, []);
});

Deno.test("tell what a bank decided, and see the ledger move", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await using visitor = await visit(browser);
  const { page, errors } = visitor;
  await tellOutcomes(page, service.url);
  assert.match(await page.locator("[role=status]").textContent() ?? "", /0 rejected/);
  assert.match(await page.locator("#ledger-bank_a").textContent() ?? "", /40 decisions/);
  assert.ok(await page.locator("#ledger-bank_a tbody tr").count() > 0);
  assert.deepEqual(errors, []);
});

Deno.test("a cohort that a bank refuses is named among the first three, in the visitor's language", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  await tellTightening(service.url);
  for (const [language, name] of [["ru", "Собственное дело"], ["en", "Own business"]] as const) {
    await using visitor = await visit(browser, { language });
    const { page, errors } = visitor;
    await seeFunnel(page, service.url, { applied: 1000, sent: 1000 });
    await page.locator("header nav a[href='/console/cohorts']").click();
    await page.waitForURL(/\/console\/cohorts$/);
    const rows = await page.locator("table").first().locator("tbody th").allTextContents();
    assert.ok(rows.slice(0, 3).some((text) => text.includes(name)), rows.join("; "));
    assert.deepEqual(await violations(page), [], language);
    await page.locator("#split").selectOption("monthprofit");
    await page.locator("main form button").click();
    await page.waitForURL(/split=monthprofit/);
    assert.ok(await page.locator("table").last().locator("tbody tr").count() > 5);
    assert.deepEqual(await violations(page), [], language);
    await page.locator("a[href='?by=estimated']").click();
    await page.waitForURL(/by=estimated/);
    assert.deepEqual(await violations(page), [], language);
    assert.deepEqual(errors, []);
  }
});

Deno.test("see whom to call back with which offer, and choose of whom", async () => {
  await using service = await startService();
  await using browser = await openBrowser();
  for (const language of LANGUAGES) {
    await using visitor = await visit(browser, { language });
    const { page, errors } = visitor;
    await page.goto(`${service.url}/console`);
    if (language === LANGUAGES[0]) await sendRefused(page, service.url);
    await page.goto(`${service.url}/console`);
    await page.locator("header nav a[href='/console/campaign']").click();
    await page.waitForURL(/\/console\/campaign$/);
    assert.equal(await page.locator("tbody tr").count(), 8);
    assert.deepEqual(await violations(page), [], language);
    await page.locator("#cohort").selectOption("employment_status:none");
    await page.locator("main form button").click();
    await page.waitForURL(/cohort=employment_status/);
    assert.equal(await page.locator("tbody tr").count(), 0);
    assert.equal(await page.locator("#cohort").inputValue(), "employment_status:none");
    assert.deepEqual(await violations(page), [], language);
    await page.goBack();
    await page.locator("tbody a").first().click();
    await page.waitForURL(/\/console\/applications\/app_/);
    assert.deepEqual(errors, []);
  }
});

Deno.test("an administrator makes a key, sees it once, and revokes it", async () => {
  const adminKey = await mintKey();
  await using service = await startService({ adminKey });
  await using browser = await openBrowser();
  for (const language of LANGUAGES) {
    await using visitor = await visit(browser, { language });
    const { page, errors } = visitor;
    await signIn(page, service.url, adminKey);
    await page.locator("header nav a[href='/console/keys']").click();
    await page.locator("#name").fill(`till ${language}`);
    await page.locator("#tenant").fill("shop-7");
    await page.locator("main form.questionnaire button").click();
    const made = await page.locator("#made").textContent() ?? "";
    assert.deepEqual(await violations(page), [], language);
    await page.goto(`${service.url}/console/keys`);
    assert.ok(!(await page.content()).includes(made));
    const row = page.locator("tr", { hasText: `till ${language}` });
    await row.locator("button").click();
    await row.locator("button").waitFor({ state: "detached" });
    await page.goto(`${service.url}/console/audit`);
    assert.match(await page.locator("tbody tr").first().textContent() ?? "", /keys\.revoke/);
    assert.deepEqual(errors, []);
  }
});
