/**
 * The service where a process runs only while it answers a request, without workers and without a disk, such as Deno Deploy.
 * Nothing works in the background: an upload is stored and then scored within a budget before it is answered, a question for
 * an unfinished task scores a little of what waits, and a sweep each minute does what nobody asks for.
 *
 * Known limit: the answer to an upload takes about four round trips to the database, which must be on a server.
 */
import { Analytics, Cohorts, Projector } from "./analytics/mod.ts";
import { Campaigns } from "./campaigns/mod.ts";
import { type Config, ConfigError } from "./configs/mod.ts";
import { systemClock } from "./clock.ts";
import { ConsentRecorder } from "./consent/mod.ts";
import { isRemote } from "./database/connection.ts";
import { Completions, type Waited, type WaitOptions } from "./queue/completions.ts";
import { Dispatcher } from "./queue/dispatcher.ts";
import { Express } from "./queue/express.ts";
import { accessTo } from "./keys.ts";
import { subjectHashOf } from "./subject_key.ts";
import { Retention, Subjects } from "./privacy/mod.ts";
import { openStores } from "./stores.ts";
import type { Enqueued, NewTask, Task } from "./queue/store.ts";
import { WebhookSender } from "./queue/webhook_sender.ts";
import { createFront } from "./routes/front.ts";
import { limitsOf } from "./routes/limits.ts";
import { configFromEnvironment, webhookEndpoints } from "./tasks/config.ts";
import { main } from "./tasks/main.ts";
import { loadVersion, startServing } from "./serving.ts";
import { configuredVersion } from "./versions.ts";
import { startWatch } from "./watch.ts";

const EVERY_MINUTE = "* * * * *";

interface Edge {
  readonly config: Config;
  readonly fetch: Deno.ServeHandler;
  /** Scores what waits, as long as the budget allows. */
  sweep(): Promise<void>;
}

const starting = startEdge();
// The platform looks for schedules at the top level, before the server starts.
Deno.cron("score what waits", EVERY_MINUTE, async () => (await starting).sweep());

await main(async () => {
  const { config: { service }, fetch } = await starting;
  const server = Deno.serve({ hostname: service.host, port: service.port, onListen() {} }, fetch);
  Deno.addSignalListener("SIGINT", async () => {
    await server.shutdown();
    Deno.exit(0);
  });
  const { hostname, port } = server.addr;
  console.log(`Prescore listens on http://${hostname}:${port} (scoring while it answers)`);
});

