/**
 * `deno task queue`: what an operator does to the queue by hand, beside the running service or without it.
 *
 *     queue                                    how many tasks are in each state
 *     queue list [--state dead] [--limit 50]   the oldest tasks of a state, with their causes
 *     queue requeue ID ... | --all             dead tasks get all their attempts again
 *     queue purge --state done|dead --before 2024-01-31
 *     queue webhooks [--limit 50]              the oldest events that an address never took, with their causes
 *     queue resend EVENT ... | --all           these are sent again, with all their attempts
 */
import { parseDateMs } from "../scoring/dates.ts";
import { QueueAdmin } from "../queue/admin.ts";
import { Connection } from "../database/connection.ts";
import type { TaskState } from "../queue/store.ts";
import { configFromEnvironment } from "./config.ts";
import { chooseCommand, type Command, main, readOptions, UsageError } from "./main.ts";

const STATES: readonly TaskState[] = ["queued", "leased", "done", "dead"];

async function withAdmin(work: (admin: QueueAdmin) => Promise<void>): Promise<void> {
  const connection = await Connection.open(configFromEnvironment().service.databaseUrl);
  try {
    await work(new QueueAdmin(connection));
  } finally {
    connection.close();
  }
}

const count: Command = () =>
  withAdmin(async (admin) => {
    const counts = await admin.count();
    for (const state of STATES) console.log(`${state}: ${counts.get(state) ?? 0}`);
  });

const list: Command = (args) => {
  const { values } = readOptions({
    options: {
      state: { type: "string", default: "dead" },
      limit: { type: "string", default: "50" },
    },
  }, args);
  const state = stateFrom(values.state, STATES);
  const limit = limitFrom(values.limit);
  return withAdmin(async (admin) => {
    for (const task of await admin.list(state, limit)) {
      const created = new Date(task.createdAtMs).toISOString();
      console.log(
        [task.id, created, `attempt ${task.attempt}`, task.error ?? ""].join("  ").trimEnd(),
      );
    }
  });
};

const requeue: Command = (args) => {
  const ids = idsFrom(args);
  return withAdmin(async (admin) => {
    const requeued = await admin.requeue(ids, Date.now());
    console.log(`${requeued.length} tasks queued again`);
    refuseLeft(ids, requeued, "Not dead");
  });
};

const webhooks: Command = (args) => {
  const { values } = readOptions({ options: { limit: { type: "string", default: "50" } } }, args);
  const limit = limitFrom(values.limit);
  return withAdmin(async (admin) => {
    for (const given of await admin.givenUp(limit)) {
      const occurred = new Date(given.occurredAtMs).toISOString();
      const { eventId, endpointId, attempt, error } = given;
      console.log([eventId, occurred, `to ${endpointId}`, `attempt ${attempt}`, error].join("  "));
    }
  });
};

const resend: Command = (args) => {
  const ids = idsFrom(args);
  return withAdmin(async (admin) => {
    const resent = await admin.resend(ids, Date.now());
    console.log(`${resent.length} deliveries will be sent again`);
    refuseLeft(ids, resent, "Not given up");
  });
};

/** The ids that are named, or `all`. */
function idsFrom(args: readonly string[] | undefined): readonly string[] | "all" {
  const { values, positionals } = readOptions({
    options: { all: { type: "boolean", default: false } },
    allowPositionals: true,
  }, args);
  if (values.all === (positionals.length > 0)) {
    throw new UsageError("Cannot choose: name ids, or --all, and not both");
  }
  return values.all ? "all" : positionals;
}

function refuseLeft(
  asked: readonly string[] | "all",
  taken: readonly string[],
  why: string,
): void {
  const left = asked === "all" ? [] : asked.filter((id) => !taken.includes(id));
  if (left.length > 0) throw new UsageError(`${why}, and left alone: ${left.join(", ")}`);
}

function limitFrom(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new UsageError(`--limit: current value is ${text}, must be a whole number from 1`);
}

const purge: Command = (args) => {
  const { values } = readOptions({
    options: { state: { type: "string" }, before: { type: "string" } },
  }, args);
  const state = stateFrom(values.state, ["done", "dead"]);
  const beforeMs = parseDateMs(values.before ?? "");
  if (beforeMs === undefined) {
    throw new UsageError(
      `--before: current value is ${values.before}, must be a date such as 2024-01-31`,
    );
  }
  return withAdmin(async (admin) => {
    console.log(`${(await admin.purge(state, beforeMs)).length} tasks removed`);
  });
};

function stateFrom<const S extends TaskState>(text: string | undefined, states: readonly S[]): S {
  const state = states.find((each) => each === text);
  if (state === undefined) {
    throw new UsageError(`--state: current value is ${text}, must be one of ${states.join(", ")}`);
  }
  return state;
}

/** The commands by name; without a name the tasks are counted. */
export const queue: Command = (args) =>
  chooseCommand({ count, list, requeue, purge, webhooks, resend }, "count", args)();

if (import.meta.main) await main(() => queue(Deno.args));
