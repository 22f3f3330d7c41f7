/** A version's golden rows: awkward inputs, and what the trained models gave them. What is to be served must give the same. */
import { z } from "zod";
import type { ModelFile } from "./bundle.ts";
import { ModelError } from "./instance.ts";
import type { ModelSet } from "./model_set.ts";

/** Largest difference of a probability from the golden one. */
const TOLERANCE = { forest: 1e-6, onnx: 1e-5 } as const;

const goldenSchema = z.object({
  rows: z.array(z.array(z.number().nullable())),
  probabilities: z.record(z.string(), z.array(z.number())),
});

export interface GoldenOptions {
  /** The models of the set, in its order. */
  readonly files: readonly Pick<ModelFile, "name" | "kind">[];
  /** Of the golden file. */
  readonly bytes: Uint8Array;
}

/** The largest error of each model over the golden rows. Throws `ModelError` where one is above its tolerance. */
export function goldenErrors(models: ModelSet, { files, bytes }: GoldenOptions): number[] {
  const { rows, probabilities } = goldenSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const matrix = Float32Array.from(rows.flat(), (value) => value ?? NaN);
  const scores = models.score(matrix, rows.length);
  return files.map(({ name, kind }, column) => {
    const expected = probabilities[name];
    if (expected?.length !== rows.length) {
      throw new ModelError(
        `Cannot check ${name}: the golden file has ${
          expected?.length ?? "no"
        } probabilities for it, ` +
          `must have ${rows.length}, one for each row`,
      );
    }
    const errors = rows.map((_, row) =>
      Math.abs((scores[row * files.length + column] ?? NaN) - (expected[row] ?? NaN))
    );
    // Not a comparison with the worst: NaN is in no order with any number.
    const wrong = errors.findIndex((error) => !(error <= TOLERANCE[kind]));
    if (wrong < 0) return Math.max(0, ...errors);
    throw new ModelError(
      `Cannot accept ${name}: row ${wrong} of the golden rows differs by ${errors[wrong]}, ` +
        `must be at most ${TOLERANCE[kind]}`,
    );
  });
}