async function startEdge(): Promise<Edge> {
  const configured = configFromEnvironment();
  const config = { ...configured, service: { ...configured.service, workers: 0 } };
  const { service, questionnaire, banks } = config;
  if (!isRemote(service.databaseUrl)) {
    throw new ConfigError(
      "Cannot keep tasks in a file here: PRESCORE_DATABASE_URL must name a database on a server",
    );
  }
  // The platform keeps what is written to the log.
  const watch = startWatch({
    config,
    clock: systemClock,
    write: (text) => console.error(text.trimEnd()),
  });
  const { observer } = watch;
  const first = loadVersion(config, configuredVersion(config), { observer });
  first.catch(() => {});
  const stores = await openStores(service, systemClock.now());
  const { batches, webhooks } = stores;
  const store = watch.metrics.measured(stores.store);
  // Others always reach it here, whatever the address.
  const { access, signIn } = await accessTo({ ...service, host: "0.0.0.0" }, {
    ...{ ...stores, clock: systemClock, report },
  });
  const serving = await startServing({
    config,
    stores,
    first,
    clock: systemClock,
    observer,
    report,
  });
  const { live, handler } = serving;
  const completions = new Completions({
    store,
    clock: systemClock,
    pollEveryMs: service.pollEveryMs,
    report,
  });
  const dispatcher = new Dispatcher({
    store,
    onEnded: (ids) => completions.tell(ids),
    handler,
    policy: service.queue,
    lanes: 1,
    clock: systemClock,
    random: Math.random,
    report,
  });

  const express = new Express({ store, handler, lanes: 1, clock: systemClock });

  /** What fails here waits for the next request or sweep: the tasks are stored. */
  async function drain(budgetMs: number, options?: { batches: boolean }): Promise<void> {
    await serving.followIfDue();
    await dispatcher.drain(budgetMs, options).catch(report);
  }

  async function enqueue(task: Omit<NewTask, "revision">): Promise<Enqueued> {
    const [state] = await store.enqueue([
      { ...task, revision: live.chosen(task.id).revision },
    ], systemClock.now());
    if (state === undefined) throw new Error(`the store gave no state for task ${task.id}`);
    if (isFinished(state) || state === "refused") return state;
    await drain(service.edge.uploadBudgetMs);
    const scored = await store.find(task.id).catch(report);
    return scored?.state ?? state;
  }

  async function find(id: string): Promise<Task | undefined> {
    const task = await store.find(id);
    if (task === undefined || isFinished(task.state)) return task;
    await drain(service.edge.pollBudgetMs);
    return await store.find(id);
  }

  /** Nobody else may score what is waited for. */
  async function wait(id: string, options: WaitOptions): Promise<Waited> {
    const [waited] = await Promise.all([
      completions.wait(id, options),
      drain(Math.min(options.timeoutMs, service.edge.pollBudgetMs)),
    ]);
    return waited;
  }

  const endpoints = webhookEndpoints(service.webhooks);
  await webhooks.configure(endpoints);
  const sender = new WebhookSender({
    store: webhooks,
    endpoints,
    policy: service.webhooks,
    pollEveryMs: service.pollEveryMs,
    clock: systemClock,
    random: Math.random,
    fetch,
    report,
  });

  const projector = new Projector({
    facts: stores.facts,
    resultsOf: (ids) => stores.store.findEach(ids),
    ...config.policy.recommendation,
    clock: systemClock,
    report,
  });

  const recorder = new ConsentRecorder({
    consents: stores.consents,
    clock: systemClock,
    report,
  });

  const { days } = service.retention;
  const retention = days === undefined
    ? undefined
    : new Retention({ erasure: stores.erasure, days, clock: systemClock, report });

  async function sweep(): Promise<void> {
    const untilMs = systemClock.now() + service.edge.sweepBudgetMs;
    await drain(service.edge.sweepBudgetMs, { batches: true });
    await serving.scoreBeside();
    await projector.drain(untilMs - systemClock.now()).catch(report);
    await recorder.drain(untilMs - systemClock.now()).catch(report);
    await retention?.drain(untilMs - systemClock.now()).catch(report);
    do {
      if (!await sender.sendDue().catch(report)) return;
    } while (systemClock.now() < untilMs);
  }

  const app = createFront({
    store: {
      find,
      findEach: (ids) => store.findEach(ids),
      payload: (id) => store.payload(id),
      payloadEach: (ids) => store.payloadEach(ids),
    },
    batches,
    ...{ access, signIn, telemetry: watch.telemetry({ live, database: stores.database }) },
    revision: () => live.champion.revision,
    lifecycle: serving.lifecycle,
    analytics: new Analytics({ ...config, ...stores }),
    campaigns: new Campaigns({ ...config, ...stores }),
    cohorts: new Cohorts({ ...config, ...stores, payloadsOf: (ids) => store.payloadEach(ids) }),
    consents: stores.consents,
    keys: stores.keys,
    subjects: new Subjects(stores),
    subjectHash: subjectHashOf(service),
    erase: (id, actor) => stores.erasure.erase(id, actor),
    report,
    enqueue,
    express: (task, timeoutMs) =>
      express.run({ ...task, revision: live.chosen(task.id).revision }, timeoutMs),
    wait,
    // What is stored waits for the sweep, or for whoever asks for it.
    wake() {},
    explore: (application) =>
      live.useChampion(async (version) => (await version.scoring()).decider.explore(application)),
    ...{ now: systemClock.now, after: systemClock.after },
    questionnaire,
    banks,
    limits: limitsOf(service),
  });
  return { config, fetch: app.fetch, sweep };
}

function isFinished(state: Enqueued): boolean {
  return state === "done" || state === "dead";
}

function report(error: unknown): void {
  console.error("The queue failed and will try again:", error);
}
