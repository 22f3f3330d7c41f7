/** A browser and the whole service, each for one test. */
import { Buffer } from "node:buffer";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const PROJECT = new URL("../../", import.meta.url).pathname;
const BROWSER = Deno.env.get("PRESCORE_BROWSER") ?? "/usr/bin/chromium";
const START_MS = 30_000;

export const LANGUAGES = ["ru", "en"] as const;

export interface Service extends AsyncDisposable {
  readonly url: string;
}

/** Version 2 is version 1 under another name. */
async function copyModels(folder: string): Promise<void> {
  for (const path of ["configs", "models/1", "models/2"]) {
    await Deno.mkdir(`${folder}/${path}`, { recursive: true });
    const from = `${PROJECT}${path.replace("/2", "/1")}`;
    for await (const { name, isFile } of Deno.readDir(from)) {
      if (isFile) await Deno.copyFile(`${from}/${name}`, `${folder}/${path}/${name}`);
    }
  }
  const manifest = `${folder}/models/2/manifest.json`;
  const text = await Deno.readTextFile(manifest);
  await Deno.writeTextFile(manifest, JSON.stringify({ ...JSON.parse(text), version: "2" }));
  const card = `${folder}/models/2/MODEL_CARD.md`;
  await Deno.writeTextFile(
    card,
    (await Deno.readTextFile(card)).replace(/^(#.*) version 1$/m, "$1 version 2"),
  );
}

/** The service as its README starts it, with a database and two versions of the models of its own, and with a first key if one is given. */
export async function startService({ adminKey }: { adminKey?: string } = {}): Promise<Service> {
  const folder = await Deno.makeTempDir();
  await copyModels(folder);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=start", `--allow-write=${folder}`, "main.ts"],
    cwd: PROJECT,
    env: {
      PRESCORE_PORT: "0",
      PRESCORE_CONFIG: `${folder}/configs`,
      PRESCORE_DATABASE_URL: `file:${folder}/prescore.db`,
      ...adminKey !== undefined && { PRESCORE_ADMIN_KEY: adminKey },
    },
    stdout: "piped",
  }).spawn();
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS);
  let output = "";
  let url: string | undefined;
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (url === undefined) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the service ended: ${output}`);
    output += value;
    url = /listens on (http:\S+)/.exec(output)?.[1];
  }
  clearTimeout(late);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A key that is stored nowhere. */
export async function mintKey(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=generate", "tasks/keys.ts", "mint"],
    cwd: PROJECT,
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Signs in at the console with a key. */
export async function signIn(page: Page, url: string, key: string): Promise<void> {
  await page.goto(`${url}/console/login`);
  await page.locator("input[name=key]").fill(key);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/console$/);
}

export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page complained of. */
  readonly errors: string[];
}

export interface VisitorOptions {
  readonly language?: typeof LANGUAGES[number];
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
}

/**
 * A browser of Debian's package, or the one that PRESCORE_BROWSER names. Its own language is that of dates in forms, where
 * Debian's chromium-l10n is installed.
 */
export async function openBrowser(
  language: typeof LANGUAGES[number] = "en",
): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", `--lang=${language}`],
    env: { ...Deno.env.toObject(), LANGUAGE: language },
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

export async function visit(
  browser: Browser,
  { language = "en", colorScheme = "light", javaScriptEnabled = true }: VisitorOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    ...{ locale: language, colorScheme, javaScriptEnabled },
    // What a test puts into a page is not the page's own; the service's policy is tested elsewhere.
    bypassCSP: false,
    viewport: { width: 1100, height: 900 },
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  return { context, page, errors, [Symbol.asyncDispose]: () => context.close() };
}

/** What axe finds wrong with a page, by the rules of WCAG 2.2 AA and its own best practices. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    })
  );
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`
  );
}

