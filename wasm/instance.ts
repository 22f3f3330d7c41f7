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

/** Number of bytes at an address in the module's memory. */
export interface Buffer {
  readonly address: number;
  readonly bytes: number;
}

type Export = (...args: number[]) => number | void;

/** Input, then output of a batch; each is kept and reused until a larger one is needed. */
type Scratch = "input" | "output";

export class Instance {
  readonly #name: string;
  readonly #memory: WebAssembly.Memory;
  readonly #functions: ReadonlyMap<string, Export>;
  readonly #scratch = new Map<Scratch, Buffer>();
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
    if (this.#trap !== null) {
      throw new ModelError(
        `Cannot call ${key} of ${this.#name}: this instance must not be used after its trap ` +
          `(${this.#trap}); create a new one`,
      );
    }
    const target = this.#functions.get(key);
    if (target === undefined) throw new ModelError(`${this.#name} has no export ${key}`);
    return this.#enter(key, target, args);
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
    return new Float64Array(this.#memory.buffer, address, count).slice();
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
   * Runs `key(handle, matrix, rows, cols, out)`: one double per row of a row-major matrix.
   *
   * @throws {ModelError} when the matrix does not hold `rows` times `cols` numbers
   */
  score(key: string, { handle, matrix, rows, cols }: Batch): Float64Array<ArrayBuffer> {
    if (!Number.isInteger(rows) || rows < 0 || matrix.length !== rows * cols) {
      throw new ModelError(
        `Cannot score a matrix of ${matrix.length} numbers as ${rows} rows: ` +
          `its length must be rows times the model's ${cols} features`,
      );
    }
    if (rows === 0) return new Float64Array(0);
    const input = this.#keep("input", matrix.byteLength);
    const output = this.#keep("output", rows * Float64Array.BYTES_PER_ELEMENT);
    new Float32Array(this.#memory.buffer, input.address, matrix.length).set(matrix);
    if (this.call(key, handle, input.address, rows, cols, output.address) !== 0) throw this.error();
    return this.readDoubles(output.address, rows);
  }

  #keep(slot: Scratch, bytes: number): Buffer {
    const kept = this.#scratch.get(slot);
    if (kept !== undefined && kept.bytes >= bytes) return kept;
    if (kept !== undefined) {
      this.#scratch.delete(slot);
      this.call("dealloc", kept.address);
    }
    const buffer = this.#alloc(bytes);
    this.#scratch.set(slot, buffer);
    return buffer;
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
      const panic = this.#panicText();
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#trap = panic === "" ? reason : `${reason}: ${panic}`;
      throw new ModelError(`${this.#name} trapped in ${key}: ${this.#trap}`, { cause });
    }
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

/** A row-major matrix of `rows` times `cols` features for the model behind `handle`. */
export interface Batch {
  readonly handle: number;
  readonly matrix: Float32Array;
  readonly rows: number;
  readonly cols: number;
}
