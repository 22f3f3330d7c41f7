/**
 * One running WASM instance behind the ABI that both modules share: memory, buffers, error text.
 *
 * Why a class of its own: the two rules that are easy to break live here alone. A view of the
 * memory is made anew after every call, for any call may grow the memory and detach older views.
 * And an instance that trapped is never entered again, for its memory may be half-written.
 */

/** A model, its bytes or its input was refused, or the module that runs it failed. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}

/** The modules' own limit; below it a size cannot wrap around in 32 bits. */
const MAX_BUFFER_BYTES = 2 ** 30;

/** Numbers up to this many are copied sooner one by one than by the engine's own call. */
const FEW = 64;

/** Number of bytes at an address in the module's memory. */
export interface Buffer {
  readonly address: number;
  readonly bytes: number;
}

const NO_BUFFER: Buffer = { address: 0, bytes: 0 };

type Export = (...args: number[]) => number | void;

/** Scores rows of a row-major matrix; the results go `into` an array of their number, or a new one. */
export type Scorer = (
  matrix: Float32Array,
  rows: number,
  options?: { readonly into?: Float64Array<ArrayBuffer> },
) => Float64Array<ArrayBuffer>;

const NO_OPTIONS = {};

/** Input, then output of a batch; each is kept and reused until a larger one is needed. */
type Scratch = "input" | "output";

export class Instance {
  readonly #name: string;
  readonly #memory: WebAssembly.Memory;
  readonly #functions: ReadonlyMap<string, Export>;
  readonly #scratch: Record<Scratch, Buffer> = { input: NO_BUFFER, output: NO_BUFFER };
  #views: Views;
  #trap: string | null = null;

  /**
   * @param name what the module is called in error text
   * @param functions the exports that will be called, beyond those of the shared ABI
   * @throws {ModelError} when the module has imports or lacks an export
   */
  constructor(module: WebAssembly.Module, name: string, functions: readonly string[]) {
    this.#name = name;
    const imports = WebAssembly.Module.imports(module);
    if (imports.length > 0) {
      const names = imports.map((item) => `${item.module}.${item.name}`).join(", ");
      throw new ModelError(`Cannot start ${name}: a module must have no imports, it has ${names}`);
    }
    const { exports } = new WebAssembly.Instance(module);
    if (!(exports.memory instanceof WebAssembly.Memory)) {
      throw new ModelError(`Cannot start ${name}: the module must export its memory`);
    }
    this.#memory = exports.memory;
    this.#views = views(exports.memory);
    const found = new Map<string, Export>();
    for (const key of ["alloc", "dealloc", "error_ptr", "error_len", ...functions]) {
      const item = exports[key];
      if (typeof item !== "function") {
        throw new ModelError(`Cannot start ${name}: the module must export the function ${key}`);
      }
      found.set(key, item as Export);
    }
    this.#functions = found;
    if (typeof exports.init === "function") this.#enter("init", exports.init as Export, []);
  }

  /**
   * Calls an export and gives its result as an unsigned 32-bit number.
   *
   * @throws {ModelError} when the call traps, or when an earlier call trapped
   */
  call(key: string, ...args: number[]): number {
    this.#refuseAfterTrap(key);
    return this.#enter(key, this.#export(key), args);
  }

