/**
 * The life of the models: versions are registered, tried beside the active one, activated without a restart and rolled back, and
 * every step is in the audit log. What is shown of it stands in `views.ts`; `ModelLifecycle` is what routes and pages ask.
 */
export { LifecycleError } from "./errors.ts";
export { Lifecycle, type LifecycleParts, type ModelLifecycle } from "./lifecycle.ts";
export { LiveModels, type LiveOptions, type LoadedVersion } from "./live.ts";
export { ModelRegistry, type RegistryOptions, type Serving } from "./registry.ts";
export type { FoundVersion, VersionFolder } from "./versions.ts";
export * from "./views.ts";
