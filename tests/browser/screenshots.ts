/** Writes docs/console/*.png: every page of the console in both languages. */
import {
  applyWithExample,
  LANGUAGES,
  mintKey,
  openBrowser,
  seeFunnel,
  sendRefused,
  signIn,
  startService,
  tellOutcomes,
  tellTightening,
  visit,
} from "./support.ts";

const FOLDER = new URL("../../docs/console/", import.meta.url).pathname;

/** What goes on below says nothing new. */
const MOST_HEIGHT = 1560;

const adminKey = await mintKey();
await using service = await startService();
for (const language of LANGUAGES) {
  await using browser = await openBrowser(language);
  await using visitor = await visit(browser, { language });
  const { page } = visitor;
  const shoot = (name: string) =>
    page.screenshot({
      path: `${FOLDER}${name}-${language}.png`,
      fullPage: true,
      clip: { x: 0, y: 0, width: 1100, height: MOST_HEIGHT },
    });
  await page.goto(`${service.url}/console?example=1`);
  await shoot("form");
  await applyWithExample(page, service.url);
  await shoot("decision");
  await tellOutcomes(page, service.url);
  await shoot("ledger");
  await seeFunnel(page, service.url, { applied: 1, sent: 40 });
  await shoot("overview");
  await sendRefused(page, service.url);
  await shoot("campaign");
  if (language === LANGUAGES[0]) {
    await tellTightening(service.url);
    await seeFunnel(page, service.url, { applied: 1049, sent: 1048 });
  }
  await page.goto(`${service.url}/console/cohorts`);
  await shoot("cohorts");
  await page.goto(`${service.url}/console/drift`);
  await shoot("drift");
  await page.goto(`${service.url}/console/models`);
  await shoot("models");
  await using guarded = await startService({ adminKey });
  await signIn(page, guarded.url, adminKey);
  await page.goto(`${guarded.url}/console/keys`);
  await page.locator("#name").fill("till 7");
  await page.locator("main form.questionnaire button").click();
  await shoot("keys");
  await page.goto(`${guarded.url}/console/audit`);
  await shoot("audit");
}
