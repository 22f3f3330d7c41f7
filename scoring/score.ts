/** Applications -> approval probabilities per bank. */
import type { Answers } from "./answers.ts";
import type { Features } from "./features.ts";
import type { Models } from "./models.ts";

export interface Application {
  readonly answers: Answers;
  /** When it was made, in milliseconds since the epoch. */
  readonly atMs: number;
}

export interface Score {
  /** Approval probability in [0, 1] by bank id. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Version of the models that gave it. */
  readonly model: string;
  /** Banks among them whose models are served without evidence of signal; absent where there is none. */
  readonly withoutEvidence?: readonly string[];
  /** Why the other banks have no probability; absent where all have one. */
  readonly failed?: Readonly<Record<string, string>>;
}

export interface ScorerOptions {
  readonly features: Features;
  readonly models: Models;
  /** Bank ids, in the order of the models' columns. */
  readonly banks: readonly string[];
  /** Those of them that are served without evidence of signal. */
  readonly withoutEvidence: readonly string[];
}

export class Scorer {
  readonly #options: ScorerOptions;

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  /** Scores all applications together, in their order. Throws where the models' answer is no probability. */
  async score(applications: readonly Application[]): Promise<readonly Score[]> {
    const { features, models, banks, withoutEvidence } = this.#options;
    const matrix = features.matrix(applications);
    const scores = await models.score(matrix, applications.length);
    return applications.map((_, row) => ({
      probabilities: Object.fromEntries(
        banks.map((bank, column) => [bank, probability(scores[row * banks.length + column], bank)]),
      ),
      model: models.version,
      ...withoutEvidence.length > 0 && { withoutEvidence },
    }));
  }

  /** Scores one application bank by bank: a bank whose model fails is named with the cause, and the others are scored. */
  async scoreApart(application: Application): Promise<Score> {
    const { features, models, banks, withoutEvidence } = this.#options;
    const matrix = features.matrix([application]);
    const inspected = await models.inspect({ matrix, rows: 1, explain: false, sweeps: [] });
    const probabilities: Record<string, number> = {};
    const failed: Record<string, string> = {};
    for (const [column, bank] of banks.entries()) {
      const answer = inspected[column] ?? { failure: "its model gave no answer" };
      try {
        if ("failure" in answer) failed[bank] = answer.failure;
        else probabilities[bank] = probability(answer.view.probabilities[0], bank);
      } catch (error) {
        failed[bank] = error instanceof Error ? error.message : String(error);
      }
    }
    return {
      probabilities,
      model: models.version,
      ...withoutEvidence.length > 0 && { withoutEvidence },
      ...Object.keys(failed).length > 0 && { failed },
    };
  }
}

function probability(value: number | undefined, bank: string): number {
  if (value !== undefined && value >= 0 && value <= 1) return value;
  throw new Error(`the model of ${bank} gave ${value}, must be a probability from 0 to 1`);
}
