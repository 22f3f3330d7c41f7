/**
 * The composition root: configuration -> database -> models -> workers -> HTTP server, and the way back down. Each part is
 * made here and handed to those that need it; no part finds another by itself.
 */
import { Analytics, Cohorts, Projector } from "./analytics/mod.ts";
import { Campaigns } from "./campaigns/mod.ts";
import { type Config, ConfigError } from "./configs/mod.ts";
import { systemClock } from "./clock.ts";
import { ConsentRecorder } from "./consent/mod.ts";
import { Completions } from "./queue/completions.ts";
import { Dispatcher, type DispatcherOptions } from "./queue/dispatcher.ts";
import { Express } from "./queue/express.ts";
import { GroupCommit } from "./database/group_commit.ts";
import { accessTo } from "./keys.ts";
import { subjectHashOf } from "./subject_key.ts";
import { type Erased, Retention, Subjects } from "./privacy/mod.ts";
import { openStores } from "./stores.ts";
import { type OpenConnections, openConnections } from "./sockets/linux.ts";
import { SlowSockets } from "./sockets/slow.ts";
import { RecentResults } from "./queue/recent_results.ts";
import type { Enqueued, NewTask } from "./queue/store.ts";
import { WebhookSender } from "./queue/webhook_sender.ts";
import type { WebhookStore } from "./queue/webhook_store.ts";
import { createFront, createHealthFront } from "./routes/front.ts";
import { limitsOf } from "./routes/limits.ts";
import { configFromEnvironment, webhookEndpoints } from "./tasks/config.ts";
import { chooseCommand, main, whenRun } from "./tasks/main.ts";
import { Reporter } from "./tasks/report.ts";
import { configuredVersion } from "./versions.ts";
import { loadVersion, startServing } from "./serving.ts";
import { startTracing, startWatch } from "./watch.ts";

/** For how long a result may be answered that another process has taken back. */
const RESULT_FRESH_MS = 1000;

export interface Service {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** How many workers score; 0 where the main thread does, or nothing is scored here. Resolves when they are ready. */
  readonly workers: Promise<number>;
  /** Loads what is not needed for the first answers. Rejects where a route does not say who may use it. */
  load(): Promise<void>;
  /** Takes no more requests, lets the work at hand end, and closes everything. */
  stop(): Promise<void>;
}

const reportUse = (error: unknown) => reporter.report("The use of a key was not noted", error);
const reporter = new Reporter({ now: systemClock.now, write: console.error });

