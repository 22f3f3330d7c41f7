/**
 * The whole HTTP surface over a queue in memory, with the real models in this thread and time in the test's hand: no socket, no
 * worker, no sleep.
 */
import { Campaigns } from "../../campaigns/mod.ts";
import { Analytics, Cohorts, FactStore, OutcomeStore, Projector } from "../../analytics/mod.ts";
import { AuditLog } from "../../audit/mod.ts";
import { KeyStore } from "../../access/mod.ts";
import { ConsentRecorder, ConsentStore, subjectHash } from "../../consent/mod.ts";
import { Completions } from "../../queue/completions.ts";
import { Dispatcher } from "../../queue/dispatcher.ts";
import { Express } from "../../queue/express.ts";
import { Erasure, Subjects } from "../../privacy/mod.ts";
import { RecentResults } from "../../queue/recent_results.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import type { Connection } from "../../database/connection.ts";
import type { Database } from "../../database/database.ts";
import type { AccessOptions } from "../../routes/access.ts";
import { OPEN_ACCESS } from "../../tasks/schemas.ts";
import { createFront } from "../../routes/front.ts";
import type { AppOptions } from "../../routes/mod.ts";
import { limitsOf } from "../../routes/limits.ts";
import { lifecycleWithout } from "../../serving.ts";
import { type Scoring, startScoring } from "../../workers.ts";
import { FakeClock } from "./fake_clock.ts";
import { readConfig } from "./service.ts";
import { LIMITS, openStore } from "./store.ts";

export const config = readConfig();

const RESULT_FRESH_MS = 1000;

let scoring: Promise<Scoring> | undefined;

/** The shipped models, loaded once for a file of tests. */
export function shippedScoring(): Promise<Scoring> {
  return scoring ??= startScoring({ ...config, service: { ...config.service, workers: 0 } });
}

export interface TestApp extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly stores: Awaited<ReturnType<typeof openStore>> & { readonly batches: LibsqlBatches };
  readonly completions: Completions;
  readonly reported: unknown[];
  /** Brings what pages count up to date. */
  project(): Promise<void>;
  readonly audit: AuditLog;
  /** Puts on record what was agreed to. */
  record(): Promise<void>;
  /** Lets the queue do its work, now and from now on. */
  startQueue(): void;
  request(path: string, init?: RequestInit): Promise<Response>;
  fetch(request: Request): Promise<Response>;
  /** Posts JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** What access is made of. */
export interface TestParts {
  readonly connection: Connection;
  readonly clock: FakeClock;
}

export interface TestAppOptions {
  readonly handler?: Scoring["handler"];
  readonly options?: Partial<AppOptions>;
  /** Who may use it; absent: everyone. */
  readonly access?: (parts: TestParts) => AccessOptions;
  /** How much the queue takes. */
  readonly limits?: typeof LIMITS;
  /** Stands between the application and its database. */
  readonly watch?: (database: Database) => Database;
  /** Of its database; absent: in memory. */
  readonly databaseUrl?: string;
  /** How many applications may be decided before they are stored; none where a test is about the queue. */
  readonly expressLanes?: number;
}

export async function openApp(
  {
    handler,
    options,
    access,
    limits = LIMITS,
    watch = (database) => database,
    databaseUrl = ":memory:",
    expressLanes = 0,
  }: TestAppOptions = {},
): Promise<TestApp> {
  const models = await shippedScoring();
  const clock = new FakeClock();
  const reported: unknown[] = [];
  const report = (error: unknown) => reported.push(error);
  const test = await openStore(databaseUrl, limits);
  const { connection, vault } = test;
  const database = watch(connection);
  const store = new LibsqlStore(database, { limits, vault });
  const batches = new LibsqlBatches(database, { limits, vault });
  const completions = new Completions({ store, clock, pollEveryMs: 250, report });
  const dispatcher = new Dispatcher({
    store,
    clock,
    report,
    handler: handler ?? models.handler,
    policy: config.service.queue,
    lanes: 1,
    random: () => 0.5,
    onEnded: (ids) => completions.tell(ids),
  });
  const audit = new AuditLog({
    database,
    now: () => clock.now(),
    newId: () => crypto.randomUUID(),
  });
  const erasure = new Erasure({ database, databaseUrl, audit, vault });
  const consents = new ConsentStore(database, audit);
  const recorder = new ConsentRecorder({ consents, clock, report });
  const facts = new FactStore(database);
  const projector = new Projector({
    ...{ facts, clock, report, ...config.policy.recommendation },
    resultsOf: (ids) => store.findEach(ids),
  });
  const recent = new RecentResults({ store, clock, freshMs: RESULT_FRESH_MS });
  const express = new Express({
    store,
    clock,
    handler: handler ?? models.handler,
    lanes: expressLanes,
  });
  const app = createFront({
    ...config,
    store: {
      find: (id) => recent.find(id),
      findEach: (ids) => store.findEach(ids),
      payload: (id) => store.payload(id),
      payloadEach: (ids) => store.payloadEach(ids),
    },
    recent,
    batches,
    access: access?.({ connection, clock }) ?? OPEN_ACCESS,
    analytics: new Analytics({ ...config, facts, outcomes: new OutcomeStore(database) }),
    campaigns: new Campaigns({ ...config, database, store }),
    cohorts: new Cohorts({ ...config, database, payloadsOf: (ids) => store.payloadEach(ids) }),
    consents,
    keys: new KeyStore(database, audit),
    subjects: new Subjects({ ...{ database, audit, consents, store, erasure } }),
    subjectHash: subjectHash(new Uint8Array(32)),
    async erase(id, actor) {
      const erased = await erasure.erase(id, actor);
      recent.evict(id);
      return erased;
    },
    telemetry: {
      seen() {},
      metrics: () => Promise.resolve(""),
      parts: {},
      after: (ms, callback) => clock.after(ms, callback),
    },
    revision: () => "1",
    lifecycle: lifecycleWithout({
      config,
      clock,
      stores: { database, audit },
    }),
    report,
    enqueue: recent.watch(async (task) => {
      const [state = "refused"] = await store.enqueue([{ ...task, revision: "1" }], clock.now());
      dispatcher.wake();
      return state;
    }),
    express: (task, timeoutMs) => express.run({ ...task, revision: "1" }, timeoutMs),
    wait: (id, waited) => completions.wait(id, waited),
    wake: () => dispatcher.wake(),
    explore: (application) => models.decider.explore(application),
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms, callback),
    limits: limitsOf(config.service),
    ...options,
  });
  // Time is in the test's hand: no request shall wait for what is being loaded.
  await app.load();
  const request = async (path: string, init?: RequestInit) =>
    await app.fetch(
      new Request(path.startsWith("/") ? `http://localhost${path}` : path, init),
    );
  return {
    clock,
    project: () => projector.drain(),
    audit,
    record: () => recorder.drain(),
    stores: { ...test, batches },
    completions,
    reported,
    startQueue: () => dispatcher.start(),
    request,
    fetch: async (request) => await app.fetch(request),
    post: (path, body, headers) =>
      request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      completions.close();
      await dispatcher.stop();
      connection.close();
    },
  };
}
