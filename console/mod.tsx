/**
 * The operator's pages. They are made on the server and work without a script; the script only lets the sliders answer while they
 * move. What the pages need of the service is handed in: nothing here knows a queue or a session.
 */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import type {
  BankChanges,
  BankLedger,
  CohortMeasure,
  DowngradedBand,
  FoundCohorts,
  Overview,
  Split,
} from "../analytics/mod.ts";
import type { Campaign, CampaignQuery } from "../campaigns/mod.ts";
import type { Banks, Questionnaire } from "../configs/mod.ts";
import { loanGrid } from "../configs/mod.ts";
import type { ModelLifecycle } from "../lifecycle/mod.ts";
import type { Answers } from "../scoring/answers.ts";
import type { Curve, Decision } from "../scoring/decision.ts";
import { readAssets } from "./assets.ts";
import { AuditPage } from "./audit.tsx";
import { CampaignPage, readCampaignForm } from "./campaign.tsx";
import { CohortsPage, measureOf } from "./cohorts.tsx";
import { DecisionPage, type LoanRange } from "./decision.tsx";
import { DriftPage } from "./drift.tsx";
import { exampleValues, FormPage, readForm } from "./form.tsx";
import { KEY_FIELDS, type KeyForm, KeysPage, type ShownKey } from "./keys.tsx";
import { languageOf } from "./language.ts";
import { OverviewPage, type Period, PERIODS } from "./overview.tsx";
import { LedgerPage, type SentTable } from "./ledger.tsx";
import { CardPage, ModelsPage } from "./models.tsx";
import { type Frame, Notice, sayIn, type Viewer } from "./page.tsx";
import { campaignTable, cohortsTable } from "./tables.ts";
import { WORDS } from "./words.ts";

export type { Viewer } from "./page.tsx";

/** An application as its tenant may see it. */
export interface FoundApplication {
  readonly answers: Answers;
  /** Milliseconds since the epoch: ages and tenures count up to here. */
  readonly asOfMs: number;
  readonly state:
    | { readonly kind: "waiting" }
    | { readonly kind: "failed"; readonly cause: string }
    | { readonly kind: "decided"; readonly decision: Decision };
}

export interface ConsoleOptions {
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  readonly viewerOf: (c: Context) => Viewer;
  /** The body of a request as a form; `undefined` where it is none. */
  readonly formOf: (c: Context) => Promise<FormData | undefined>;
  /** Stores an application and gives its id; `undefined` where too many wait. */
  readonly apply: (c: Context, answers: Answers) => Promise<string | undefined>;
  readonly find: (c: Context, id: string) => Promise<FoundApplication | undefined>;
  /** What would be decided; `undefined` for who has asked too often. */
  readonly explore: (
    c: Context,
    application: { readonly answers: Answers; readonly atMs: number },
  ) => Promise<{ readonly decision: Decision; readonly curves: readonly Curve[] } | undefined>;
  readonly overview: (c: Context, days: Period) => Promise<Overview>;
  /** `undefined` where there is no such question to tell clients apart by. */
  readonly cohorts: (
    c: Context,
    asked: { readonly measure: CohortMeasure; readonly split?: string | undefined },
  ) => Promise<FoundCohorts | undefined>;
  /** Of whom a list of clients can be asked for. */
  readonly splits: readonly Split[];
  /** Whom to call back; `undefined` where there is no such cohort. */
  readonly campaign: (
    c: Context,
    query: Pick<CampaignQuery, "cohort" | "lapsedAfterDays" | "limit" | "before">,
  ) => Promise<Campaign | undefined>;
  readonly ledger: (c: Context) => Promise<readonly BankLedger[]>;
  readonly changes: (c: Context) => Promise<readonly BankChanges[]>;
  /** Bands that come true less often than they say, as far as that is known. */
  readonly downgraded: (c: Context) => readonly DowngradedBand[];
  /** Records a table of what banks decided, or says why none of it can be read. */
  readonly tell: (c: Context, table: Blob) => Promise<SentTable | { readonly refusal: string }>;
  readonly models: Pick<ModelLifecycle, "models" | "card" | "comparison" | "audit">;
  /** Takes a step of the models' life; gives why it was refused, where it was. */
  readonly step: (
    c: Context,
    take: (lifecycle: ModelLifecycle, actor: string) => Promise<unknown>,
  ) => Promise<string | undefined>;
  readonly keys: ConsoleKeys;
}

