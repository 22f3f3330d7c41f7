/**
 * Compiled forests: load and score. The module has no imports and is a few tens of kilobytes.
 *
 * Known limit: a forest belongs to the `Engine` that loaded it; it cannot be posted to a worker.
 * Post its bytes.
 */

import { Instance } from "./instance.ts";

const SHA256_BYTES = 32;

/** A forest loaded into an engine. */
export interface Forest {
  /** Columns of the feature matrix. */
  readonly features: number;
  readonly trees: number;
  /** SHA-256 of the ONNX file that it was compiled from, 64 lower-case hex digits. */
  readonly onnxSha256: string;
  /**
   * Approval probabilities, one per row, each in [0, 1].
   *
   * @param matrix `rows` by `features`, row-major; NaN stands for a missing value
   * @throws {ModelError} when the matrix has another length, or after `unload`
   */
  score(matrix: Float32Array, rows: number): Float64Array<ArrayBuffer>;
  /** Frees the forest; it must not be used afterwards. */
  unload(): void;
}

/** An instance of the engine module. */
export class Engine {
  readonly #instance: Instance;

  /** @throws {ModelError} when the module has imports or is not an engine */
  constructor(module: WebAssembly.Module) {
    const functions = ["load", "unload", "features", "trees", "onnx_sha256", "score"];
    this.#instance = new Instance(module, "engine.wasm", functions);
  }

  /**
   * Loads a compiled forest, checking every byte of it.
   *
   * @throws {ModelError} saying what is wrong with the bytes and where
   */
  load(forest: Uint8Array): Forest {
    const instance = this.#instance;
    const handle = instance.lend(
      forest,
      ({ address, bytes }) => instance.call("load", address, bytes),
    );
    if (handle === 0) throw instance.error();
    const features = instance.call("features", handle);
    const address = instance.call("onnx_sha256", handle);
    return {
      features,
      trees: instance.call("trees", handle),
      onnxSha256: hex(instance.read({ address, bytes: SHA256_BYTES })),
      score: (matrix, rows) => instance.score("score", { handle, matrix, rows, cols: features }),
      unload: () => void instance.call("unload", handle),
    };
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
