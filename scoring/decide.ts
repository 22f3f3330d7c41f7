/**
 * One application -> its decision. The models are asked twice: once for all that is to be known of the client, in one call for
 * all banks, and once more for every loan that is about to be offered, as any application would be scored.
 *
 * Pure but for the models: the same application at the same time, with the same models and configuration, gives the same
 * decision. A bank whose model fails is named with the cause, and the others are decided.
 */
import { type Config, loanGrid } from "../configs/mod.ts";
import { type Barrier, barrierAt } from "./barrier.ts";
import {
  curveOf,
  type Draft,
  draftBank,
  type Failure,
  finishBank,
  type Finished,
  type ModelRecord,
  rowsToOffer,
  toScoreAgain,
} from "./bank_decision.ts";
import { type Case, openCase, type Setting, stacked } from "./case.ts";
import type { BankDecision, Curve, Decision, Offer, Receipt } from "./decision.ts";
import type { Features } from "./features.ts";
import type { Models } from "./models.ts";
import { type Candidate, planApplications } from "./plan.ts";
import { compileRules } from "./policy.ts";
import { inputSha256, policySha256 } from "./receipt.ts";
import { firedRules, recommend } from "./recommendation.ts";
import type { Application } from "./score.ts";

export interface DeciderOptions extends Pick<Config, "questionnaire" | "banks" | "policy"> {
  readonly features: Features;
  readonly models: Models;
  /** In the order of the banks. */
  readonly records: readonly ModelRecord[];
  /** The typical value of each feature, NaN where none is known. */
  readonly typical: Float32Array;
}

/** A decision, and each bank's chance over all amounts at the term asked for; no curves where no loan is stated. */
export interface Exploration {
  readonly decision: Decision;
  readonly curves: readonly Curve[];
}

