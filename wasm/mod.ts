/**
 * Model execution in WebAssembly: compiled forests (`Engine`: scores, explanations, sweeps) and
 * everything about ONNX (`Tract`).
 *
 * Why two modules: a worker that scores forests loads kilobytes; the ONNX compiler and general
 * runtime is megabytes and is loaded only where an ONNX file has to be read. Compile each module
 * once (`readModule`), post the `WebAssembly.Module` to the workers, and construct there: both
 * constructors are synchronous and work in workers.
 *
 * Known limit: an instance that trapped is never used again; construct a new one.
 */

export { type Contributions, Engine, type ForestInfo, type ForestSet } from "./engine.ts";
export { type Cell, type DerivedColumn, type Piece, Sweep, type SweepRequest } from "./sweep.ts";
export {
  type ApproximateContributions,
  type PermutationOptions,
  permutationShapley,
} from "./permutation_shapley.ts";
export { type Graph, Tract } from "./tract.ts";
export { ModelError } from "./instance.ts";
export * from "./bundle.ts";
export { goldenErrors } from "./golden.ts";
export { ModelSet, type Modules } from "./model_set.ts";
export type { Explained, Inspected, InspectRequest, ModelView, PieceLists } from "./inspect.ts";
export type { WorkerRequest, WorkerResponse, WorkerSetup } from "./worker.ts";

/**
 * Reads and compiles one of the modules that lie beside this file. Needs read permission for it.
 *
 * @throws {Deno.errors.NotFound} when the module was not built or not shipped
 */
export async function readModule(name: "engine" | "tract"): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await Deno.readFile(new URL(`${name}.wasm`, import.meta.url)));
}
