/**
 * The life of the models: versions are registered, tried beside the active one, activated without a restart and rolled back, and
 * every step is in the audit log. What is shown of it stands in `views.ts`, whose schemas only those load who document it; `ModelLifecycle` is what routes and pages
 * ask.
 */
export { LifecycleError } from "./errors.ts";
export { Lifecycle, type LifecycleParts, type ModelLifecycle } from "./lifecycle.ts";
export { LiveModels, type LiveOptions, type LoadedVersion } from "./live.ts";
export { ModelRegistry, type RegistryOptions, type Serving } from "./registry.ts";
export { type Answered, type ScoredBeside, Shadow, type ShadowOptions } from "./shadow.ts";
export { compareVersions, type Decisions } from "./comparison.ts";
export { type CellName, CELLS, type Compared, SwapSet, type SwapSetReport } from "./swap_set.ts";
export { type Pair, type TrialScores, TrialStore } from "./trials.ts";
export { type FoundVersion, VERSION, type VersionFolder } from "./versions.ts";
export type * from "./views.ts";
export { wilson } from "./statistics.ts";
