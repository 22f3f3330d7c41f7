/**
 * For how many applications a known decision stands. Banks decide on whom they are sent, and who is sent is chosen by the estimate; so
 * the decisions that are known are not those of everyone. Each is weighted by one over the share of applications like it whose decision
 * is known (D. G. Horvitz and D. J. Thompson, Journal of the American Statistical Association 47, 1952), where alike are those with
 * about the same estimate (P. R. Rosenbaum and D. B. Rubin, Journal of the American Statistical Association 79, 1984). Pure.
 *
 * Known limits: what decided besides the estimate on whether a bank was asked, such as the shop's or the client's own choice, is not
 * undone. Where a bank was never asked no weight helps: `unseen` says how many applications lie there.
 */

/** Bins of the estimate, of equal width. */
const BINS = 20;
/** Of the mean weight: more would let few applications speak for all (S. R. Cole and M. A. Hernan, Am. J. Epidemiology 168, 2008). */
export const MOST_WEIGHT = 10;

export interface SelectionReport {
  readonly applications: number;
  /** Those whose decision is known. */
  readonly known: number;
  /** As many of equal weight say as much as the known ones: `sum(w)^2 / sum(w^2)` (L. Kish, Survey Sampling, 1965). */
  readonly effective: number;
  /** Known ones whose weight was cut to `MOST_WEIGHT`. */
  readonly clipped: number;
  /** Applications with an estimate at which no decision is known. */
  readonly unseen: number;
}

/** The selection of one bank. */
export class Selection {
  readonly #applications = new Array<number>(BINS).fill(0);
  readonly #known = new Array<number>(BINS).fill(0);

  /** `probability` is the estimate that was given, in [0, 1]. */
  add(probability: number, isKnown: boolean): void {
    const bin = binOf(probability);
    this.#applications[bin] = (this.#applications[bin] ?? 0) + 1;
    if (isKnown) this.#known[bin] = (this.#known[bin] ?? 0) + 1;
  }

  /** Of a known decision; 1 where every application is as likely to be known. From what was added before. */
  weight(probability: number): number {
    return Math.min(MOST_WEIGHT, this.#unclipped(binOf(probability)));
  }

  report(): SelectionReport {
    const weights = this.#known.map((count, bin) => ({ count, weight: this.#unclipped(bin) }));
    const clipped = ({ weight }: { weight: number }) => Math.min(MOST_WEIGHT, weight);
    const first = sum(weights.map((each) => each.count * clipped(each)));
    const second = sum(weights.map((each) => each.count * clipped(each) ** 2));
    return {
      applications: sum(this.#applications),
      known: sum(this.#known),
      effective: second === 0 ? 0 : first ** 2 / second,
      clipped: sum(weights.map(({ count, weight }) => weight > MOST_WEIGHT ? count : 0)),
      unseen: sum(this.#applications.map((count, bin) => this.#known[bin] === 0 ? count : 0)),
    };
  }

  #unclipped(bin: number): number {
    const share = (this.#known[bin] ?? 0) / Math.max(1, this.#applications[bin] ?? 0);
    const overall = sum(this.#known) / Math.max(1, sum(this.#applications));
    // A decision that was told since the counting is like no other that is known.
    return share === 0 ? 1 : overall / share;
  }
}

function binOf(probability: number): number {
  return Math.min(BINS - 1, Math.floor(probability * BINS));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
