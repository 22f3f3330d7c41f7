/**
 * The evidence gate: a bank's model is served only where its training found that the bank's decisions can be predicted better
 * than by chance, or where a person has put on record in banks.json that it is served all the same. What is served under such
 * an override says so in every stored result and in the header `Prescore-No-Evidence`.
 *
 * Known limit: evidence is of the training data; that it still holds is for the monitoring of outcomes to tell.
 */
import { type Banks, ConfigError } from "../configs/mod.ts";

/** What training found out about a bank, as the manifest records it. */
export interface Evidence {
  /** Whether the interval of the AUC lies above chance by the margin. */
  readonly signal: boolean;
  readonly auc: number;
  /** Ends of the 95 % bootstrap interval of the AUC. */
  readonly low: number;
  readonly high: number;
  /** What `low` must exceed. */
  readonly threshold: number;
}

/**
 * The ids of the banks that are served without evidence. `evidenceOf` is by model name; a model without a record was judged
 * by nobody and has none. Throws `ConfigError` where one of them has no override.
 */
export function banksWithoutEvidence(
  { banks }: Banks,
  evidenceOf: ReadonlyMap<string, Evidence | undefined>,
): readonly string[] {
  const without = banks.filter(({ model }) => evidenceOf.get(model)?.signal !== true);
  const refused = without.filter(({ override }) => override === undefined);
  if (refused.length === 0) return without.map(({ id }) => id);
  throw new ConfigError([
    "Cannot serve these banks, for their models must show evidence of signal, or banks.json must record " +
    'an override such as "override": {"who": "...", "why": "...", "when": "2026-01-31"}:',
    ...refused.map(({ id, model }) => `${id}: model ${model}: ${describe(evidenceOf.get(model))}`),
  ].join("\n  "));
}

function describe(evidence: Evidence | undefined): string {
  if (evidence === undefined) return "no evidence is recorded in manifest.json";
  const [auc, low, high] = [evidence.auc, evidence.low, evidence.high].map((x) => x.toFixed(3));
  return `no evidence of signal: AUC ${auc}, 95 % interval ${low} to ${high}, ` +
    `whose lower end must exceed ${evidence.threshold}`;
}
