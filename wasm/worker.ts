/**
 * A scoring worker: first it is sent the modules and models, then one matrix or one client at a time. It knows nothing of the queue, the
 * database or the disk. After a failure it must be replaced, for a module that trapped is not used again.
 */
import type { Bundle } from "./bundle.ts";
import type { Inspected, InspectRequest } from "./inspect.ts";
import { ModelSet, type Modules } from "./model_set.ts";

export interface WorkerSetup {
  readonly modules: Modules;
  readonly bundle: Bundle;
}

export interface ScoreRequest {
  /** Row-major, `rows` x features. */
  readonly matrix: Float32Array<ArrayBuffer>;
  readonly rows: number;
}

/** Row-major, rows x models. */
export type ScoreResponse = Float64Array<ArrayBuffer>;

export type WorkerRequest = ScoreRequest | { readonly inspect: InspectRequest };
export type WorkerResponse = ScoreResponse | readonly Inspected[];

interface Scope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

const scope = self as unknown as Scope;

scope.onmessage = ({ data }: MessageEvent<WorkerSetup>) =>
  answering(() => {
    const models = new ModelSet(data.modules, data.bundle);
    scope.onmessage = ({ data }: MessageEvent<WorkerRequest>) =>
      answering(() => {
        if ("inspect" in data) {
          scope.postMessage({ kind: "done", response: models.inspect(data.inspect) });
        } else {
          const response = models.score(data.matrix, data.rows);
          scope.postMessage({ kind: "done", response }, [response.buffer]);
        }
      });
    scope.postMessage({ kind: "ready" });
  });

function answering(work: () => void): void {
  try {
    work();
  } catch (error) {
    scope.postMessage({
      kind: "failed",
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
