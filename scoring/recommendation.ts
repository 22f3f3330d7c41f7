/**
 * Whether to apply at all: advice with its causes, the shortest way back that was found, and a day to look again. It never
 * decides anything: who is advised against applying still gets every probability, reason and offer.
 *
 * Against it speak the policy's rules that forbid or advise against the application as it is, at every bank; that no bank can be
 * asked for the loan; and chances that reach a stated least at no bank. A way back is looked for in this order: another loan,
 * one other answer, time. Each is asked of the rules again before it is named.
 *
 * Known limit: a way back of two changes at once is not looked for.
 */
import type { Bank, Policy } from "../configs/mod.ts";
import type { Answers } from "./answers.ts";
import type { Barrier } from "./barrier.ts";
import type {
  BankDecision,
  DecidedBank,
  FiredRule,
  Offer,
  Recommendation,
  WayBack,
} from "./decision.ts";
import { isoDay } from "./dates.ts";
import { DAY_MS, type Features, UNIT_MS } from "./features.ts";
import { type CompiledRule, firesOn, speaksAgainst } from "./policy.ts";
import { answerOf, type Lever } from "./recourse.ts";
import { RECOMMENDATION_TEXTS as TEXTS } from "./texts.ts";
import { answerText, filled, longDate, percent } from "./words.ts";

export interface RecommendationOptions {
  readonly answers: Answers;
  readonly row: Float32Array;
  readonly asOfMs: number;
  readonly banks: readonly BankDecision[];
  /** The nearest loan of each bank that reaches its target and that no rule speaks against. */
  readonly loans: readonly { readonly bank: Bank; readonly offer: Offer }[];
  readonly rules: readonly CompiledRule[];
  readonly levers: readonly Lever[];
  readonly policy: Policy;
  readonly features: Features;
  /** What keeps an application with these features from a bank, by its id. */
  readonly barrier: (bank: string, row: Float32Array) => Barrier | undefined;
}

/** The rules that the application itself meets; those that need a product's payment are asked of offers. */
export function firedRules(
  rules: readonly CompiledRule[],
  row: Float32Array,
): readonly FiredRule[] {
  return rules.filter((rule) => firesOn(rule, row)).map((
    { rule: { id, effect, banks, reason } },
  ) => ({
    id,
    effect,
    ...banks && { banks },
    text: reason,
  }));
}

export function recommend(options: RecommendationOptions): Recommendation {
  const { banks, rules, row, policy, asOfMs, barrier } = options;
  const against = rules.filter(speaksAgainst);
  const open = banks.filter(({ bank }) => barrier(bank, row) === undefined);
  const causes = causesOf(against.filter((rule) => firesOn(rule, row)), { open, ...options });
  const low = chancesCause(options, open);
  if (low !== undefined) causes.push(low);
  if (causes.length === 0) {
    const known = decided(open).some(({ odds }) => odds.insufficient === undefined);
    return {
      recommended: true,
      causes,
      text: known ? TEXTS.recommended : TEXTS.uncertain,
    };
  }
  const search = { against, lowChances: low !== undefined, banks, barrier };
  const wayBack = findWayBack(options, search);
  return {
    recommended: false,
    causes,
    ...wayBack && { wayBack },
    recheckOn: wayBack?.kind === "wait"
      ? wayBack.until
      : isoDay(asOfMs + policy.recommendation.recheckDays * DAY_MS),
    text: TEXTS.notRecommended,
  };
}

/** The rules met that speak against applying anywhere; where no bank is open, also what keeps the client from all of them. */
function causesOf(
  met: readonly CompiledRule[],
  { open, banks, row, barrier }: Pick<RecommendationOptions, "banks" | "row" | "barrier"> & {
    open: readonly BankDecision[];
  },
): Recommendation["causes"] {
  const barring = open.length > 0 ? [] : banks.flatMap(({ bank }) => barrier(bank, row) ?? []);
  const causes = [...new Set([...met, ...barring])].map(({ rule: { id, reason } }) => ({
    code: id,
    text: reason,
  }));
  return open.length > 0 || barring.length > 0
    ? causes
    : [...causes, { code: "outside_products", text: TEXTS.outsideProducts }];
}

function decided(banks: readonly BankDecision[]): readonly DecidedBank[] {
  return banks.filter((bank) => bank.status === "decided");
}

/**
 * That the chance is worth an application at no bank that can be asked, or, where none can, at none at all; or that none
 * answered. Too little data is no cause.
 */
function chancesCause(
  { banks, policy: { recommendation } }: Pick<RecommendationOptions, "banks" | "policy">,
  open: readonly BankDecision[],
) {
  if (decided(banks).length === 0) return { code: "no_estimate", text: TEXTS.noAnswer };
  const known = decided(open.length > 0 ? open : banks)
    .filter(({ odds }) => odds.insufficient === undefined);
  const best = Math.max(
    ...known.map(({ probability, interval }) => interval?.high ?? probability),
  );
  if (known.length === 0 || best >= recommendation.leastProbability) return undefined;
  const least = percent(recommendation.leastProbability);
  return { code: "low_chances", text: filled(TEXTS.lowChances, { least }) };
}

