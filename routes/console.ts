/** The console's pages behind the guard, and what they need of the service: applications of the viewer's tenant, and what-if. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { consoleRoutes, type FoundApplication } from "../console/mod.tsx";
import { splitsOf } from "../analytics/mod.ts";
import type { Answers } from "../scoring/answers.ts";
import { decodeDecision, decodePayload, encodePayload } from "../scoring/handler.ts";
import {
  actorOf,
  isValid,
  type KeyStore,
  keyText,
  newKey,
  readWantedKey,
  ROLE_NAMES,
  type WantedKey,
  WantedKeyError,
} from "../access/mod.ts";
import { LifecycleError } from "../lifecycle/mod.ts";
import { callerOf, own } from "./access.ts";
import { BodyTooLargeError } from "./request_body.ts";
import { formOf, viewerOf } from "./sign_in.ts";
import { APPLICATION_PREFIX } from "./v1/application_view.ts";
import type { AnalyticsOptions } from "./v1/analytics.ts";
import type { ApplicationsOptions } from "./v1/applications.ts";
import { newId } from "./v1/idempotency_key.ts";
import { refuseProbes } from "./v1/probes.ts";
import type { WhatIfOptions } from "./v1/what_if.ts";
import type { CatalogueOptions } from "./v1/catalogue.ts";
import type { ModelsOptions } from "./v1/models.ts";
import { MOST_BYTES, type OutcomesOptions, readCsv, recordRows } from "./v1/outcomes.ts";
import { Problem } from "./v1/problems.ts";

/** A page waits so long for its decision before it says that it waits. */
const WAIT_MS = 3000;

export interface KeysOptions {
  readonly keys: Pick<KeyStore, "list" | "create" | "revoke">;
}

type Options =
  & KeysOptions
  & ApplicationsOptions
  & WhatIfOptions
  & CatalogueOptions
  & ModelsOptions
  & OutcomesOptions
  & AnalyticsOptions;

export function addConsole(app: OpenAPIHono, options: Options): void {
  const { questionnaire, banks, lifecycle, limits, after } = options;
  app.route(
    "/",
    consoleRoutes({
      questionnaire,
      banks,
      viewerOf: (c) => {
        const { tenant, may, ...viewer } = viewerOf(c.req.raw);
        return {
          ...viewer,
          seesModels: tenant === "",
          operates: may("operate"),
          administers: may("administer"),
        };
      },
      formOf: (c) => formOf(c, { limits, after }),
      apply: (c, answers) => apply(answers, own(c, options)),
      find: (c, id) => find(id, own(c, options)),
      explore: async (c, application) =>
        await refuseProbes(c, application.answers, { questionnaire, limits }) === undefined
          ? await options.explore(application)
          : undefined,
      ledger: (c) => options.analytics.ledger(callerOf(c).tenant),
      overview: (c, days) =>
        options.analytics.overview(callerOf(c).tenant, { days, nowMs: options.now() }),
      cohorts: (c, asked) =>
        options.cohorts.find(callerOf(c).tenant, { ...asked, nowMs: options.now() }),
      splits: splitsOf(questionnaire),
      campaign: (c, query) =>
        options.campaigns.list({
          ...{ tenant: callerOf(c).tenant, revision: options.revision(), nowMs: options.now() },
          ...query,
        }),
      changes: (c) => options.analytics.changes(callerOf(c).tenant, options.now()),
      downgraded: (c) => options.analytics.downgraded(callerOf(c).tenant, options.now()),
      tell: async (c, table) => {
        try {
          if (table.size > MOST_BYTES) throw new BodyTooLargeError(`at most ${MOST_BYTES} bytes`);
          return await recordRows(c, await readCsv(table.stream()), options);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          return { refusal: error.message };
        }
      },
      models: lifecycle,
      keys: {
        roles: ROLE_NAMES,
        list: async () => {
          const nowMs = options.now();
          return (await options.keys.list()).map((key) => ({
            ...key,
            isValid: isValid(key, nowMs),
          }));
        },
        create: (c, form) => createKey(form, { ...options, actor: actorOf(callerOf(c)) }),
        revoke: (c, id) =>
          options.keys.revoke(id, { actor: actorOf(callerOf(c)), nowMs: options.now() }),
      },
      step: (c, take) => refusal(() => take(lifecycle, actorOf(callerOf(c)))),
    }),
  );
}

/** Makes a key and gives its text, or says what is wrong with the form. */
async function createKey(
  form: WantedKey,
  { keys, now, actor }: Pick<Options, "keys" | "now"> & { readonly actor: string },
): Promise<{ readonly made: string } | { readonly refusal: string }> {
  const nowMs = now();
  try {
    const wanted = readWantedKey(form, nowMs);
    const key = newKey(crypto.getRandomValues.bind(crypto));
    await keys.create(key, wanted, { actor, nowMs });
    return { made: keyText(key) };
  } catch (error) {
    if (!(error instanceof WantedKeyError)) throw error;
    return { refusal: `${error.field}: ${error.message}` };
  }
}

/** Why a step was refused, where it was. */
async function refusal(step: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    if (error instanceof LifecycleError || error instanceof RangeError) return error.message;
    throw error;
  }
}

async function apply(
  answers: Answers,
  { express, enqueue, wait }: Pick<Options, "express" | "enqueue" | "wait">,
): Promise<string | undefined> {
  const id = newId({ prefix: APPLICATION_PREFIX, header: undefined });
  const task = { id, payload: encodePayload(answers, "decision") };
  if (await express(task, WAIT_MS)) return id;
  const ended = new AbortController();
  const waited = wait(id, { timeoutMs: WAIT_MS, signal: ended.signal });
  const state = await enqueue(task);
  if (state === "refused") ended.abort();
  await waited;
  return state === "refused" ? undefined : id;
}

async function find(
  id: string,
  { store }: Pick<Options, "store">,
): Promise<FoundApplication | undefined> {
  if (!id.startsWith(APPLICATION_PREFIX)) return undefined;
  const [task, payload] = await Promise.all([store.find(id), store.payload(id)]);
  if (task === undefined || payload === undefined) return undefined;
  const { answers } = decodePayload(payload);
  const found = { answers, asOfMs: task.createdAtMs };
  if (task.state === "dead") {
    return { ...found, state: { kind: "failed", cause: task.error ?? "" } };
  }
  if (task.result === null) return { ...found, state: { kind: "waiting" } };
  return { ...found, state: { kind: "decided", decision: decodeDecision(task.result) } };
}
