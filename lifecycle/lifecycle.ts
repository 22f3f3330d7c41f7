/** All that routes and pages ask of the models' life, made of the registry, the folder of versions, and the audit log. */
import type { AuditLog, Entry } from "../audit/mod.ts";
import type { ModelRegistry, Registered, Serving } from "./registry.ts";
import type {
  AuditEntryView,
  AuditPage,
  Comparison,
  ModelsView,
  ServingView,
  VersionView,
} from "./views.ts";
import { changedFiles, type FoundVersion, type VersionFolder, versionSha256 } from "./versions.ts";

export interface ModelLifecycle {
  /** Every version in the folder of models, and every registered one; what serves now. */
  models(): Promise<ModelsView>;
  /** The whole MODEL_CARD.md of a version, Markdown; `undefined` where it has none. */
  card(version: string): Promise<string | undefined>;
  /** Steps; each rejects with `LifecycleError` where it is refused. `actor` goes into the audit log, such as `key:ops-1`. */
  register(version: string, actor: string): Promise<ServingView>;
  activate(version: string, actor: string): Promise<ServingView>;
  rollback(actor: string): Promise<ServingView>;
  /** A share of 0 scores beside the active version; more than that also answers that share of applications, always the same ones. */
  challenge(version: string, options: { share: number; actor: string }): Promise<ServingView>;
  endChallenge(actor: string): Promise<ServingView>;
  /** Of the challenger with the active version, or of the latest trial; `undefined` where there was none. */
  comparison(): Promise<Comparison | undefined>;
  /** Of the audit log: entries about `subject` alone, such as `models/2`, where one is given. */
  audit(options: { before?: number; limit: number; subject?: string }): Promise<AuditPage>;
}

export interface LifecycleParts {
  readonly registry: ModelRegistry;
  readonly folder: VersionFolder;
  readonly audit: AuditLog;
  readonly compare: () => Promise<Comparison | undefined>;
}

export class Lifecycle implements ModelLifecycle {
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  async models(): Promise<ModelsView> {
    const { registry, folder } = this.#parts;
    const [serving, registered, names] = await Promise.all([
      registry.serving(),
      registry.versions(),
      folder.names(),
    ]);
    const all = new Set([...names, ...registered.map(({ version }) => version), serving.active]);
    const versions = await Promise.all(
      [...all].sort(byNumber).map(async (version) =>
        versionView({
          found: await this.#find(version),
          registered: registered.find((each) => each.version === version),
          serving,
        })
      ),
    );
    return { serving: servingView(serving), versions };
  }

  card(version: string): Promise<string | undefined> {
    return this.#parts.folder.card(version);
  }

  async register(version: string, actor: string): Promise<ServingView> {
    return servingView(await this.#parts.registry.register(version, actor));
  }

  async activate(version: string, actor: string): Promise<ServingView> {
    return servingView(await this.#parts.registry.activate(version, actor));
  }

  async rollback(actor: string): Promise<ServingView> {
    return servingView(await this.#parts.registry.rollback(actor));
  }

  async challenge(
    version: string,
    options: { readonly share: number; readonly actor: string },
  ): Promise<ServingView> {
    return servingView(await this.#parts.registry.challenge(version, options));
  }

  async endChallenge(actor: string): Promise<ServingView> {
    return servingView(await this.#parts.registry.endChallenge(actor));
  }

  comparison(): Promise<Comparison | undefined> {
    return this.#parts.compare();
  }

  async audit(
    options: { readonly before?: number; readonly limit: number; readonly subject?: string },
  ): Promise<AuditPage> {
    const { limit } = options;
    const entries = await this.#parts.audit.page({ ...options, limit: limit + 1 });
    const shown = entries.slice(0, limit);
    const last = shown.at(-1);
    return {
      entries: shown.map(entryView),
      ...entries.length > limit && last && { next: last.sequence },
    };
  }

  async #find(version: string): Promise<FoundVersion> {
    try {
      return await this.#parts.folder.read(version);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return { version, files: {}, banks: [], problem };
    }
  }
}

function versionView(
  { found, registered, serving }: {
    found: FoundVersion;
    registered: Registered | undefined;
    serving: Serving;
  },
): VersionView {
  const { version, files, banks, card } = found;
  const problem = found.problem ?? changed(found, registered);
  return {
    version,
    state: stateOf(version, { registered, serving }),
    ...registered && { registeredAt: new Date(registered.registeredAtMs).toISOString() },
    ...Object.keys(files).length > 0 && { sha256: versionSha256(files) },
    files,
    banks: [...banks],
    ...card !== undefined && { card },
    ...problem !== undefined && { problem },
  };
}

function changed({ files }: FoundVersion, registered: Registered | undefined): string | undefined {
  const names = registered === undefined ? [] : changedFiles(registered.files, files);
  return names.length === 0
    ? undefined
    : `these files are not those that were registered: ${names.join(", ")}`;
}

function stateOf(
  version: string,
  { registered, serving }: { registered: Registered | undefined; serving: Serving },
): VersionView["state"] {
  if (version === serving.active) return "active";
  if (version === serving.challenger?.version) return "challenger";
  if (version === serving.previous) return "previous";
  return registered === undefined ? "unregistered" : "registered";
}

function servingView({ active, previous, challenger }: Serving): ServingView {
  return {
    active,
    ...previous !== undefined && { previous },
    ...challenger && { challenger: { version: challenger.version, share: challenger.share } },
  };
}

function entryView(
  { sequence, atMs, actor, action, subject, details, hash }: Entry,
): AuditEntryView {
  return {
    ...{ sequence, at: new Date(atMs).toISOString(), actor, action, subject, hash },
    details: JSON.parse(details),
  };
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
