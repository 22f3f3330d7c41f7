/**
 * The loans to offer: for each bank the least change of the amount, the down payment or the term that lifts the lower end of
 * the probability's interval to the target. Exact over the bank's products: the models' sweeps give the probability of every
 * loan, and along the amounts both the probability and the policy's rules hold in ranges, so the largest amount that will do is
 * found without a look at each.
 *
 * Where the loan asked for does not reach it, another one must also gain enough in probability to be worth the change.
 *
 * An offer never lends more than was asked for. Where a product takes a down payment, what is not lent is paid at once, within
 * the product's bounds; where not, the loan is smaller. A halving of the amount and a doubling of the term count alike.
 * An offer that changes all that a nearer one changes, and more, is left out.
 *
 * Known limit: a loan as asked for that is no loan of a product (another term, an amount between two steps) is offered as the
 * nearest smaller one.
 */
import type { Bank, LoanGrid, Policy, Product } from "../configs/mod.ts";
import { basisPoints, type LoanCost, loanCost, MINOR, monthlyPaymentMinor } from "./annuity.ts";
import type { CHANGES, NoOffer, Offer } from "./decision.ts";
import type { Features } from "./features.ts";
import { type Piece, piecesAt, productAmounts } from "./loan_grid.ts";
import type { PieceLists, ProbabilityBand } from "./models.ts";
import { intervalOf } from "./odds.ts";
import { allowedRanges, type Asked, type CompiledRule, firesOn } from "./policy.ts";
import { OFFER_TEXTS } from "./texts.ts";
import { duration, filled, money } from "./words.ts";

type Change = typeof CHANGES[number];

/** The loan as asked for. */
export interface AskedLoan {
  readonly amount: number;
  readonly term: number;
}

/** A loan of a product. */
export interface Candidate {
  readonly product: Product;
  readonly amount: number;
  readonly term: number;
  readonly probability: number;
  readonly changed: readonly Change[];
  /** How far from the loan asked for. */
  readonly change: number;
  readonly clientCostMinor: number;
  readonly cost: LoanCost;
}

export interface OfferSearch {
  readonly bank: Bank;
  readonly asked: AskedLoan;
  readonly row: Float32Array;
  readonly band: ProbabilityBand;
  /** The probability from which on an offer is worth its change: `worthwhile`. */
  readonly worth: number;
  /** The bank's probabilities over `grid`. */
  readonly lists: PieceLists;
  readonly grid: LoanGrid;
  /** The rules about this bank that forbid. */
  readonly forbidding: readonly CompiledRule[];
  readonly policy: Policy;
  readonly features: Features;
  readonly columns: { readonly amount: number; readonly term: number };
}

/**
 * From which probability on another loan is worth offering: one that gains enough over the loan as asked for; any where that
 * would do itself, and has only to be fitted to products and rules.
 */
export function worthwhile(
  before: number,
  { band, policy: { target, offers } }: Pick<OfferSearch, "band" | "policy">,
): number {
  return intervalOf(before, band).low >= target ? 0 : before + offers.leastGain;
}

export type Found =
  | { readonly candidates: readonly Candidate[] }
  | { readonly none: NoOffer; readonly rules: readonly string[] };

/** The candidates of one bank, the least change first; or why there is none. */
export function findOffers(search: OfferSearch): Found {
  const always = search.forbidding.filter((rule) => forbidsEveryLoan(rule, search.row));
  if (always.length > 0) return { none: "forbidden_by_policy", rules: always.map(idOf) };
  const candidates = searchProducts(search);
  if (candidates.length > 0) {
    return { candidates: leastChanges(candidates).slice(0, search.policy.offers.most) };
  }
  const lendable = search.bank.products.some((product) =>
    productAmounts(product, lendableOf(product, search.asked)) !== undefined
  );
  if (!lendable) return { none: "outside_products", rules: [] };
  const some = (relaxed: Partial<OfferSearch>) =>
    searchProducts({ ...search, ...relaxed }).length > 0;
  if (some({ forbidding: [] })) return { none: "forbidden_by_policy", rules: guilty(search) };
  const none = some({ worth: 0 }) ? "gain_too_small" : "target_out_of_reach";
  return { none, rules: [] };
}

