/**
 * The versions that are registered and the one that answers, in the database. Each step reads, checks, and commits with its entry in
 * the audit log; a step that the models or the rules refuse changes nothing and is on record as well.
 */
import type { InStatement } from "@libsql/client";
import type { AuditLog, Json } from "../audit/mod.ts";
import { type Database, statement } from "../database/database.ts";
import { LifecycleError } from "./errors.ts";
import type { Split } from "./split.ts";
import { changedFiles, type FoundVersion, type VersionFolder, versionSha256 } from "./versions.ts";

/** Who answers. */
export interface Serving {
  /** Grows with every change; 0 as long as the configuration alone says what is served. */
  readonly serial: number;
  readonly active: string;
  readonly previous?: string;
  readonly challenger?: Split & { readonly version: string };
}

export interface Registered {
  readonly version: string;
  readonly sha256: string;
  readonly files: FoundVersion["files"];
  readonly registeredAtMs: number;
}

export interface RegistryOptions {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly folder: VersionFolder;
  /** The version that banks.json names: active until another one was activated. */
  readonly configured: string;
  /** Loads a version as if to serve it, until the returned function is called; rejects, with a sentence, where it cannot. */
  readonly check: (version: string) => Promise<() => void>;
  /** Told that a change of what is served was committed. */
  readonly committed: () => Promise<void>;
  readonly now: () => number;
  readonly newSalt: () => string;
}

const SERVING = "SELECT * FROM model_serving";
const VERSIONS = "SELECT * FROM model_versions ORDER BY version";
const VERSION = "SELECT * FROM model_versions WHERE version = :version";

const REGISTER = `
  INSERT INTO model_versions (version, sha256, files, registered_at_ms)
  VALUES (:version, :sha256, :files, :now)`;

const SERVE = `
  INSERT INTO model_serving (one, serial, active, previous, challenger, permille, salt)
  VALUES (1, :serial, :active, nullif(:previous, ''), nullif(:challenger, ''), :permille, :salt)
  ON CONFLICT DO UPDATE SET serial = excluded.serial, active = excluded.active,
    previous = excluded.previous, challenger = excluded.challenger,
    permille = excluded.permille, salt = excluded.salt`;

/** Of a refusal's sentence on record. */
/** What the record says of a name that is none. */
const LONGEST_VERSION = 100;
const LONGEST_REASON = 2000;

type Next = Omit<Serving, "serial">;

interface Step {
  readonly actor: string;
  /** What is done, such as `activate`. */
  readonly name: string;
  readonly version: string;
}

export class ModelRegistry {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  async serving(): Promise<Serving> {
    const { rows: [row] } = await this.#options.database.read(SERVING);
    if (row === undefined) return { serial: 0, active: this.#options.configured };
    return {
      serial: Number(row.serial),
      active: String(row.active),
      ...row.previous !== null && { previous: String(row.previous) },
      ...row.challenger !== null && {
        challenger: {
          version: String(row.challenger),
          share: Number(row.permille) / 1000,
          salt: String(row.salt),
        },
      },
    };
  }