export class Decider {
  readonly #options: DeciderOptions;
  readonly #setting: Setting;
  readonly #policySha256: string;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.#setting = settingOf(options);
    this.#policySha256 = policySha256(options);
  }

  /** Throws where the models cannot be asked at all. */
  async decide(application: Application): Promise<Decision> {
    return (await this.#run(application, { curves: false })).decision;
  }

  async explore(application: Application): Promise<Exploration> {
    return await this.#run(application, { curves: true });
  }

  async #run(application: Application, { curves }: { curves: boolean }): Promise<Exploration> {
    const { models, banks, records } = this.#options;
    const setting = this.#setting;
    const one = openCase(application, { setting, curves });
    const inspected = await models.inspect(one.inspection);
    const drafts = banks.banks.map((bank, index) => {
      const record = records[index];
      if (record === undefined) return { bank, failure: "nothing is known of its model" };
      return draftBank(bank, inspected[index], { one, setting, record });
    });
    const finished = await this.#finish(drafts, one);
    return {
      decision: this.#conclude(finished, { one, drafts }),
      curves: drafts.flatMap((draft) => curveOf(draft, one)),
    };
  }

  /** Scores what is about to be offered as any application is scored. */
  async #finish(drafts: readonly (Draft | Failure)[], one: Case): Promise<Finished[]> {
    const rows = rowsToOffer(drafts, { one, setting: this.#setting });
    const again = rows.length === 0
      ? []
      : await this.#options.models.inspect({ ...stacked(rows), explain: false, sweeps: [] });
    let from = 0;
    return drafts.map((draft, index) => {
      const finished = finishBank(draft, {
        again: again[index],
        from,
        one,
        setting: this.#setting,
      });
      from += toScoreAgain(draft).length;
      return finished;
    });
  }

  #conclude(
    finished: readonly Finished[],
    { one, drafts }: { one: Case; drafts: readonly (Draft | Failure)[] },
  ): Decision {
    const { policy, rules: compiled, currency } = this.#setting;
    const { application: { answers, atMs: asOfMs }, row, levers } = one;
    const banks = finished.map(({ decision }) => decision);
    const loans = drafts.flatMap(({ bank }, index) => {
      const offer = finished[index]?.advised;
      return offer === undefined ? [] : [{ bank, offer }];
    });
    const rules = [...firedRules(compiled, row)];
    const barrier = (bank: string, row: Float32Array) => this.#barrier(bank, row);
    const candidates = this.#applicable(banks, row);
    const { objective } = policy.offers;
    return {
      asOf: new Date(asOfMs).toISOString(),
      ...one.asked && { loan: one.asked },
      ...currency !== undefined && { currency },
      banks,
      ranking: { objective, target: policy.target, banks: rankedBanks(banks, objective) },
      rules,
      recommendation: recommend({
        ...this.#setting,
        answers,
        row,
        asOfMs,
        banks,
        loans,
        levers,
        barrier,
      }),
      plan: planApplications(candidates, policy.planner),
      receipt: this.#receipt(one.application, drafts),
    };
  }

  /** The banks that have an estimate and can be asked for the loan as it is asked for. */
  #applicable(banks: readonly BankDecision[], row: Float32Array): readonly Candidate[] {
    return banks.flatMap((bank, index) => {
      if (bank.status !== "decided" || bank.odds.insufficient !== undefined) return [];
      const { loading = 0 } = this.#options.records[index] ?? {};
      return this.#barrier(bank.bank, row) === undefined
        ? [{ bank: bank.bank, probability: bank.probability, loading }]
        : [];
    });
  }

  #barrier(id: string, row: Float32Array): Barrier | undefined {
    const bank = this.#options.banks.banks.find((bank) => bank.id === id);
    return bank && barrierAt(bank, { row, setting: this.#setting });
  }

  #receipt(
    { answers, atMs: asOfMs }: Application,
    drafts: readonly (Draft | Failure)[],
  ): Receipt {
    const { models, records, policy, questionnaire: { fields } } = this.#options;
    return {
      inputSha256: inputSha256(answers, { asOfMs, fields }),
      asOfMs,
      model: {
        version: models.version,
        onnxSha256: Object.fromEntries(drafts.flatMap(({ bank }, index) => {
          const record = records[index];
          return record === undefined ? [] : [[bank.id, record.onnxSha256]];
        })),
      },
      policy: { version: policy.version, sha256: this.#policySha256 },
      contributions: Object.fromEntries(
        drafts.flatMap((draft) =>
          "view" in draft && draft.view.explained
            ? [[draft.bank.id, [...draft.view.explained.values]]]
            : []
        ),
      ),
    };
  }
}

/** What is the same for every application. */
export function settingOf(
  { questionnaire, banks, policy, features, typical }: Omit<DeciderOptions, "models" | "records">,
): Setting {
  const { fields } = questionnaire;
  const columns = {
    amount: fields.findIndex(({ role }) => role === "amount"),
    term: fields.findIndex(({ role }) => role === "term"),
  };
  const meaning = fields[columns.amount]?.meaning;
  return {
    questionnaire,
    policy,
    features,
    typical,
    columns,
    rules: compileRules(policy.rules, {
      questionnaire,
      features,
      loanColumns: Object.values(columns).filter((column) => column >= 0),
    }),
    grid: loanGrid(banks.banks),
    currency: meaning?.kind === "quantity" ? meaning.unit : undefined,
  };
}

/** Banks with an offer, by their first one; those whose offer a rule speaks of come after the others. */
function rankedBanks(
  banks: readonly BankDecision[],
  objective: Decision["ranking"]["objective"],
): string[] {
  const worth: Record<typeof objective, (offer: Offer) => number> = {
    client_cost: ({ clientCostMinor }) => -clientCostMinor,
    approval: ({ probability }) => probability,
    expected_margin: ({ expectedMarginMinor }) => expectedMarginMinor,
  };
  return banks.flatMap((bank) => {
    const offer = bank.status === "decided" ? bank.offers.found[0] : undefined;
    return offer === undefined ? [] : [{ bank: bank.bank, offer }];
  }).sort((a, b) =>
    a.offer.rules.length - b.offer.rules.length ||
    worth[objective](b.offer) - worth[objective](a.offer)
  ).map(({ bank }) => bank);
}