/** The rules that forbid every loan on their own; all of them where it takes several. */
function guilty(search: OfferSearch): readonly string[] {
  const alone = search.forbidding.filter((rule) =>
    searchProducts({ ...search, forbidding: [rule] }).length === 0
  );
  return (alone.length > 0 ? alone : search.forbidding).map(idOf);
}

function idOf({ rule: { id } }: CompiledRule): string {
  return id;
}

/** Whether a rule is about the client alone, and met. */
function forbidsEveryLoan(rule: CompiledRule, row: Float32Array): boolean {
  return rule.loanTests.length === 0 && firesOn(rule, row);
}

/** The nearest of each kind of change, the nearest first, without those that change more than a nearer one. */
function leastChanges(candidates: readonly Candidate[]): readonly Candidate[] {
  const nearest = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const kind = candidate.changed.join();
    const known = nearest.get(kind);
    if (known === undefined || compareChange(candidate, known) < 0) nearest.set(kind, candidate);
  }
  const rising = [...nearest.values()].sort(compareChange);
  return rising.filter(({ changed }, index) =>
    !rising.slice(0, index).some((nearer) => nearer.changed.every((one) => changed.includes(one)))
  );
}

/** By change, then by how many things change, then by what it costs the client; equals stand in the order of the products. */
function compareChange(a: Candidate, b: Candidate): number {
  return a.change - b.change || a.changed.length - b.changed.length ||
    a.clientCostMinor - b.clientCostMinor;
}

/** Changes that differ by less are the same one, computed in two ways. */
const CHANGE_DIGITS = 9;

/** How far a loan is from the one asked for. */
function changeOf({ amount, term }: AskedLoan, asked: AskedLoan): number {
  const change = Math.abs(Math.log(amount / asked.amount)) + Math.abs(Math.log(term / asked.term));
  return Number(change.toFixed(CHANGE_DIGITS));
}

/** For each product and term the loan as asked for where it will do, or the largest smaller amount that does. */
function searchProducts(search: OfferSearch): readonly Candidate[] {
  const { bank, asked, policy } = search;
  return bank.products.flatMap((product) => {
    const amounts = productAmounts(product, lendableOf(product, asked));
    if (amounts === undefined) return [];
    return product.termsMonths.flatMap((term) => {
      const best = largestAmount(product, { ...search, term, amounts });
      return best === undefined ? [] : [candidateOf({ product, term, ...best }, asked, policy)];
    });
  });
}

/** Which part of the loan asked for a product may lend. */
function lendableOf(
  { downPaymentPercent }: Product,
  { amount }: AskedLoan,
): { readonly from: number; readonly to: number } {
  if (downPaymentPercent === undefined) return { from: 0, to: amount };
  const { min, max } = downPaymentPercent;
  return { from: amount * (100 - max) / 100, to: amount * (100 - min) / 100 };
}

interface TermSearch extends OfferSearch {
  readonly term: number;
  readonly amounts: { readonly least: number; readonly most: number };
}

/** The largest amount that will do. */
function largestAmount(
  product: Product,
  search: TermSearch,
): { readonly amount: number; readonly probability: number } | undefined {
  const { lists, grid, band, term, worth, policy: { target }, amounts: { least, most } } = search;
  const reaching = piecesAt(lists, { term: grid.terms.indexOf(term), grid })
    .filter(({ from, to, probability }) =>
      from <= most && to >= least && probability >= worth &&
      intervalOf(probability, band).low >= target
    );
  if (reaching.length === 0) return undefined;
  const allowed = allowedAmounts(product, search);
  for (const piece of reaching.toReversed()) {
    for (const range of allowed.toReversed()) {
      const amount = largestWithin(product, { piece, range });
      if (amount !== undefined) return { amount, probability: piece.probability };
    }
  }
  return undefined;
}

function largestWithin(
  product: Product,
  { piece, range }: { piece: Piece; range: { readonly from: number; readonly to: number } },
): number | undefined {
  const from = Math.max(piece.from, range.from);
  const to = Math.min(piece.to, range.to);
  return productAmounts(product, { from, to })?.most;
}

