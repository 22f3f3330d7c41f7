/** The offers of a bank by looking at every single loan of its products: scored by the full model, asked of every rule. */
import type { Bank, Config } from "../../configs/mod.ts";
import { MINOR } from "../../scoring/annuity.ts";
import type { Answers } from "../../scoring/answers.ts";
import { askedLoan, type Candidate, candidateOf } from "../../scoring/offers.ts";
import { intervalOf } from "../../scoring/odds.ts";
import { compileRules } from "../../scoring/policy.ts";
import type { ReadModels } from "./models.ts";

interface Client {
  readonly answers: Answers;
  readonly atMs: number;
}

export interface Cell {
  readonly product: string;
  readonly amount: number;
  readonly term: number;
  readonly probability: number;
}

/** By bank: the loans to offer, the nearest first; and how many loans were looked at. */
export function bruteForceOffers(
  client: Client,
  { config, models }: { config: Config; models: ReadModels },
): { readonly cells: number; readonly offers: ReadonlyMap<string, readonly Cell[]> } {
  const { questionnaire: { fields }, banks, policy } = config;
  const { features, set, bundle } = models;
  const row = features.matrix([client]);
  const columns = {
    amount: fields.findIndex(({ role }) => role === "amount"),
    term: fields.findIndex(({ role }) => role === "term"),
  };
  const before = set.score(row, 1);
  const asked = { amount: row[columns.amount] ?? NaN, term: row[columns.term] ?? NaN };
  const rules = compileRules(policy.rules, {
    questionnaire: config.questionnaire,
    features,
    loanColumns: [columns.amount, columns.term],
  });
  let cells = 0;
  const offersOf = (bank: Bank, index: number): readonly Cell[] => {
    const band = bundle.models[index]?.band;
    if (!(asked.amount > 0 && asked.term > 0) || band === undefined) return [];
    const allowed: Candidate[] = [];
    for (const product of bank.products) {
      const loans = everyLoan(product).filter(({ amount }) => mayLend(product, amount, asked));
      cells += loans.length;
      const matrix = new Float32Array(loans.length * row.length);
      for (const [at, { amount, term }] of loans.entries()) {
        const cell = [[columns.amount, amount], [columns.term, term]] as const;
        matrix.set(features.withValues(row, cell), at * row.length);
      }
      const scores = set.score(matrix, loans.length);
      for (const [at, loan] of loans.entries()) {
        const probability = scores[at * banks.banks.length + index] ?? NaN;
        if (!(intervalOf(probability, band).low >= policy.target)) continue;
        const rowAndPayment = askedLoan(loan, { product, row, features, columns });
        const forbidden = rules.some(({ rule, test }) =>
          rule.effect === "forbid" && (rule.banks?.includes(bank.id) ?? true) &&
          test(rowAndPayment)
        );
        if (forbidden) continue;
        const candidate = candidateOf({ product, ...loan, probability }, asked, policy);
        const asItIs = before[index] ?? NaN;
        const wouldDo = intervalOf(asItIs, band).low >= policy.target;
        if (wouldDo || probability >= asItIs + policy.offers.leastGain) allowed.push(candidate);
      }
    }
    return nearestOfEachKind(allowed).slice(0, policy.offers.most).map((found) => ({
      product: found.product.id,
      amount: found.amount,
      term: found.term,
      probability: found.probability,
    }));
  };
  const offers = new Map(banks.banks.map((bank, index) => [bank.id, offersOf(bank, index)]));
  return { cells, offers };
}

type Product = Bank["products"][number];

function everyLoan({ amount: { min, max, step }, termsMonths }: Product) {
  return termsMonths.flatMap((term) =>
    Array.from({ length: (max - min) / step + 1 }, (_, at) => ({ amount: min + at * step, term }))
  );
}

/** Not more than was asked for, and where there is a down payment a share of it within bounds. */
function mayLend(
  { downPaymentPercent }: Product,
  amount: number,
  asked: { readonly amount: number },
): boolean {
  if (amount > asked.amount) return false;
  if (downPaymentPercent === undefined) return true;
  const down = Math.round((asked.amount - amount) * MINOR);
  const whole = asked.amount * MINOR / 100;
  return down >= downPaymentPercent.min * whole && down <= downPaymentPercent.max * whole;
}

/** A loan is worse than another of its kind that is nearer, or as near and cheaper, and than one that changes less of what it changes. */
function nearestOfEachKind(allowed: readonly Candidate[]): readonly Candidate[] {
  const kinds = Map.groupBy(allowed, ({ changed }) => changed.join());
  const nearest = [...kinds.values()].map((kind) =>
    kind.reduce((best, one) => precedes(one, best) ? one : best)
  );
  return nearest.filter((one) =>
    !nearest.some((other) =>
      other !== one && precedes(other, one) && other.changed.every((it) => one.changed.includes(it))
    )
  ).sort((a, b) => precedes(a, b) ? -1 : 1);
}

function precedes(a: Candidate, b: Candidate): boolean {
  if (a.change !== b.change) return a.change < b.change;
  if (a.changed.length !== b.changed.length) return a.changed.length < b.changed.length;
  return a.clientCostMinor < b.clientCostMinor;
}
