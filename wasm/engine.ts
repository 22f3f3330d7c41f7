/**
 * Compiled forests: a set of them is loaded, scored in one call, explained and swept. The module has
 * no imports and is a few tens of kilobytes.
 *
 * Known limit: a set belongs to the `Engine` that loaded it; it cannot be posted to a worker. Post
 * the forests' bytes.
 */

import { Instance, ModelError } from "./instance.ts";
import { encodeRequest, Sweep, type SweepRequest } from "./sweep.ts";

const SHA256_BYTES = 32;

/** One forest of a set. */
export interface ForestInfo {
  readonly trees: number;
  /** SHA-256 of the ONNX file that it was compiled from, 64 lower-case hex digits. */
  readonly onnxSha256: string;
}

/** The margin of each row, split over the features. */
export interface Contributions {
  /** Row-major, rows by features; a row's values and `base` sum to its margin. */
  readonly values: Float64Array<ArrayBuffer>;
  /** The margin expected when nothing is known of a row: the mean over the training rows. */
  readonly base: number;
}

/** Forests over one feature matrix. */
export interface ForestSet {
  /** Columns of the feature matrix. */
  readonly features: number;
  readonly forests: readonly ForestInfo[];
  /**
   * Approval probabilities, row-major `rows` by forests, each in [0, 1].
   *
   * @param matrix `rows` by `features`, row-major; NaN stands for a missing value
   * @param options.into where to put them, an array of that length: scoring row after row, a new
   * array for each takes longer than many a forest
   * @throws {ModelError} when the matrix or the array has another length, or after `unload`
   */
  score(
    matrix: Float32Array,
    rows: number,
    options?: { readonly into?: Float64Array<ArrayBuffer> },
  ): Float64Array<ArrayBuffer>;
  /**
   * What each feature contributes to each row's margin in a forest: exact path-dependent TreeSHAP.
   *
   * The margin is the raw sum after the affine steps of the forest's link (a calibration), so it is
   * the log-odds of a link that then ends in a sigmoid.
   *
   * @throws {ModelError} when the matrix has another length, the forest's covers are not known, or
   * after `unload`
   */
  contributions(matrix: Float32Array, rows: number, forest: number): Contributions;
  /**
   * One client's probabilities in every forest over all amounts and terms.
   *
   * @throws {ModelError} when the request does not fit the set, a derived column is not monotone in
   * the amount, there are more than 1,000,000 amounts or 1,024 terms, or after `unload`
   */
  sweep(request: SweepRequest): Sweep;
  /** Frees the set; it must not be used afterwards. */
  unload(): void;
}

/** An instance of the engine module. */
export class Engine {
  readonly #instance: Instance;

  /** @throws {ModelError} when the module has imports or is not an engine */
  constructor(module: WebAssembly.Module) {
    const functions = [
      "load",
      "unload",
      "features",
      "trees",
      "onnx_sha256",
      "score",
      "explain",
      "sweep",
      "result_ptr",
      "result_len",
    ];
    this.#instance = new Instance(module, "engine.wasm", functions);
  }

  /**
   * Loads compiled forests, checking every byte of them.
   *
   * @throws {ModelError} saying which forest is wrong, what and where, or that they do not read the
   * same number of features
   */
  loadSet(forests: readonly Uint8Array[]): ForestSet {
    const instance = this.#instance;
    const handle = instance.lend(
      packed(forests),
      ({ address, bytes }) => instance.call("load", address, bytes),
    );
    if (handle === 0) throw instance.error();
    const features = instance.call("features", handle);
    const outputs = forests.length;
    const score = instance.scorer(
      "score",
      (run) => (input, rows, output) => run(handle, input, rows, output),
      { cols: features, outputs },
    );
    const explain = forests.map((_, forest) =>
      instance.scorer(
        "explain",
        (run) => (input, rows, output) => run(handle, forest, input, rows, output),
        { cols: features, outputs: features + 1 },
      )
    );
    return {
      features,
      forests: forests.map((_, index) => ({
        trees: instance.call("trees", handle, index),
        onnxSha256: hex(instance.read({
          address: instance.call("onnx_sha256", handle, index),
          bytes: SHA256_BYTES,
        })),
      })),
      score,
      contributions: (matrix, rows, forest) => {
        const run = explain[forest];
        if (run === undefined) {
          throw new ModelError(`Cannot explain forest ${forest}: not in the set`);
        }
        return splitBase(run(matrix, rows), features);
      },
      sweep: (request) => {
        const status = instance.lend(
          new Uint8Array(encodeRequest(request).buffer),
          ({ address, bytes }) => instance.call("sweep", handle, address, bytes),
        );
        if (status !== 0) throw instance.error();
        const found = instance.readDoubles(
          instance.call("result_ptr"),
          instance.call("result_len"),
        );
        return new Sweep(request, outputs, found);
      },
      unload: () => void instance.call("unload", handle),
    };
  }
}

/** Their number, their lengths, their bytes. */
function packed(forests: readonly Uint8Array[]): Uint8Array {
  const header = 4 * (forests.length + 1);
  const lengths = forests.map((forest) => forest.byteLength);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, header));
  const view = new DataView(bytes.buffer);
  [forests.length, ...lengths].forEach((word, index) => view.setUint32(4 * index, word, true));
  let at = header;
  for (const forest of forests) {
    bytes.set(forest, at);
    at += forest.byteLength;
  }
  return bytes;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Rows of features and a base value -> rows of features, and the base value that all share. */
function splitBase(rows: Float64Array<ArrayBuffer>, features: number): Contributions {
  const count = rows.length / (features + 1);
  const values = new Float64Array(count * features);
  for (let row = 0; row < count; row++) {
    const from = row * (features + 1);
    values.set(rows.subarray(from, from + features), row * features);
  }
  return { values, base: rows[features] ?? NaN };
}