/** Fills in the example and sends the form; the page is a decision then. */
export async function applyWithExample(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/console?example=1`);
  await page.locator("main form button[type=submit]").click();
  await page.waitForURL(/\/console\/applications\/app_/);
}

/** Has applications decided, and tells on the ledger's page what their banks said; that page is shown then. */
export async function tellOutcomes(page: Page, url: string, count = 40): Promise<void> {
  const rows = ["application;bank;decision;decided_at"];
  for (let at = 0; at < count; at++) {
    const response = await fetch(`${url}/v1/applications`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Prefer": "wait=10" },
      body: JSON.stringify({
        answers: { monthprofit: 60_000 + 5_000 * at, loan_amount: 90_000, loan_term: 12 },
      }),
    });
    const { id, decision } = await response.json();
    for (const { bank, probability } of decision.banks) {
      const decided = (at * 7 % 10) / 10 < probability - (bank === "bank_b" ? 0.4 : 0);
      rows.push(`${id};${bank};${decided ? "approved" : "refused"};2026-01-31T12:00:00Z`);
    }
  }
  await page.goto(`${url}/console/ledger`);
  await page.locator("#table").setInputFiles({
    name: "outcomes.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(rows.join("\n")),
  });
  await page.locator("main form button[type=submit]").click();
  await page.locator("[role=status]").waitFor();
}

/** Opens the overview again and again until at least so many have come to these steps. */
export async function seeFunnel(
  page: Page,
  url: string,
  least: Readonly<Record<string, number>>,
): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await page.goto(`${url}/console/overview`);
    const counts = await Promise.all(
      Object.keys(least).map((step) => page.locator(`#funnel-${step} td`).first().textContent()),
    );
    // Groups of digits are set apart as the language does.
    const shown = counts.map((text) => Number(text?.replaceAll(/\D/g, "")));
    if (Object.values(least).every((count, at) => (shown[at] ?? 0) >= count)) return;
    await page.waitForTimeout(200);
  }
  throw new Error(`the overview never showed ${JSON.stringify(least)}`);
}

const KINDS = ["Работаю по найму полный рабочий день/служу", "Собственное дело"] as const;
const DAY_MS = 86_400_000;

/** Tells of 1,000 decisions of one bank, 25 a day: as it was estimated, and from the 700th on none of the self-employed, a fifth. */
export async function tellTightening(url: string, bank = "bank_b"): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Prefer": "wait=10" },
      body: JSON.stringify(body),
    });
    return await response.json();
  };
  const outcomes = [];
  for (let at = 0; at < 1000; at++) {
    const kind = at % 5 === 0 ? 1 : 0;
    const answers = {
      ...{ monthprofit: 60_000 + 100 * at, loan_amount: 90_000, loan_term: 12 },
      employment_status: KINDS[kind],
    };
    const { id, decision } = await post("/v1/applications", { answers });
    const { probability } = decision.banks.find((one: { bank: string }) => one.bank === bank);
    const approved = (at * 7 % 100) / 100 < probability && !(at >= 700 && kind === 1);
    outcomes.push({
      ...{ application: id, bank, decision: approved ? "approved" : "refused" },
      decidedAt: new Date(Date.UTC(2026, 3, 14) + at / 25 * DAY_MS).toISOString(),
    });
  }
  await post("/v1/outcomes", { outcomes });
}

/** Has applications decided whose clients agreed to be told of offers, and has one bank refuse them all; their list is shown then. */
export async function sendRefused(page: Page, url: string, count = 8): Promise<void> {
  const answers = await exampleAnswers(url);
  const rows = ["application;bank;decision;decided_at"];
  for (let at = 0; at < count; at++) {
    const response = await fetch(`${url}/v1/applications`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Prefer": "wait=10" },
      body: JSON.stringify({
        answers: {
          ...answers,
          monthprofit: 170_000 + 5_000 * at,
          loan_amount: 90_000 + 10_000 * at,
        },
        consent: { purposes: ["scoring", "marketing"], document: "notice/1" },
      }),
    });
    const { id } = await response.json();
    rows.push(`${id};bank_b;refused;${new Date(Date.now() - 60_000).toISOString()}`);
  }
  const told = await fetch(`${url}/v1/outcomes`, {
    method: "POST",
    headers: { "Content-Type": "text/csv" },
    body: rows.join("\n"),
  });
  if (!told.ok) throw new Error(`the decisions were not taken: ${await told.text()}`);
  for (let tries = 0; tries < 100; tries++) {
    await page.goto(`${url}/console/campaign`);
    if (await page.locator("tbody tr").count() >= count) return;
    await page.waitForTimeout(200);
  }
  throw new Error(`the list never showed ${count} clients`);
}

async function exampleAnswers(url: string): Promise<Record<string, unknown>> {
  const { fields } = await (await fetch(`${url}/v1/questionnaire`)).json();
  return Object.fromEntries(
    fields.map(({ id, example }: { id: string; example: unknown }) => [id, example]),
  );
}
