/**
 * The models of all banks in one thread: a forest runs in the engine, any other graph in tract, whose module is needed only
 * then. The same class serves the workers and the thread that has none.
 */
import type { Bundle } from "./bundle.ts";
import { Engine } from "./engine.ts";
import { ModelError } from "./instance.ts";
import { Tract } from "./tract.ts";

/** The compiled modules; they can be posted to a worker. */
export interface Modules {
  readonly engine: WebAssembly.Module;
  /** Absent where every model is a forest. */
  readonly tract?: WebAssembly.Module;
}

interface Model {
  score(matrix: Float32Array, rows: number): Float64Array;
}

export class ModelSet {
  readonly #models: readonly Model[];

  /** Throws `ModelError`, with the model's name, where one cannot be loaded. */
  constructor(modules: Modules, { models, features }: Bundle) {
    const engine = new Engine(modules.engine);
    const tract = modules.tract && new Tract(modules.tract);
    this.#models = models.map((file) => {
      try {
        if (file.kind === "forest") {
          const forest = engine.load(file.bytes);
          checkForest(forest, { features, onnxSha256: file.onnxSha256 });
          return forest;
        }
        if (!tract) throw new ModelError("it is not a compiled forest, and tract was not loaded");
        return tract.load(file.bytes, { features });
      } catch (error) {
        throw new ModelError(
          `Cannot load model ${file.name}: ${error instanceof Error ? error.message : error}`,
          { cause: error },
        );
      }
    });
  }

  /**
   * Approval probabilities in [0, 1], row-major `rows` x models. `matrix` is row-major `rows` x features, NaN where missing.
   * Throws `ModelError`.
   */
  score(matrix: Float32Array, rows: number): Float64Array<ArrayBuffer> {
    const scores = new Float64Array(rows * this.#models.length);
    for (const [column, model] of this.#models.entries()) {
      for (const [row, probability] of model.score(matrix, rows).entries()) {
        scores[row * this.#models.length + column] = probability;
      }
    }
    return scores;
  }
}

function checkForest(
  forest: { readonly features: number; readonly onnxSha256: string },
  { features, onnxSha256 }: { features: number; onnxSha256: string },
): void {
  if (forest.features !== features) {
    throw new ModelError(`the forest reads ${forest.features} features, must be ${features}`);
  }
  if (forest.onnxSha256 !== onnxSha256) {
    throw new ModelError(
      `the forest was compiled from the ONNX with SHA-256 ${forest.onnxSha256}, must be ${onnxSha256}; ` +
        "run deno task compile-models",
    );
  }
}
