/**
 * What is said of one bank. First a draft from the inspection: the chance, its reasons, the loans to offer; then, when these
 * have been scored again as any application is, the decision with what still reaches the target.
 */
import type { Bank } from "../configs/mod.ts";
import type { Case, Setting } from "./case.ts";
import type { BankDecision, Curve, DecidedBank, NoOffer, Offer, Offers } from "./decision.ts";
import { piecesAt } from "./loan_grid.ts";
import type { Inspected, ModelView, ProbabilityBand } from "./models.ts";
import {
  askedLoan,
  type Candidate,
  findOffers,
  offerOf,
  type OfferSearch,
  worthwhile,
} from "./offers.ts";
import { intervalOf, oddsOf } from "./odds.ts";
import { type CompiledRule, concerns, firesOn, speaksAgainst } from "./policy.ts";
import { explain } from "./reasons.ts";
import { findRecourse } from "./recourse.ts";
import { NO_OFFER_TEXTS } from "./texts.ts";

/** What is known of a bank's model besides its answers. */
export interface ModelRecord {
  readonly onnxSha256: string;
  /** How far its probability may be off; absent where nobody measured it. */
  readonly band?: ProbabilityBand;
  readonly withoutEvidence: boolean;
  /** Weight of the factor behind the decisions of all banks; absent where nobody estimated it. */
  readonly loading?: number;
}

/** A bank before its offers have been scored again. */
export interface Draft {
  readonly bank: Bank;
  readonly view: ModelView;
  readonly decided: Omit<DecidedBank, "offers">;
  readonly candidates: readonly Candidate[];
  /** Why there is no candidate. */
  readonly none: Offers["none"];
  /** The nearest loan that no rule speaks against; the first candidate where none does. */
  readonly advised: readonly Candidate[];
  /** The rules about this bank. */
  readonly rules: readonly CompiledRule[];
  readonly band: ProbabilityBand | undefined;
}

export interface Failure {
  readonly bank: Bank;
  readonly failure: string;
}

interface DraftOptions {
  readonly one: Case;
  readonly setting: Setting;
  readonly record: ModelRecord;
}

/** A bank's draft from what its model answered, or why it has none. */
export function draftBank(
  bank: Bank,
  inspected: Inspected | undefined,
  options: DraftOptions,
): Draft | Failure {
  const answer = soundAnswer(inspected);
  return "failure" in answer ? { bank, ...answer } : draftFrom(bank, answer.view, options);
}

/** An answer whose probabilities are such, or what is wrong with it. */
function soundAnswer(inspected: Inspected | undefined): Inspected {
  if (inspected === undefined) return { failure: "the model gave no answer" };
  if ("failure" in inspected) return inspected;
  const flaw = inspected.view.probabilities.find((value) => !(value >= 0 && value <= 1));
  return flaw === undefined
    ? inspected
    : { failure: `the model gave ${flaw}, must be a probability from 0 to 1` };
}

function draftFrom(bank: Bank, view: ModelView, options: DraftOptions): Draft {
  const { one, setting, record: { band, withoutEvidence } } = options;
  const { policy, questionnaire } = setting;
  const probability = view.probabilities[0] ?? NaN;
  const interval = band && intervalOf(probability, band);
  const answered = questionnaire.fields.filter((_, column) => !Number.isNaN(one.row[column]));
  const odds = oddsOf(probability, {
    interval,
    withoutEvidence,
    answeredShare: answered.length / questionnaire.fields.length,
  }, policy);
  const trusted = odds.insufficient === undefined ? band : undefined;
  const below = interval !== undefined && interval.low < policy.target;
  const { levers, places, application: { answers, atMs: asOfMs } } = one;
  const rules = setting.rules.filter((rule) => concerns(rule, bank.id));
  return {
    bank,
    view,
    band: trusted,
    rules,
    ...searchOffers(bank, { view, rules, band: trusted, ...options }),
    decided: {
      status: "decided",
      bank: bank.id,
      title: bank.title,
      probability,
      ...interval && { interval },
      odds,
      withoutEvidence,
      ...view.explained && {
        explanation: explain(view.explained, { answers, row: one.row }, {
          ...setting,
          policy: policy.reasons,
        }),
      },
      recourse: trusted && below
        ? [...findRecourse({ levers, places, view, band: trusted, policy, asOfMs })]
        : [],
    },
  };
}

/** The loans to offer, or why there is none. */
function searchOffers(
  bank: Bank,
  { one: { asked, lendable, row }, setting, view, rules, band }:
    & Pick<DraftOptions, "one" | "setting">
    & Pick<Draft, "view" | "rules" | "band">,
): Pick<Draft, "candidates" | "none" | "advised"> {
  if (bank.products.length === 0) return noOffer("no_products");
  if (asked === undefined) return noOffer("loan_not_stated");
  if (band === undefined) return noOffer("insufficient_data");
  const lists = lendable && view.sweeps[lendable.sweep];
  if (lendable === undefined || lists === undefined) return noOffer("outside_products");
  const search: OfferSearch = {
    ...setting,
    bank,
    asked,
    row,
    band,
    worth: worthwhile(view.probabilities[0] ?? NaN, { band, policy: setting.policy }),
    lists,
    grid: lendable.grid,
    forbidding: rules.filter(({ rule }) => rule.effect === "forbid"),
  };
  const found = findOffers(search);
  const advised = nearestAdvised(search, rules);
  return "none" in found
    ? { ...noOffer(found.none, found.rules), advised }
    : { candidates: found.candidates, none: undefined, advised };
}

