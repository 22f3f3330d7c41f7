/**
 * ONNX: compile a tree ensemble into a forest for the `Engine`, or run any other graph as it is.
 *
 * Known limits: a graph that holds a tree ensemble is only ever compiled, never run here; a graph
 * has one float input [N, features] and one float output [N], [N, 1] or [N, 2].
 */

import { Instance } from "./instance.ts";

/** An ONNX graph loaded for running. */
export interface Graph {
  /** Columns of the feature matrix. */
  readonly features: number;
  /**
   * Approval probabilities (of the last class), one per row, each in [0, 1].
   *
   * @param matrix `rows` by `features`, row-major
   * @throws {ModelError} when the matrix has another length, the graph gives anything but
   * probabilities (NaN for a missing value it cannot take, say), or after `unload`
   */
  score(matrix: Float32Array, rows: number): Float64Array<ArrayBuffer>;
  /** Frees the graph; it must not be used afterwards. */
  unload(): void;
}

const COMPILED = 0;
const NOT_A_FOREST = 2;

/** An instance of the tract module. */
export class Tract {
  readonly #instance: Instance;

  /** @throws {ModelError} when the module has imports or is not tract */
  constructor(module: WebAssembly.Module) {
    const functions = ["compile", "result_ptr", "result_len", "load", "unload", "run"];
    this.#instance = new Instance(module, "tract.wasm", functions);
  }

  /**
   * Compiles an ONNX tree ensemble, with what stands around it, into a forest file.
   *
   * @returns the forest, or null for a graph without a tree ensemble (`load` may run it)
   * @throws {ModelError} when the bytes are no ONNX, or the ensemble is broken or not of a kind
   * that a forest can hold exactly
   */
  compile(onnx: Uint8Array): Uint8Array<ArrayBuffer> | null {
    const instance = this.#instance;
    const status = instance.lend(
      onnx,
      ({ address, bytes }) => instance.call("compile", address, bytes),
    );
    if (status === NOT_A_FOREST) return null;
    if (status !== COMPILED) throw instance.error();
    const address = instance.call("result_ptr");
    return instance.read({ address, bytes: instance.call("result_len") });
  }

  /**
   * Loads a graph that is not a forest.
   *
   * @param options.features columns of the matrix that it will be given
   * @throws {ModelError} when the bytes are no ONNX, an operator is unknown, the input has another
   * width, or the output is not one probability per row
   */
  load(onnx: Uint8Array, { features }: { features: number }): Graph {
    const instance = this.#instance;
    const handle = instance.lend(
      onnx,
      ({ address, bytes }) => instance.call("load", address, bytes, features),
    );
    if (handle === 0) throw instance.error();
    return {
      features,
      score: instance.scorer("run", (run) => (...batch) => run(handle, ...batch), {
        cols: features,
        outputs: 1,
      }),
      unload: () => void instance.call("unload", handle),
    };
  }
}
