/** The peers that run in Deno: ONNX Runtime's bindings for Node, and its WebAssembly build. */

// Only the benchmark needs these two: they are no dependencies of the service.
// deno-lint-ignore no-import-prefix
import nodeOrt from "npm:onnxruntime-node@1.30.0";
// deno-lint-ignore no-import-prefix
import webOrt from "npm:onnxruntime-web@1.30.0";

/** What both bindings share of what is used here. */
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>, fetches: string[]): Promise<unknown>;
}

interface Binding {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: number[]) => unknown;
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
}

export const WEB_PEERS = ["onnxruntime-node", "onnxruntime-web"] as const;
export type WebPeer = typeof WEB_PEERS[number];

webOrt.env.wasm.numThreads = 1;
const BINDINGS = {
  "onnxruntime-node": nodeOrt as unknown as Binding,
  "onnxruntime-web": webOrt as unknown as Binding,
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