/** Of a loan that a rule speaks against, the nearest other one that none does; it need not gain anything else. */
function nearestAdvised(search: OfferSearch, rules: readonly CompiledRule[]): Candidate[] {
  const against = rules.filter(({ rule }) => rule.effect !== "warn");
  if (!against.some((rule) => speaksAgainst(rule) && firesOn(rule, search.row))) return [];
  const found = findOffers({ ...search, forbidding: against, worth: 0 });
  return "none" in found ? [] : found.candidates.slice(0, 1);
}

function noOffer(code: NoOffer, rules: readonly string[] = []) {
  const none = { code, rules: [...rules], text: NO_OFFER_TEXTS[code] };
  return { candidates: [], advised: [], none };
}

/** The features of every loan that the drafts would offer, in their order. */
export function rowsToOffer(
  drafts: readonly (Draft | Failure)[],
  { one: { row }, setting: { features, columns } }: { one: Case; setting: Setting },
): readonly Float32Array[] {
  return drafts.flatMap(toScoreAgain).map(({ amount, term }) =>
    features.withValues(row, [[columns.amount, amount], [columns.term, term]])
  );
}

/** The loans of a draft that are to be scored again, in their order. */
export function toScoreAgain(draft: Draft | Failure): readonly Candidate[] {
  return "failure" in draft ? [] : [...draft.candidates, ...draft.advised];
}

/** A bank as it is answered, and the loan there that no rule speaks against. */
export interface Finished {
  readonly decision: BankDecision;
  readonly advised: Offer | undefined;
}

/** Ends a draft with the probabilities that the model gave its loans when they were scored again. */
export function finishBank(
  draft: Draft | Failure,
  { again, from, one, setting }: {
    /** Absent where nothing was to be scored. */
    again: Inspected | undefined;
    /** Where the draft's loans begin among the rows. */
    from: number;
    one: Case;
    setting: Setting;
  },
): Finished {
  if ("failure" in draft) return { decision: failed(draft), advised: undefined };
  const loans = toScoreAgain(draft);
  const answer = loans.length === 0 ? { view: draft.view } : soundAnswer(again);
  if ("failure" in answer) {
    return { decision: failed({ bank: draft.bank, ...answer }), advised: undefined };
  }
  const offers = loans.map((candidate, at) => {
    const probability = answer.view.probabilities[from + at] ?? NaN;
    return offered({ ...candidate, probability }, { draft, one, setting });
  });
  const found = offers.slice(0, draft.candidates.length).filter((offer) => offer !== undefined);
  const none = draft.none ?? noOffer("target_out_of_reach").none;
  const ruled = draft.advised.length > 0 || found[0] === undefined || againstIt(found[0], draft);
  return {
    decision: { ...draft.decided, offers: found.length > 0 ? { found } : { found, none } },
    advised: ruled ? offers[draft.candidates.length] : found[0],
  };
}

/** Whether a rule speaks against an offer. */
function againstIt({ rules: ids }: Offer, { rules }: Draft): boolean {
  return rules.some(({ rule: { id, effect } }) => effect !== "warn" && ids.includes(id));
}

function failed({ bank, failure }: Failure): BankDecision {
  return { status: "failed", bank: bank.id, title: bank.title, cause: failure };
}

function offered(
  candidate: Candidate,
  { draft: { band, rules }, one: { asked, row }, setting }: {
    draft: Draft;
    one: Case;
    setting: Setting;
  },
): Offer | undefined {
  if (asked === undefined || band === undefined) return undefined;
  if (!(intervalOf(candidate.probability, band).low >= setting.policy.target)) return undefined;
  const { features, columns, currency } = setting;
  const loan = askedLoan(candidate, { product: candidate.product, row, features, columns });
  return offerOf(candidate, {
    asked,
    band,
    currency,
    rules: rules.filter(({ test }) => test(loan)).map(({ rule }) => rule.id),
  });
}

/** The bank's chance over all amounts, where it was asked for. */
export function curveOf(draft: Draft | Failure, { curves }: Case): Curve[] {
  const lists = curves && "view" in draft ? draft.view.sweeps[curves.sweep] : undefined;
  const term = curves?.grid.terms[0];
  if (curves === undefined || lists === undefined || term === undefined) return [];
  return [{
    bank: draft.bank.id,
    term,
    pieces: [...piecesAt(lists, { term: 0, grid: curves.grid })],
  }];
}