/** The keys of the whole service. */
export interface ConsoleKeys {
  readonly roles: readonly string[];
  readonly list: () => Promise<readonly ShownKey[]>;
  /** Makes a key and gives its text, or says what is wrong with the form. */
  readonly create: (
    c: Context,
    form: KeyForm,
  ) => Promise<{ readonly made: string } | { readonly refusal: string }>;
  /** False where there is no such key, or it was revoked before. */
  readonly revoke: (c: Context, id: string) => Promise<boolean>;
}

const REFRESH_S = 1;
const WITH_SCRIPT =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** The pages under `/console`; a guard must stand before them. */
export function consoleRoutes(options: ConsoleOptions): Hono {
  const app = new Hono();
  const assets = readAssets();
  const range = loanRange(options.banks);
  const frameOf = (c: Context): Frame => ({
    language: languageOf(c),
    viewer: options.viewerOf(c),
    here: hereOf(c),
    assets: { style: assets.style.path, script: assets.script.path },
  });
  app.use("/console", withScript).use("/console/*", withScript);
  for (const { path, type, text } of [assets.style, assets.script]) {
    app.get(path, (c) => {
      c.header("Cache-Control", "public, max-age=31536000, immutable");
      return c.body(text, 200, { "Content-Type": type });
    });
  }

  app.get("/console", (c) => {
    const { questionnaire } = options;
    const values = c.req.query("example") === undefined ? {} : exampleValues(questionnaire);
    return page(c, <FormPage frame={frameOf(c)} questionnaire={questionnaire} values={values} />);
  });

  app.post("/console/applications", async (c) => {
    const { questionnaire } = options;
    const read = readForm(await options.formOf(c) ?? new FormData(), questionnaire);
    if ("errors" in read) {
      return page(c, <FormPage frame={frameOf(c)} questionnaire={questionnaire} {...read} />, 422);
    }
    return await applied(c, read.answers);
  });

  app.get("/console/applications/:id", async (c) => {
    const frame = frameOf(c);
    const id = c.req.param("id");
    const found = await options.find(c, id);
    if (found === undefined) return page(c, <Notice frame={frame} title={WORDS.notFound} />, 404);
    const { answers, asOfMs, state } = found;
    if (state.kind === "waiting") {
      return page(c, <Notice frame={frame} title={WORDS.waiting} refreshS={REFRESH_S} />);
    }
    if (state.kind === "failed") {
      return page(c, <Notice frame={frame} title={WORDS.failed} detail={state.cause} />);
    }
    const other = otherLoan(c.req.query(), options.questionnaire);
    const explored = await options.explore(c, { answers: { ...answers, ...other }, atMs: asOfMs });
    if (other && explored === undefined) {
      return page(c, <Notice frame={frame} title={WORDS.probed} />, 429);
    }
    const { decision } = state;
    return page(
      c,
      <DecisionPage
        frame={frame}
        path={`/console/applications/${id}`}
        questionnaire={options.questionnaire}
        answers={answers}
        decision={other && explored ? explored.decision : decision}
        curves={explored?.curves}
        applied={other ? decision.loan : undefined}
        range={range}
        downgraded={options.downgraded(c)}
      />,
    );
  });

  app.post("/console/applications/:id/take", async (c) => {
    const found = await options.find(c, c.req.param("id"));
    const form = await options.formOf(c);
    const other = form &&
      otherLoan(
        { amount: String(form.get("amount")), term: String(form.get("term")) },
        options.questionnaire,
      );
    if (found === undefined || !other) {
      return page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404);
    }
    return await applied(c, { ...found.answers, ...other });
  });

  async function applied(c: Context, answers: Answers): Promise<Response> {
    const id = await options.apply(c, answers);
    return id === undefined
      ? page(c, <Notice frame={frameOf(c)} title={WORDS.tooMany} />, 429)
      : c.redirect(`/console/applications/${id}`, 303);
  }

  app.get("/console/overview", async (c) => {
    const asked = Number(c.req.query("days"));
    const period = PERIODS.find((days) => days === asked) ?? 90;
    const overview = await options.overview(c, period);
    return page(c, <OverviewPage {...{ frame: frameOf(c), overview, period }} />);
  });

  app.get(
    "/console/ledger",
    async (c) => page(c, <LedgerPage frame={frameOf(c)} banks={await options.ledger(c)} />),
  );

  app.get(
    "/console/drift",
    async (c) => page(c, <DriftPage frame={frameOf(c)} banks={await options.changes(c)} />),
  );

  const cohortsOf = (c: Context) => {
    const { by, split } = c.req.query();
    return options.cohorts(c, { measure: measureOf(by), ...split && { split } });
  };
  app.get("/console/cohorts", async (c) => {
    const cohorts = await cohortsOf(c);
    return cohorts === undefined
      ? page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404)
      : page(c, <CohortsPage {...{ frame: frameOf(c), cohorts }} />);
  });

  app.get("/console/cohorts.csv", async (c) => {
    const cohorts = await cohortsOf(c);
    return cohorts === undefined
      ? page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404)
      : table(c, "cohorts", cohortsTable(cohorts, sayIn(languageOf(c))));
  });

  app.get("/console/campaign.csv", async (c) => {
    const query = { ...readCampaignForm(c.req.query()), limit: MOST_IN_TABLE };
    const campaign = await options.campaign(c, query);
    return campaign === undefined
      ? page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404)
      : table(c, "campaign", campaignTable(campaign, sayIn(languageOf(c))));
  });

  app.get("/console/campaign", async (c) => {
    const { splits } = options;
    const query = readCampaignForm(c.req.query());
    const campaign = await options.campaign(c, query);
    return campaign === undefined
      ? page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404)
      : page(c, <CampaignPage {...{ frame: frameOf(c), splits, query, campaign }} />);
  });

  app.post("/console/ledger", async (c) => {
    const table = (await options.formOf(c))?.get("table");
    const told = await options.tell(c, table instanceof File ? table : new Blob());
    const banks = await options.ledger(c);
    return "refusal" in told
      ? page(c, <LedgerPage frame={frameOf(c)} banks={banks} refusal={told.refusal} />, 422)
      : page(c, <LedgerPage frame={frameOf(c)} banks={banks} sent={told} />);
  });

  addModels(app, { ...options, frameOf });
  addKeys(app, { ...options, frameOf });

  app.get("/console/*", (c) => page(c, <Notice frame={frameOf(c)} title={WORDS.notFound} />, 404));
  return app;
}

