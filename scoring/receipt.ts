/**
 * What a decision came from, so that it can be made again and compared: the input, the models, the policy, the contributions.
 *
 * Known limit: what the program itself does is not in the receipt. Where all of that is the same and the decision is not, the
 * verdict is `program_changed`.
 */
import { createHash } from "node:crypto";
import type { Config } from "../configs/mod.ts";
import type { Answers } from "./answers.ts";
import type { Decision } from "./decision.ts";

/** Over the answers that the questionnaire knows, in its order, absent ones as null, and the time of the application. */
export function inputSha256(
  answers: Answers,
  { asOfMs, fields }: { asOfMs: number; fields: readonly { readonly id: string }[] },
): string {
  const given = fields.map(({ id }) => {
    const answer = Object.hasOwn(answers, id) ? answers[id] ?? null : null;
    return typeof answer === "bigint" ? Number(answer) : answer;
  });
  return sha256({ asOfMs, given });
}

/** Over everything in the configuration that a decision depends on. */
export function policySha256(
  { policy, banks, questionnaire }: Pick<Config, "policy" | "banks" | "questionnaire">,
): string {
  const offered = banks.banks.map(({ id, title, products }) => ({ id, title, products }));
  return sha256({ policy, offered, questionnaire });
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value), "utf8").digest("hex");
}

/** What a replay found; several changes may stand together. */
export const REPLAY_VERDICTS = [
  "same",
  "input_changed",
  "model_changed",
  "policy_changed",
  "program_changed",
] as const;
export type ReplayVerdict = typeof REPLAY_VERDICTS[number];

export interface Replay {
  /** `same` alone, or every change that explains a difference. */
  readonly verdicts: readonly ReplayVerdict[];
  /** Whether the two decisions are equal, whatever has changed behind them. */
  readonly sameOutcome: boolean;
  /** Probabilities that differ, by bank; null where a bank has none. */
  readonly probabilities: Readonly<
    Record<string, { readonly was: number | null; readonly is: number | null }>
  >;
}

/** Compares a stored decision with the same application decided again. */
export function replay(stored: Decision, again: Decision): Replay {
  const [was, is] = [stored.receipt, again.receipt];
  const changes: ReplayVerdict[] = [];
  if (was.inputSha256 !== is.inputSha256) changes.push("input_changed");
  if (!equal(was.model, is.model)) changes.push("model_changed");
  if (!equal(was.policy, is.policy)) changes.push("policy_changed");
  const sameOutcome = equal(outcome(stored), outcome(again));
  if (changes.length === 0 && !sameOutcome) changes.push("program_changed");
  const ids = new Set([...stored.banks, ...again.banks].map(({ bank }) => bank));
  const probabilities = [...ids].flatMap((id) => {
    const pair = { was: probabilityOf(stored, id), is: probabilityOf(again, id) };
    return pair.was === pair.is ? [] : [[id, pair] as const];
  });
  return {
    verdicts: changes.length === 0 ? ["same"] : changes,
    sameOutcome,
    probabilities: Object.fromEntries(probabilities),
  };
}

function outcome({ receipt, ...rest }: Decision): unknown {
  return { ...rest, contributions: receipt.contributions };
}

function probabilityOf({ banks }: Decision, id: string): number | null {
  const bank = banks.find(({ bank }) => bank === id);
  return bank?.status === "decided" ? bank.probability : null;
}

/** Whether two values are the same JSON, whatever the order of their keys. */
function equal(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0))
        : inner,
  );
}