/** The ranges of the product's amounts at the term that no rule forbids. */
function allowedAmounts(
  product: Product,
  { forbidding, amounts: { least, most }, term, row, features, columns }: TermSearch,
): readonly { readonly from: number; readonly to: number }[] {
  if (forbidding.length === 0) return [{ from: least, to: most }];
  const { step } = product.amount;
  const at = (index: number) =>
    askedLoan({ amount: least + index * step, term }, { product, row, features, columns });
  return allowedRanges(forbidding, { count: Math.round((most - least) / step) + 1, at })
    .map(([from, to]) => ({ from: least + from * step, to: least + to * step }));
}

/** What the policy is asked about a loan of a product. */
export function askedLoan(
  loan: AskedLoan,
  { product, row, features, columns }: Pick<OfferSearch, "row" | "features" | "columns"> & {
    product: Product;
  },
): Asked {
  return {
    row: features.withValues(row, [[columns.amount, loan.amount], [columns.term, loan.term]]),
    payment: monthlyPaymentMinor(loanTerms(loan, product.annualRatePercent)) / MINOR,
  };
}

function loanTerms({ amount, term }: AskedLoan, ratePercent: number) {
  return {
    principalMinor: Math.round(amount * MINOR),
    rateBasisPoints: basisPoints(ratePercent),
    months: term,
  };
}

/** A loan with its distance from the one asked for and what it costs. */
export function candidateOf(
  { product, amount, term, probability }: AskedLoan & { product: Product; probability: number },
  asked: AskedLoan,
  policy: Policy,
): Candidate {
  const cost = loanCost(loanTerms({ amount, term }, product.annualRatePercent));
  const approved = cost.overpaymentMinor + ownMoneyCostMinor(asked.amount - amount, asked, policy);
  const refused = ownMoneyCostMinor(asked.amount, asked, policy);
  const changed: Change[] = [];
  if (amount !== asked.amount) {
    changed.push(product.downPaymentPercent === undefined ? "amount" : "down_payment");
  }
  if (term !== asked.term) changed.push("term");
  return {
    product,
    amount,
    term,
    probability,
    changed,
    change: changeOf({ amount, term }, asked),
    clientCostMinor: Math.round(probability * approved + (1 - probability) * refused),
    cost,
  };
}

/** What the client's own money costs in place of a loan, over the term asked for. */
function ownMoneyCostMinor(amount: number, { term }: AskedLoan, { offers }: Policy): number {
  if (!(amount > 0)) return 0;
  const months = Math.max(1, Math.round(term));
  return loanCost(loanTerms({ amount, term: months }, offers.ownMoneyRatePercent)).overpaymentMinor;
}

/** The offer as it is given, with the probability that the full model gave it. */
export function offerOf(
  { product, amount, term, probability, changed, change, clientCostMinor, cost }: Candidate,
  { asked, band, rules, currency }: {
    asked: AskedLoan;
    band: ProbabilityBand;
    rules: readonly string[];
    currency: string | undefined;
  },
): Offer {
  const downPayment = changed.includes("down_payment")
    ? Math.round((asked.amount - amount) * MINOR) / MINOR
    : 0;
  const text = changed.length === 0
    ? OFFER_TEXTS.asked
    : downPayment > 0
    ? OFFER_TEXTS.downPayment
    : OFFER_TEXTS.amount;
  return {
    product: product.id,
    title: product.title,
    amount,
    term,
    downPayment,
    changed: [...changed],
    change,
    probability,
    interval: intervalOf(probability, band),
    ...cost,
    clientCostMinor,
    expectedMarginMinor: Math.round(probability * amount * product.marginPercent / 100 * MINOR),
    rules: [...rules],
    text: filled(text, {
      amount: money(amount, currency),
      term: duration(term, "months"),
      down: money(downPayment, currency),
      payment: money(cost.monthlyPaymentMinor / MINOR, currency),
      overpayment: money(cost.overpaymentMinor / MINOR, currency),
    }),
  };
}
