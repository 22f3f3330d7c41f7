/**
 * Where an application stands with each bank under a policy: whether the client would be advised to apply there for the loan as it is
 * asked for. The chance must reach the policy's target, nothing may bar the loan from the bank, and no rule may advise against it.
 * Cheaper than a decision by far: for many applications at once.
 */
import type { Config } from "../configs/mod.ts";
import { barrierAt } from "./barrier.ts";
import { settingOf } from "./decide.ts";
import type { Features } from "./features.ts";
import { concerns, firesOn } from "./policy.ts";

export interface StandingOptions extends Pick<Config, "questionnaire" | "banks" | "policy"> {
  readonly features: Features;
}

/** Tells for each bank, in the order of the banks, whether it is advised. */
export type Standing = (
  row: Float32Array,
  probabilities: Readonly<Record<string, number>>,
) => readonly boolean[];

export function standingUnder(options: StandingOptions): Standing {
  const { banks } = options.banks;
  const typical = new Float32Array(options.features.names.length).fill(NaN);
  const setting = settingOf({ ...options, typical });
  const against = setting.rules.filter(({ rule }) => rule.effect === "do_not_recommend");
  const { target } = options.policy;
  return (row, probabilities) => {
    const fired = against.filter((rule) => firesOn(rule, row));
    return banks.map((bank) =>
      (probabilities[bank.id] ?? 0) >= target &&
      !fired.some((rule) => concerns(rule, bank.id)) &&
      barrierAt(bank, { row, setting }) === undefined
    );
  };
}
