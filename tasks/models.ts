/**
 * `deno task models`: the life of the models, beside the running services, which follow, or without them.
 *
 *     models                              every version with its state, and what is wrong with it
 *     models register VERSION             puts the hashes of models/VERSION on record
 *     models activate VERSION             checks it as a service would, and has it answer from now on
 *     models rollback                     activates what was active before
 *     models shadow VERSION               it scores beside the active version, and answers nobody
 *     models split VERSION --share 0.1    it answers a tenth of the applications, always the same ones
 *     models end                          ends the trial
 *     models compare                      what the trial has shown, as JSON
 */
import { systemClock } from "../clock.ts";
import type { ModelLifecycle, VersionView } from "../lifecycle/mod.ts";
import { openStores } from "../stores.ts";
import { lifecycleWithout } from "../serving.ts";
import { configFromEnvironment } from "./config.ts";
import { chooseCommand, type Command, main, readOptions, UsageError } from "./main.ts";

async function withModels(work: (models: ModelLifecycle) => Promise<unknown>): Promise<void> {
  const config = configFromEnvironment();
  const stores = await openStores(config.service, systemClock.now());
  try {
    await work(lifecycleWithout({ config, stores, clock: systemClock }));
  } finally {
    stores.store.close();
  }
}

/** Who is on record for it. */
function actor(): string {
  return `command:${Deno.env.get("USER") ?? Deno.env.get("USERNAME") ?? "unknown"}`;
}

/** The one version that the command line names. */
function versionFrom(positionals: readonly string[]): string {
  const [version, ...more] = positionals;
  if (version !== undefined && more.length === 0) return version;
  throw new UsageError("Cannot do this: must be given one version, such as 2");
}

const list: Command = () =>
  withModels(async (models) => {
    for (const version of (await models.models()).versions) console.log(line(version));
  });

function line({ version, state, sha256, banks, problem }: VersionView): string {
  const evidence = banks.map(({ bank, evidence }) =>
    `${bank} ${evidence?.signal === true ? evidence.auc.toFixed(3) : "no evidence"}`
  );
  return [version, state, sha256?.slice(0, 12) ?? "", evidence.join(", "), problem ?? ""]
    .filter(Boolean).join("  ");
}

type Step = "register" | "activate";

/** A step that names a version and nothing else. */
function step(name: Step, done: string): Command {
  return (args) => {
    const { positionals } = readOptions({ allowPositionals: true }, args);
    const version = versionFrom(positionals);
    return withModels(async (models) => {
      await models[name](version, actor());
      console.log(`models/${version} ${done}`);
    });
  };
}

const rollback: Command = () =>
  withModels(async (models) => {
    const { active } = await models.rollback(actor());
    console.log(`models/${active} is active again; running services follow`);
  });

const shadow: Command = (args) => {
  const { positionals } = readOptions({ allowPositionals: true }, args);
  return challenge(versionFrom(positionals), 0);
};

const split: Command = (args) => {
  const { positionals, values } = readOptions({
    options: { share: { type: "string" } },
    allowPositionals: true,
  }, args);
  const share = Number(values.share);
  if (!(share > 0 && share <= 1)) {
    throw new UsageError(
      `--share: current value is ${values.share}, must be above 0 and at most 1`,
    );
  }
  return challenge(versionFrom(positionals), share);
};

function challenge(version: string, share: number): Promise<void> {
  return withModels(async (models) => {
    const { active } = await models.challenge(version, { share, actor: actor() });
    console.log(
      `models/${version} scores beside models/${active}` +
        (share > 0 ? ` and answers ${share * 100} % of the applications` : ""),
    );
  });
}

const end: Command = () =>
  withModels(async (models) => {
    await models.endChallenge(actor());
    console.log("the trial has ended");
  });

const compare: Command = () =>
  withModels(async (models) => {
    console.log(JSON.stringify(await models.comparison() ?? null, null, 2));
  });

const COMMANDS = {
  list,
  register: step("register", "is registered"),
  activate: step("activate", "is active; running services follow"),
  ...{ rollback, shadow, split, end, compare },
};

/** The commands by name; without a name the versions are listed. */
export const models: Command = (args) => chooseCommand(COMMANDS, "list", args)();

if (import.meta.main) await main(() => models(Deno.args));
