/**
 * The models of all banks in one thread: forests run in the engine, in one call, any other graph in tract, whose module is needed
 * only then. The same class serves the workers and the thread that has none.
 */
import type { Bundle, ModelFile } from "./bundle.ts";
import { Engine, type ForestSet } from "./engine.ts";
import {
  type Inspected,
  inspecting,
  type InspectRequest,
  viewForests,
  viewGraph,
} from "./inspect.ts";
import { ModelError } from "./instance.ts";
import { type Graph, Tract } from "./tract.ts";

/** The compiled modules; they can be posted to a worker. */
export interface Modules {
  readonly engine: WebAssembly.Module;
  /** Absent where every model is a forest. */
  readonly tract?: WebAssembly.Module;
}

/** A model that is not a forest, and its place among all. */
interface Other {
  readonly graph: Graph;
  readonly column: number;
}

export class ModelSet {
  readonly #count: number;
  readonly #features: number;
  readonly #background: Float32Array | undefined;
  /** The forests, scored in one call, and the columns of their scores; null when there are none. */
  #set: ForestSet | null;
  /** Each forest in an instance of its own, for when one fails among the others. */
  readonly #alone: readonly (() => ForestSet)[];
  readonly #together: () => ForestSet | null;
  readonly #columns: readonly number[];
  readonly #others: readonly Other[];

  /** Throws `ModelError`, with the model's name, where one cannot be loaded. */
  constructor(
    modules: Modules,
    { models, features, background }: Pick<Bundle, "models" | "features" | "background">,
  ) {
    const { engine, tract } = modules;
    const indexed = models.map((file, column) => ({ file, column }));
    const forests = indexed.filter(({ file }) => file.kind === "forest");
    this.#count = models.length;
    this.#columns = forests.map(({ column }) => column);
    this.#features = features;
    this.#background = background;
    const load = (files: typeof forests) => loadForests(new Engine(engine), files, features);
    this.#together = () => forests.length === 0 ? null : load(forests);
    this.#alone = forests.map((forest) => () => load([forest]));
    this.#set = this.#together();
    this.#others = indexed.filter(({ file }) => file.kind !== "forest").map(({ file, column }) => {
      const load = () => {
        if (tract) return new Tract(tract).load(file.bytes, { features });
        throw new ModelError("it is not a compiled forest, and tract was not loaded");
      };
      return { graph: naming(file, load), column };
    });
  }

  /**
   * Approval probabilities in [0, 1], row-major `rows` x models. `matrix` is row-major `rows` x features, NaN where missing.
   * Throws `ModelError`.
   */
  score(matrix: Float32Array, rows: number): Float64Array<ArrayBuffer> {
    const scores = this.#set?.score(matrix, rows) ?? new Float64Array(0);
    if (this.#others.length === 0) return scores;
    const all = new Float64Array(rows * this.#count);
    for (const [index, column] of this.#columns.entries()) {
      for (let row = 0; row < rows; row++) {
        all[row * this.#count + column] = scores[row * this.#columns.length + index] ?? NaN;
      }
    }
    for (const { graph, column } of this.#others) {
      for (const [row, probability] of graph.score(matrix, rows).entries()) {
        all[row * this.#count + column] = probability;
      }
    }
    return all;
  }

  /** What a decision needs of every model, in their order; one that fails says why, and the others answer. */
  inspect(request: InspectRequest): Inspected[] {
    const context = { request, features: this.#features, background: this.#background };
    const inspected: Inspected[] = new Array(this.#count);
    for (const [index, found] of this.#inspectForests(context).entries()) {
      inspected[this.#columns[index] ?? 0] = found;
    }
    for (const { graph, column } of this.#others) {
      inspected[column] = inspecting(() => viewGraph(graph, context));
    }
    return inspected;
  }

  /** Together, which is fast; where that fails, each in a new instance, for a trap spoils the memory that they share. */
  #inspectForests(context: Parameters<typeof viewForests>[1]): Inspected[] {
    if (this.#set === null) return [];
    try {
      return viewForests(this.#set, context).map((view) => ({ view }));
    } catch {
      this.#set = this.#together();
      return this.#alone.map((load) =>
        inspecting(() => {
          const [view] = viewForests(load(), context);
          if (view === undefined) throw new ModelError("the engine lost the forest");
          return view;
        })
      );
    }
  }
}

/** Loads forests as a set. One is tried alone only to tell which of them a failure is due to. */
function loadForests(
  engine: Engine,
  forests: readonly { readonly file: ModelFile }[],
  features: number,
): ForestSet {
  const load = (files: readonly ModelFile[]) => {
    const set = engine.loadSet(files.map(({ bytes }) => bytes));
    files.forEach((file, index) => checkForest(set, index, { features, file }));
    return set;
  };
  const files = forests.map(({ file }) => file);
  try {
    return load(files);
  } catch (error) {
    for (const file of files) naming(file, () => load([file]).unload());
    throw error;
  }
}

function naming<T>(file: ModelFile, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw new ModelError(
      `Cannot load model ${file.name}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

function checkForest(
  set: ForestSet,
  index: number,
  { features, file }: { features: number; file: ModelFile },
): void {
  if (set.features !== features) {
    throw new ModelError(`the forest reads ${set.features} features, must be ${features}`);
  }
  const found = set.forests[index]?.onnxSha256;
  if (found !== file.onnxSha256) {
    throw new ModelError(
      `the forest was compiled from the ONNX with SHA-256 ${found}, must be ${file.onnxSha256}; ` +
        "run deno task compile-models",
    );
  }
}