  #export(key: string): Export {
    const target = this.#functions.get(key);
    if (target === undefined) throw new ModelError(`${this.#name} has no export ${key}`);
    return target;
  }

  #refuseAfterTrap(key: string): void {
    if (this.#trap !== null) {
      throw new ModelError(
        `Cannot call ${key} of ${this.#name}: this instance must not be used after its trap ` +
          `(${this.#trap}); create a new one`,
      );
    }
  }

  /** The module's own account of why its last call failed. */
  error(): ModelError {
    return new ModelError(this.#errorText());
  }

  /** A copy of bytes out of the module's memory. */
  read({ address, bytes }: Buffer): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, address, bytes).slice();
  }

  /** A copy of `count` doubles out of the module's memory. */
  readDoubles(address: number, count: number): Float64Array<ArrayBuffer> {
    const from = address / Float64Array.BYTES_PER_ELEMENT;
    return this.#doubles().slice(from, from + count);
  }

  /** Lends the bytes to `use` in a buffer that lives as long as the call. */
  lend<T>(content: Uint8Array, use: (buffer: Buffer) => T): T {
    const buffer = this.#alloc(content.byteLength);
    new Uint8Array(this.#memory.buffer, buffer.address, buffer.bytes).set(content);
    try {
      return use(buffer);
    } finally {
      if (this.#trap === null) this.call("dealloc", buffer.address);
    }
  }

  /**
   * Makes a function that runs an export on matrices: `outputs` doubles for each row of
   * a row-major matrix of `cols` columns. It is the way of every score, so it looks nothing up.
   *
   * @param bind puts what the export takes before the matrix's address, the rows and the output's
   *
   * The function throws `ModelError` when the matrix does not hold `rows` times `cols` numbers, or
   * `into`, where the results go if it is given, not `rows` times `outputs`.
   */
  scorer(
    key: string,
    bind: (run: Export) => (input: number, rows: number, output: number) => number | void,
    { cols, outputs }: { cols: number; outputs: number },
  ): Scorer {
    const run = bind(this.#export(key));
    return (matrix, rows, { into } = NO_OPTIONS) => {
      if (!Number.isInteger(rows) || rows < 0 || matrix.length !== rows * cols) {
        throw new ModelError(
          `Cannot score a matrix of ${matrix.length} numbers as ${rows} rows: ` +
            `its length must be rows times the model's ${cols} features`,
        );
      }
      const count = rows * outputs;
      if (into !== undefined && into.length !== count) {
        throw new ModelError(
          `Cannot put ${count} results into an array of ${into.length}: it must have that length`,
        );
      }
      const results = into ?? new Float64Array(count);
      if (rows === 0) return results;
      this.#refuseAfterTrap(key);
      const input = this.#keep("input", matrix.length * Float32Array.BYTES_PER_ELEMENT);
      const output = this.#keep("output", count * Float64Array.BYTES_PER_ELEMENT);
      copy(matrix, { to: this.#floats(), at: input.address / Float32Array.BYTES_PER_ELEMENT });
      let status;
      try {
        status = run(input.address, rows, output.address);
      } catch (cause) {
        throw this.#trapped(key, cause);
      }
      if (status !== 0) throw this.error();
      const doubles = this.#doubles();
      const from = output.address / Float64Array.BYTES_PER_ELEMENT;
      if (count > FEW) results.set(doubles.subarray(from, from + count));
      else for (let at = 0; at < count; at++) results[at] = doubles[from + at] ?? NaN;
      return results;
    };
  }

  /**
   * The memory as floats; a new view only after the memory has grown, which leaves older ones without
   * elements. That tells sooner than `memory.buffer`, a call out of compiled code.
   */
  #floats(): Float32Array {
    if (this.#views.floats.length === 0) this.#views = views(this.#memory);
    return this.#views.floats;
  }

  #doubles(): Float64Array {
    if (this.#views.doubles.length === 0) this.#views = views(this.#memory);
    return this.#views.doubles;
  }

  #keep(slot: Scratch, bytes: number): Buffer {
    // By name, for a look-up by a variable takes longer than all else here.
    const kept = slot === "input" ? this.#scratch.input : this.#scratch.output;
    if (kept.bytes >= bytes) return kept;
    this.#scratch[slot] = NO_BUFFER;
    if (kept.bytes > 0) this.call("dealloc", kept.address);
    return this.#scratch[slot] = this.#alloc(bytes);
  }

  #alloc(bytes: number): Buffer {
    const address = bytes <= MAX_BUFFER_BYTES ? this.call("alloc", bytes) : 0;
    if (address === 0) {
      throw new ModelError(
        `Cannot get a buffer of ${bytes} bytes in ${this.#name}: it must be at most ` +
          `${MAX_BUFFER_BYTES} and fit the module's memory`,
      );
    }
    return { address, bytes };
  }

  #enter(key: string, target: Export, args: readonly number[]): number {
    try {
      return Number(target(...args) ?? 0) >>> 0;
    } catch (cause) {
      throw this.#trapped(key, cause);
    }
  }

  #trapped(key: string, cause: unknown): ModelError {
    const panic = this.#panicText();
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#trap = panic === "" ? reason : `${reason}: ${panic}`;
    return new ModelError(`${this.#name} trapped in ${key}: ${this.#trap}`, { cause });
  }

  /** A panic leaves its message as the last error before it traps; other traps leave none. */
  #panicText(): string {
    try {
      const text = this.#errorText();
      return text.startsWith("panic") ? text : "";
    } catch {
      return "";
    }
  }

  #errorText(): string {
    const address = Number(this.#functions.get("error_ptr")?.() ?? 0) >>> 0;
    const bytes = Number(this.#functions.get("error_len")?.() ?? 0) >>> 0;
    return new TextDecoder().decode(this.read({ address, bytes }));
  }
}

function copy(from: Float32Array, { to, at }: { to: Float32Array; at: number }): void {
  if (from.length > FEW) return to.set(from, at);
  for (let index = 0; index < from.length; index++) to[at + index] = from[index] ?? NaN;
}

interface Views {
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
}

function views({ buffer }: WebAssembly.Memory): Views {
  return { floats: new Float32Array(buffer), doubles: new Float64Array(buffer) };
}