  async versions(): Promise<readonly Registered[]> {
    return (await this.#options.database.read(VERSIONS)).rows.map(registeredOf);
  }

  /** Rejects with `LifecycleError` where the files are not those that were registered; who was never registered passes. */
  async requireUnchanged(version: string): Promise<FoundVersion> {
    const found = await this.#found(version);
    const registered = await this.#registered(version);
    if (registered !== undefined) assertUnchanged(registered, found);
    return found;
  }

  register(version: string, actor: string): Promise<Serving> {
    return this.#recordRefusal({ actor, name: "register", version }, async () => {
      const found = await this.#found(version);
      if (found.problem !== undefined) {
        throw new LifecycleError(`Cannot register models/${version}: ${found.problem}`);
      }
      await this.#options.audit.change(async () => {
        const registered = await this.#registered(version);
        if (registered !== undefined) {
          assertUnchanged(registered, found);
          throw new LifecycleError(`Cannot register models/${version}: it is registered already`);
        }
        return {
          entry: this.#entry(
            { actor, name: "register", version },
            { sha256: versionSha256(found.files) },
          ),
          statements: [this.#registering(found)],
        };
      });
    });
  }

  activate(version: string, actor: string): Promise<Serving> {
    return this.#serve({ actor, name: "activate", version }, ({ active }) => {
      if (active === version) {
        throw new LifecycleError(`Cannot activate models/${version}: it is active already`);
      }
      return { active: version, previous: active };
    });
  }

  /** Activates the previous version; there is none after that, so that a second one does not bring the bad version back. */
  async rollback(actor: string): Promise<Serving> {
    const { active, previous } = await this.serving();
    if (previous === undefined) {
      throw new LifecycleError(
        `Cannot roll back: nothing was active before models/${active}, or it was rolled back to; ` +
          "activate a version by its name",
      );
    }
    return await this.#serve({ actor, name: "rollback", version: previous }, (serving) => {
      if (serving.previous === previous) return { active: previous };
      throw new LifecycleError("Cannot roll back: another version was activated just now");
    });
  }

  /** Throws `RangeError` for a share outside 0 to 1. */
  challenge(
    version: string,
    { share, actor }: { readonly share: number; readonly actor: string },
  ): Promise<Serving> {
    if (!(share >= 0 && share <= 1)) {
      throw new RangeError(`the share is ${share}, must be from 0 to 1`);
    }
    const name = share === 0 ? "shadow" : "split";
    return this.#serve({ actor, name, version }, ({ serial: _, challenger, ...rest }) => {
      if (rest.active === version) {
        throw new LifecycleError(`Cannot try models/${version} beside itself: it is active`);
      }
      // Whoever was answered by the challenger still is where its share grows.
      const salt = challenger?.version === version ? challenger.salt : this.#options.newSalt();
      return { ...rest, challenger: { version, share: Math.round(share * 1000) / 1000, salt } };
    });
  }

  async endChallenge(actor: string): Promise<Serving> {
    await this.#options.audit.change(async () => {
      const { challenger, ...rest } = await this.serving();
      if (challenger === undefined) {
        throw new LifecycleError("Cannot end the trial: no version is tried");
      }
      const { version } = challenger;
      return {
        entry: this.#entry({ actor, name: "end_trial", version }),
        statements: [serveStatement({ ...rest, serial: rest.serial + 1 })],
      };
    });
    await this.#options.committed();
    return await this.serving();
  }

  /** Checks the version, and then commits what `next` makes of what is served by then. */
  #serve(step: Step, next: (serving: Serving) => Next): Promise<Serving> {
    const { version, name } = step;
    return this.#recordRefusal(step, async () => {
      const registered = await this.#registered(version);
      if (registered === undefined) {
        throw new LifecycleError(
          `Cannot ${name} models/${version}: it must be registered first: deno task models register ${version}`,
        );
      }
      next(await this.serving());
      await this.requireUnchanged(version);
      const release = await this.#check(step);
      try {
        await this.#commit(step, { next, sha256: registered.sha256 });
        await this.#options.committed();
      } finally {
        release();
      }
    });
  }

  async #commit(
    step: Step,
    { next, sha256 }: { next: (serving: Serving) => Next; sha256: string },
  ): Promise<void> {
    await this.#options.audit.change(async () => {
      const serving = await this.serving();
      const { challenger, ...then } = next(serving);
      const first = await this.#registeringFirst(serving);
      return {
        entry: this.#entry(step, {
          from: serving.active,
          sha256,
          ...challenger && { share: challenger.share },
        }),
        statements: [
          ...first,
          serveStatement({
            ...then,
            ...challenger && { challenger },
            serial: serving.serial + 1,
          }),
        ],
      };
    });
  }

  async #check({ name, version }: Step): Promise<() => void> {
    try {
      return await this.#options.check(version);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LifecycleError(`Cannot ${name} models/${version}: ${reason}`, { cause: error });
    }
  }

  /** The version that the configuration named is registered when another takes its place: a rollback must know its hashes. */
  async #registeringFirst({ active }: Serving): Promise<InStatement[]> {
    if (await this.#registered(active) !== undefined) return [];
    return [this.#registering(await this.#found(active))];
  }

  async #recordRefusal(step: Step, work: () => Promise<void>): Promise<Serving> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof LifecycleError)) throw error;
      const reason = error.message.slice(0, LONGEST_REASON).toWellFormed();
      await this.#options.audit.append(
        this.#entry({ ...step, name: "refuse" }, { step: step.name, reason }),
      );
      throw error;
    }
    return await this.serving();
  }

  #entry({ actor, name, version }: Step, details: Readonly<Record<string, Json>> = {}) {
    return {
      actor,
      action: `models.${name}`,
      subject: `models/${version.slice(0, LONGEST_VERSION)}`,
      details,
    };
  }

  async #found(version: string): Promise<FoundVersion> {
    try {
      return await this.#options.folder.read(version);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LifecycleError(`Cannot use models/${version}: ${reason}`, { cause: error });
    }
  }

  async #registered(version: string): Promise<Registered | undefined> {
    const { rows: [row] } = await this.#options.database.read(statement(VERSION, { version }));
    return row && registeredOf(row);
  }

  #registering({ version, files }: FoundVersion): InStatement {
    return statement(REGISTER, {
      ...{ version, files: JSON.stringify(files), sha256: versionSha256(files) },
      now: this.#options.now(),
    });
  }
}

function assertUnchanged({ version, sha256, files }: Registered, found: FoundVersion): void {
  if (versionSha256(found.files) === sha256) return;
  throw new LifecycleError(
    `Cannot use models/${version}: its files must be those that were registered, and these are not: ` +
      `${changedFiles(files, found.files).join(", ")}; give what was changed a new version`,
  );
}

function serveStatement({ serial, active, previous = "", challenger }: Serving): InStatement {
  return statement(SERVE, {
    ...{ serial, active, previous, challenger: challenger?.version ?? "" },
    permille: Math.round((challenger?.share ?? 0) * 1000),
    salt: challenger?.salt ?? "",
  });
}

function registeredOf(row: Readonly<Record<string, unknown>>): Registered {
  return {
    version: String(row.version),
    sha256: String(row.sha256),
    files: JSON.parse(String(row.files)),
    registeredAtMs: Number(row.registered_at_ms),
  };
}
