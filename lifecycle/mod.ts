/**
 * The life of the models: versions are registered, tried beside the active one, activated without a restart and rolled back, and
 * every step is in the audit log. What is shown of it stands in `views.ts`; `ModelLifecycle` is what routes and pages ask.
 */
import type { AuditPage, Comparison, ModelsView, ServingView } from "./views.ts";

export * from "./views.ts";

/** A step was refused; the message says why in one sentence, and nothing was changed. */
export class LifecycleError extends Error {
  override readonly name = "LifecycleError";
}

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