/** Clients of a list in one table. */
const MOST_IN_TABLE = 500;
const RECORDED = 20;
const AUDIT_PAGE = 100;

/** The models are the whole service's: a tenant's own key finds nothing here. */
function addModels(
  app: Hono,
  { banks: { banks }, models, step, formOf, frameOf }: ConsoleOptions & {
    readonly frameOf: (c: Context) => Frame;
  },
): void {
  async function modelsPage(c: Context, refusal?: string): Promise<Response> {
    const frame = frameOf(c);
    const { language, viewer } = frame;
    if (!viewer.seesModels) return page(c, <Notice frame={frame} title={WORDS.notFound} />, 404);
    const [view, comparison, record] = await Promise.all([
      models.models(),
      models.comparison(),
      // As in the API, who did what is for those who operate.
      viewer.operates ? models.audit({ limit: RECORDED }) : undefined,
    ]);
    return page(
      c,
      <ModelsPage
        frame={frame}
        models={view}
        comparison={comparison}
        audit={record?.entries}
        titles={new Map(banks.map(({ id, title }) => [id, title[language]]))}
        operates={viewer.operates}
        {...refusal !== undefined && { refusal }}
      />,
      refusal === undefined ? 200 : 409,
    );
  }
  app.get("/console/models", (c) => modelsPage(c));
  app.get("/console/models/:version/card", async (c) => {
    const frame = frameOf(c);
    const version = c.req.param("version");
    const card = frame.viewer.seesModels
      ? await models.card(version).catch(() => undefined)
      : undefined;
    return card === undefined
      ? page(c, <Notice frame={frame} title={WORDS.notFound} />, 404)
      : page(c, <CardPage frame={frame} version={version} card={card} />);
  });

  app.get("/console/audit", async (c) => {
    const frame = frameOf(c);
    const { viewer } = frame;
    if (!viewer.seesModels || !viewer.operates) {
      return page(c, <Notice frame={frame} title={WORDS.notAllowed} />, 403);
    }
    const asked = Number(c.req.query("before") ?? NaN);
    const before = Number.isSafeInteger(asked) && asked > 0 ? { before: asked } : {};
    const entries = await models.audit({ limit: AUDIT_PAGE, ...before });
    return page(
      c,
      <AuditPage frame={frame} page={entries} isLatest={!("before" in before)} />,
    );
  });

  async function taken(
    c: Context,
    take: (form: FormData | undefined) => Parameters<typeof step>[1],
  ): Promise<Response> {
    const frame = frameOf(c);
    if (!frame.viewer.operates || !frame.viewer.seesModels) {
      return page(c, <Notice frame={frame} title={WORDS.notAllowed} />, 403);
    }
    const refusal = await step(c, take(await formOf(c)));
    return refusal === undefined
      ? c.redirect("/console/models", 303)
      : await modelsPage(c, refusal);
  }
  const versionOf = (c: Context) => c.req.param("version") ?? "";
  app.post(
    "/console/models/:version/register",
    (c) => taken(c, () => (lifecycle, actor) => lifecycle.register(versionOf(c), actor)),
  );
  app.post(
    "/console/models/:version/activate",
    (c) => taken(c, () => (lifecycle, actor) => lifecycle.activate(versionOf(c), actor)),
  );
  app.post("/console/models/:version/challenge", (c) =>
    taken(c, (form) => (lifecycle, actor) => {
      const share = Number(form?.get("share") ?? NaN) / 100;
      return lifecycle.challenge(versionOf(c), { share, actor });
    }));
  app.post(
    "/console/models/rollback",
    (c) => taken(c, () => (lifecycle, actor) => lifecycle.rollback(actor)),
  );
  app.post(
    "/console/models/end-trial",
    (c) => taken(c, () => (lifecycle, actor) => lifecycle.endChallenge(actor)),
  );
}