interface Search extends Pick<RecommendationOptions, "barrier"> {
  /** All rules that may speak against applying. */
  readonly against: readonly CompiledRule[];
  readonly lowChances: boolean;
  /** The banks of which one must be open. */
  readonly banks: readonly BankDecision[];
}

function findWayBack(options: RecommendationOptions, search: Search): WayBack | undefined {
  const loan = anotherLoan(options);
  if (loan !== undefined) return loan;
  return search.lowChances ? reachedTarget(options, search) : clearedRules(options, search);
}

/** Whether no rule speaks against applying, and a bank can be asked. */
function clear({ against, banks, barrier }: Search, row: Float32Array): boolean {
  return !against.some((rule) => firesOn(rule, row)) &&
    banks.some(({ bank }) => barrier(bank, row) === undefined);
}

/** The nearest loan that reaches a bank's target and that no rule speaks against. */
function anotherLoan({ loans }: RecommendationOptions): WayBack | undefined {
  const [nearest] = loans.toSorted((a, b) => a.offer.change - b.offer.change);
  return nearest && {
    kind: "loan",
    bank: nearest.bank.id,
    offer: nearest.offer,
    text: filled(TEXTS.loan, { bank: nearest.bank.title, offer: nearest.offer.text }),
  };
}

/** One answer that brings a bank to the target, with no rule against it. */
function reachedTarget(
  { banks, levers, row, features }: RecommendationOptions,
  search: Search,
): WayBack | undefined {
  for (const one of decided(banks)) {
    const { bank, title, recourse } = one;
    const here = { ...search, banks: [one] };
    for (const { field, to, from, reachesTarget, text } of recourse) {
      const lever = levers.find((lever) => lever.field.id === field);
      if (!reachesTarget || lever === undefined) continue;
      const feature = featureOf(lever, to);
      if (!clear(here, features.withValues(row, [[lever.column, feature]]))) continue;
      const told = filled(TEXTS.loan, { bank: title, offer: text });
      return from === undefined
        ? { kind: "answer", bank, field, to, text: told }
        : { kind: "wait", field, until: from, text: told };
    }
  }
  return undefined;
}

function featureOf({ field: { meaning } }: Lever, to: string | number): number {
  if (meaning.kind !== "category") return Number(to);
  return meaning.values.findIndex(({ value }) => value === to);
}

/** The smallest change of one other answer, else some months, after which no rule speaks against the application. */
function clearedRules(options: RecommendationOptions, search: Search): WayBack | undefined {
  const { levers, row, features } = options;
  const clearing = levers.filter(({ field }) => field.meaning.kind !== "date").flatMap((lever) => {
    const feature = valuesOf(lever).find((value) =>
      clear(search, features.withValues(row, [[lever.column, value]]))
    );
    return feature === undefined ? [] : [{ lever, feature, size: sizeOf(lever, feature) }];
  }).sort((a, b) => a.size - b.size);
  const [least] = clearing;
  if (least === undefined) return waited(options, search);
  const { lever: { field, now }, feature } = least;
  return {
    kind: "answer",
    field: field.id,
    to: answerOf(field, feature),
    text: filled(TEXTS.answer, {
      label: field.label,
      value: answerText(field, { feature, answer: null }),
      now: answerText(field, { feature: now, answer: null }),
    }),
  };
}

/** By which factor a quantity changes, in logarithms; a category only where no quantity will do. */
function sizeOf({ field, now }: Lever, feature: number): number {
  return field.meaning.kind === "quantity" ? Math.abs(Math.log(feature / now)) : Infinity;
}

/** The values that a lever may take, the nearest first. */
function valuesOf({ ask, now }: Lever): readonly number[] {
  if (ask.kind === "rows") return ask.values;
  const { min, max, step } = ask.plan.amounts;
  const count = Math.floor((max - min) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => min + index * step)
    .sort((a, b) => Math.abs(a - now) - Math.abs(b - now));
}

/** The first day to come, looked for month by month, on which ages and tenures alone have cleared the rules. */
function waited(
  { answers, asOfMs, features, policy }: RecommendationOptions,
  search: Search,
): WayBack | undefined {
  const clearOn = (atMs: number) => clear(search, features.matrix([{ answers, atMs }]));
  const tomorrowMs = (Math.floor(asOfMs / DAY_MS) + 1) * DAY_MS;
  for (let month = 1; month <= policy.recourse.furthestMonths; month++) {
    const [fromDay, toDay] = [month - 1, month].map((months) =>
      Math.ceil(months * UNIT_MS.months / DAY_MS)
    );
    if (fromDay === undefined || toDay === undefined) continue;
    if (!clearOn(tomorrowMs + toDay * DAY_MS)) continue;
    let day = fromDay;
    while (!clearOn(tomorrowMs + day * DAY_MS)) day++;
    const atMs = tomorrowMs + day * DAY_MS;
    return {
      kind: "wait",
      until: isoDay(atMs),
      text: filled(TEXTS.wait, { date: longDate(atMs) }),
    };
  }
  return undefined;
}
