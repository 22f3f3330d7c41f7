/** The peers that run in Deno: ONNX Runtime's bindings for Node, and its WebAssembly build. */

/** What both bindings share of what is used here. */
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>, fetches: string[]): Promise<unknown>;
}

interface Binding {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: number[]) => unknown;
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
}

export const WEB_PEERS = ["onnxruntime-node", "onnxruntime-web"] as const;
export type WebPeer = typeof WEB_PEERS[number];
export const VERSION = "1.30.0";

/**
 * A name put together at run time stays out of the lock file: `deno compile` packs everything that the lock file names, and
 * the service needs neither.
 */
async function load(peer: WebPeer): Promise<Binding> {
  const { default: binding }: { default: Binding } = await import(`npm:${peer}@${VERSION}`);
  if (peer === "onnxruntime-web") binding.env.wasm.numThreads = 1;
  return binding;
}

const BINDINGS: Readonly<Record<WebPeer, Binding>> = {
  "onnxruntime-node": await load("onnxruntime-node"),
  "onnxruntime-web": await load("onnxruntime-web"),
};

/** Runs a model on a row-major matrix. */
export type Run = (matrix: Float32Array, rows: number) => Promise<unknown>;

export async function webRunner(peer: WebPeer, onnx: Uint8Array): Promise<Run> {
  const { InferenceSession, Tensor } = BINDINGS[peer];
  const session = await InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const [input = "", output = ""] = [session.inputNames[0], session.outputNames.at(-1)];
  return (matrix, rows) => {
    const tensor = new Tensor("float32", matrix, [rows, matrix.length / rows]);
    return session.run({ [input]: tensor }, [output]);
  };
}