/** For the administrators of the whole service alone. */
function addKeys(
  app: Hono,
  { keys, formOf, frameOf }: ConsoleOptions & { readonly frameOf: (c: Context) => Frame },
): void {
  async function keysPage(
    c: Context,
    said: Pick<Parameters<typeof KeysPage>[0], "made" | "refused"> = {},
  ): Promise<Response> {
    const { roles } = keys;
    const status = said.refused === undefined ? 200 : 422;
    return await page(
      c,
      <KeysPage frame={frameOf(c)} keys={await keys.list()} roles={roles} {...said} />,
      status,
    );
  }
  const administers = createMiddleware(async (c, next) => {
    const frame = frameOf(c);
    const { viewer } = frame;
    if (viewer.seesModels && viewer.administers) return await next();
    return await page(c, <Notice frame={frame} title={WORDS.notAllowed} />, 403);
  });
  app.use("/console/keys", administers).use("/console/keys/*", administers);
  app.get("/console/keys", (c) => keysPage(c));
  app.post("/console/keys", async (c) => {
    const sent = await formOf(c);
    const form: KeyForm = Object.fromEntries(
      KEY_FIELDS.map((field) => [field, String(sent?.get(field) ?? "").trim()]),
    );
    const answer = await keys.create(c, form);
    return "made" in answer
      ? await keysPage(c, answer)
      : await keysPage(c, { refused: { why: answer.refusal, form } });
  });
  app.post("/console/keys/:id/revoke", async (c) => {
    const id = c.req.param("id");
    if (await keys.revoke(c, id)) return c.redirect("/console/keys", 303);
    const why = sayIn(frameOf(c).language)(WORDS.keyGone, { id: id.slice(0, 40) });
    return await keysPage(c, { refused: { why, form: {} } });
  });
}

async function withScript(c: Context, next: () => Promise<void>): Promise<void> {
  c.header("Content-Security-Policy", WITH_SCRIPT);
  await next();
}

async function page(
  c: Context,
  element: { toString(): string | Promise<string> },
  status: 200 | 403 | 404 | 409 | 422 | 429 = 200,
): Promise<Response> {
  return c.html(`<!DOCTYPE html>${await element.toString()}`, status);
}

/** With the mark by which spreadsheets know UTF-8. */
function table(c: Context, name: string, text: string): Response {
  c.header("Content-Disposition", `attachment; filename="${name}.csv"`);
  return c.body(`\uFEFF${text}`, 200, { "Content-Type": "text/csv; charset=utf-8" });
}

/** The path and the query but for the language. */
function hereOf(c: Context): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.delete("lang");
  const query = searchParams.toString();
  return query === "" ? pathname : `${pathname}?${query}`;
}

/** The answers that another loan changes; `undefined` where none is named, or the questionnaire has no loan. */
function otherLoan(
  { amount, term }: Readonly<Record<string, string | undefined>>,
  { fields }: Questionnaire,
): Answers | undefined {
  const wanted = { amount: Number(amount ?? NaN), term: Number(term ?? NaN) };
  if (!(wanted.amount > 0 && wanted.term > 0)) return undefined;
  if (!Number.isFinite(wanted.amount + wanted.term)) return undefined;
  const changed = fields.flatMap(({ id, role }) => role === undefined ? [] : [[id, wanted[role]]]);
  return changed.length === 2 ? Object.fromEntries(changed) : undefined;
}

function loanRange({ banks }: Banks): LoanRange | undefined {
  const grid = loanGrid(banks);
  return grid && {
    amount: { min: grid.min, max: grid.max, step: grid.step },
    terms: grid.terms,
  };
}
