/** Pieces that every configuration schema uses: identifiers, titles in two languages, ranges, rates. */
import { z } from "zod";

/** An identifier that is safe as a JSON key, a CSV header and a file name. */
export const identifier = z.string().regex(
  /^[a-z][a-z0-9_]{0,63}$/,
  "must be 1 to 64 of a-z, 0-9 and _, beginning with a letter",
);

/** A text that people see, in each language that the service speaks. */
export const localized = z.strictObject({ ru: z.string().min(1), en: z.string().min(1) });

/** Inclusive bounds of a plausible value. */
export const range = z.strictObject({ min: z.number(), max: z.number() })
  .refine((r) => r.min < r.max, { error: "min must be below max" });

/** An annual rate in hundredths of a percent, so that interest is exact in whole numbers. */
export const ratePercent = z.number().min(0).max(1000).refine(
  (rate) => Math.abs(rate * 100 - Math.round(rate * 100)) < 1e-9,
  { error: "must have at most two decimals" },
);

/** Adds an issue for each value that an earlier element of `items` has already. */
export function refuseRepeats<T>(
  items: readonly T[],
  { ctx, path, of }: {
    ctx: z.RefinementCtx;
    path: PropertyKey[];
    of: (item: T) => string | undefined;
  },
): void {
  const first = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const key = of(item);
    if (key === undefined) continue;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, index);
    else {
      ctx.addIssue({
        code: "custom",
        path: [...path, index],
        input: key,
        message: `must be unique: ${JSON.stringify(key)} is at position ${earlier} already`,
      });
    }
  }
}