/** Starts the service in its role. Throws, with nothing left running, where a part cannot start. */
export async function startService(config: Config): Promise<Service> {
  const { service, questionnaire, banks } = config;
  await using closing = new AsyncDisposableStack();
  const watch = startWatch({ config, clock: systemClock, write: writeLog });
  closing.defer(() => watch.close());
  // The models are read and compiled while the database opens, which holds this thread.
  const { observer } = watch;
  const first = loadVersion(config, configuredVersion(config), { observer });
  // It is awaited below; where the database fails first nobody asks.
  first.catch(() => {});
  const stores = await openStores(service, systemClock.now());
  const { batches, webhooks } = stores;
  closing.defer(() => stores.store.close());
  const store = watch.metrics.measured(stores.store);
  const { access, signIn } = await accessTo(service, {
    ...stores,
    clock: systemClock,
    report: reportUse,
  });
  const serving = closing.use(
    await startServing({
      ...{ config, stores, first, clock: systemClock, observer },
      report: (error) => reporter.report("The models cannot be changed here", error),
    }),
  );
  const { live } = serving;
  const tracing = await startTracing(stores.database, {
    clock: systemClock,
    report: (error) => reporter.report("A trace was lost", error),
  });
  const handler = tracing?.handler(serving.handler) ?? serving.handler;
  const scores = service.role !== "api";

  const sender = scores ? await startWebhooks(service, webhooks) : undefined;
  closing.defer(() => sender?.stop());
  const report = (error: unknown) => reporter.report("A request failed", error);
  const completions = new Completions({
    store,
    clock: systemClock,
    pollEveryMs: service.pollEveryMs,
    report,
  });
  const dispatcher = scores
    ? startDispatcher({
      ...{ store, handler },
      onEnded: (ids) => {
        completions.tell(ids);
        tracing?.ended(ids);
        sender?.wake();
      },
      policy: service.queue,
      lanes: Math.max(1, service.workers),
      pollEveryMs: service.pollEveryMs,
    })
    : undefined;
  closing.defer(() => dispatcher?.stop());

  if (scores) {
    const projector = new Projector({
      facts: stores.facts,
      resultsOf: (ids) => stores.store.findEach(ids),
      ...config.policy.recommendation,
      clock: systemClock,
      report: (error) => reporter.report("The overview was not kept up and will be", error),
    });
    projector.start();
    closing.defer(() => projector.stop());
    const { days } = service.retention;
    if (days !== undefined) {
      const retention = new Retention({
        ...{ erasure: stores.erasure, days, clock: systemClock },
        report: (error) => reporter.report("Old applications were not erased and will be", error),
      });
      retention.start();
      closing.defer(() => retention.stop());
    }
    const recorder = new ConsentRecorder({
      consents: stores.consents,
      clock: systemClock,
      report: (error) => reporter.report("What was agreed to is not on record and will be", error),
    });
    recorder.start();
    closing.defer(() => recorder.stop());
  }

  const express = scores
    ? new Express({
      ...{ store, handler },
      lanes: Math.max(1, service.workers),
      clock: systemClock,
    })
    : undefined;
  const uploads = new GroupCommit<NewTask, Enqueued>({
    commit: async (tasks) => {
      await stores.vault.ready(tasks.length);
      const stored = store.enqueue(tasks, systemClock.now());
      // Now, so that the claim shares the commit: it is asked for after the tasks, and finds them.
      dispatcher?.wake();
      return await stored;
    },
    limit: service.queue.batchRows,
    waitingLimit: service.limits.waitingUploads,
  });
  const telemetry = watch.telemetry({ live, database: stores.database, tracing });
  const recent = new RecentResults({ store, clock: systemClock, freshMs: RESULT_FRESH_MS });
  const enqueue = recent.watch((task: Omit<NewTask, "revision">) =>
    uploads.add({ ...task, revision: live.chosen(task.id).revision })
  );
  async function erase(id: string, actor: string): Promise<Erased> {
    const erased = await stores.erasure.erase(id, actor);
    recent.evict(id);
    return erased;
  }
  const app = service.role === "worker"
    ? createHealthFront({ store, report, access, telemetry })
    : createFront({
      store: {
        find: (id) => recent.find(id),
        findEach: (ids) => store.findEach(ids),
        payload: (id) => store.payload(id),
        payloadEach: (ids) => store.payloadEach(ids),
      },
      recent,
      batches,
      ...{ access, signIn, telemetry },
      revision: () => live.champion.revision,
      lifecycle: serving.lifecycle,
      analytics: new Analytics({ ...config, ...stores }),
      campaigns: new Campaigns({ ...config, ...stores }),
      cohorts: new Cohorts({ ...config, ...stores, payloadsOf: (ids) => store.payloadEach(ids) }),
      consents: stores.consents,
      keys: stores.keys,
      subjects: new Subjects({
        ...stores,
        erasure: { erase, eraseRow: (row, actor) => stores.erasure.eraseRow(row, actor) },
      }),
      subjectHash: subjectHashOf(service),
      erase,
      report,
      enqueue: tracing ? (task) => tracing.enqueue(task, enqueue) : enqueue,
      express: async (task, timeoutMs) => {
        const { revision } = live.chosen(task.id);
        const run = async () => await express?.run({ ...task, revision }, timeoutMs) ?? false;
        const done = await (tracing ? tracing.express(task, run) : run());
        if (done) sender?.wake();
        return done;
      },
      wait: (id, options) => completions.wait(id, options),
      wake: () => dispatcher?.wake(),
      explore: (application) =>
        live.useChampion(async (version) => (await version.scoring()).decider.explore(application)),
      ...{ now: systemClock.now, after: systemClock.after },
      questionnaire,
      banks,
      limits: limitsOf(service),
    });
  // Looks for its port once there is one.
  let port = 0;
  const slow = closing.use(guardSockets(service.timeouts, () => port));
  const server = listen(service, slow.watch((request) => app.fetch(request)));
  port = server.addr.port;
  closing.defer(() => {
    // Whoever waits is answered now, and asks again elsewhere.
    completions.close();
    return shutDown(server, service.queue.drainMs);
  });

  const closed = new AbortController();
  closing.defer(() => closed.abort());
  serving.followEvery(service.models.followEveryMs, closed.signal);

  const { hostname } = server.addr;
  const running = closing.move();
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    workers: scores
      ? live.champion.scoring().then((scoring) => scoring.startWorkers())
      : Promise.resolve(0),
    load: () => app.load(),
    stop: () => running.disposeAsync(),
  };
}

/** A running sender of webhooks; none where nobody is to be told. */
async function startWebhooks(
  { webhooks, pollEveryMs }: Config["service"],
  store: WebhookStore,
): Promise<WebhookSender | undefined> {
  const endpoints = webhookEndpoints(webhooks);
  await store.configure(endpoints);
  if (endpoints.length === 0) return undefined;
  const sender = new WebhookSender({
    store,
    endpoints,
    policy: webhooks,
    pollEveryMs,
    clock: systemClock,
    random: Math.random,
    fetch,
    report: (error) => reporter.report("Webhooks failed and will be tried again", error),
  });
  sender.start();
  return sender;
}

/** A running dispatcher that also looks for what other processes uploaded. */
function startDispatcher(
  { pollEveryMs, ...options }:
    & Pick<DispatcherOptions, "store" | "handler" | "policy" | "lanes" | "onEnded">
    & { pollEveryMs: number },
): Pick<Dispatcher, "wake" | "stop"> {
  const dispatcher = new Dispatcher({
    ...options,
    clock: systemClock,
    random: Math.random,
    report: (error) => reporter.report("The queue failed and will try again", error),
  });
  dispatcher.start();
  const poll = setInterval(() => dispatcher.wake(), pollEveryMs);
  return {
    wake: () => dispatcher.wake(),
    async stop() {
      clearInterval(poll);
      await dispatcher.stop();
    },
  };
}

/** Closes slow connections where the kernel can be asked about them; elsewhere that is left to a proxy. */
function guardSockets(
  { headMs, idleMs }: Config["service"]["timeouts"],
  port: () => number,
): Pick<SlowSockets, "watch"> & Disposable {
  let open: OpenConnections;
  try {
    open = openConnections();
  } catch (error) {
    console.error(`Slow connections are not closed, leave that to a proxy: ${reason(error)}`);
    return { watch: (handler) => handler, [Symbol.dispose]() {} };
  }
  const slow = new SlowSockets({
    connections: () => open.of(port()),
    ...{ clock: systemClock, headMs, idleMs },
    report: (error) => reporter.report("Slow connections were not looked for", error),
  });
  slow.start();
  return {
    watch: (handler) => slow.watch(handler),
    [Symbol.dispose]() {
      slow.stop();
      open[Symbol.dispose]();
    },
  };
}

/** Lets the requests at hand end; a client that takes longer than the drain is not waited for. */
async function shutDown(server: Deno.HttpServer, drainMs: number): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => cancel = systemClock.after(drainMs, resolve));
  await Promise.race([server.shutdown(), late]);
  cancel();
}

function listen(
  { host, port }: Config["service"],
  handler: Deno.ServeHandler,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen() {} }, handler);
  } catch (error) {
    throw new ConfigError(`Cannot listen on ${host}, port ${port}: ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Standard output is for what the start says. */
function writeLog(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += Deno.stderr.writeSync(bytes.subarray(written));
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function serve(): Promise<void> {
  const config = configFromEnvironment();
  // A signal during the start waits for its end, and stops then what was started.
  const starting = startService(config);
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      if (stopping) return;
      stopping = true;
      await (await starting).stop();
      Deno.exit(0);
    });
  }
  const service = await starting;
  console.log(
    `Prescore listens on ${service.url} ` +
      (config.service.role === "worker" ? "(health only)" : `(documentation: ${service.url}/docs)`),
  );
  const workers = await service.workers;
  await service.load();
  if (config.service.role === "api") console.log("scoring is left to other processes");
  else console.log(workers > 0 ? `${workers} scoring workers` : "scoring in the main thread");
}

const COMMANDS = {
  serve,
  audit: whenRun(async () => (await import("./tasks/audit.ts")).audit),
  "export-training": whenRun(
    async () => (await import("./tasks/export_training.ts")).exportTraining,
  ),
  backtest: whenRun(async () => (await import("./tasks/backtest.ts")).backtest),
  backup: whenRun(async () => (await import("./tasks/backup.ts")).backup),
  health: whenRun(async () => (await import("./tasks/health.ts")).health),
  keys: whenRun(async () => (await import("./tasks/keys.ts")).keys),
  models: whenRun(async () => (await import("./tasks/models.ts")).models),
  queue: whenRun(async () => (await import("./tasks/queue.ts")).queue),
  sealing: whenRun(async () => (await import("./tasks/sealing.ts")).sealing),
  replay: whenRun(async () => (await import("./tasks/replay.ts")).replay),
};

if (import.meta.main) {
  await main(chooseCommand(COMMANDS, "serve"));
}
