/**
 * The application planner: which banks to apply to, and in which order, for the greatest expected value. One bank is asked after
 * the other until one approves; a refusal makes the next bank's approval less likely, as training measured.
 *
 * The dependence is that of the manifest: given a hidden standard normal factor `z` banks decide independently, bank `j` with
 * the chance `normalCdf((a + l z) / sqrt(1 - l^2))`, where `a = normalQuantile(p)` and `l` is its loading; without loadings that
 * is `p`. So the chance that all of a set refuse is one integral over `z`, whose integrand is a product. It is computed by
 * Gauss-Legendre panels, which are cut finer where a loading near 1 or -1 turns a bank's chance sharply: within 1e-9.
 *
 * What is known after refusals is the set that refused. So the best plan is found by dynamic programming over sets, exactly, for
 * up to EXACT_BANKS banks. Known limit: of more the EXACT_BANKS most probable are planned with, which is exact where loadings
 * are equal, and otherwise may leave out an unlikely bank that would stand out only by its loading.
 */
import type { Policy } from "../configs/mod.ts";
import type { Plan, Strategy } from "./decision.ts";
import { normalCdf, normalQuantile } from "./normal.ts";

/** A bank that can be applied to. */
export interface Candidate {
  readonly bank: string;
  /** Of approval, 0 to 1. */
  readonly probability: number;
  /** Weight of the hidden factor, -1 to 1; 0 where the bank decides independently of the others. */
  readonly loading: number;
}

/** Sets of 12 are 4,096. */
export const EXACT_BANKS = 12;

/** Beyond 8 standard deviations lies less than 2e-15 of the factor. */
const FURTHEST = 8;
/** Of the Gauss-Legendre rule with 8 points on [-1, 1] (Abramowitz and Stegun, 25.4.30); the other half mirrors these. */
const POINTS = [
  [0.183434642495649805, 0.362683783378361983],
  [0.525532409916328986, 0.313706645877887287],
  [0.796666477413626740, 0.222381034453374471],
  [0.960289856497536232, 0.101228536290376259],
].flatMap(([at = 0, weight = 0]) => [[-at, weight], [at, weight]] as const);
/** Where a bank's chance turns more sharply than over this much of the factor, its turn gets panels of its own. */
const SHARP = 0.7;
/** Ends of those panels, in widths of the turn from its middle. */
const TURN = [-8, -4, -2, -1, 0, 1, 2, 4, 8];

/** A candidate with its chance of refusal at every node of the factor. */
interface Bank extends Candidate {
  readonly refusal: Float64Array;
}

type Costs = Policy["planner"];

/** Plans for the candidates, of which there may be none. Throws `RangeError` where a number lies outside its range. */
export function planApplications(candidates: readonly Candidate[], costs: Costs): Plan {
  checkRanges(candidates);
  const table = new RefusalTable(candidates);
  const independent = new RefusalTable(candidates.map((one) => ({ ...one, loading: 0 })));
  const strategy = (order: readonly string[]) => inTurn(table.banksOf(order), { table, costs });
  const likeliest = byProbability(table.banks).slice(0, 1).map(({ bank }) => bank);
  return {
    ...strategy(bestOrder(table, costs)),
    comparisons: {
      bestSingle: strategy(likeliest),
      allAtOnce: atOnce(table, costs),
      independent: strategy(bestOrder(independent, costs)),
    },
  };
}

function checkRanges(candidates: readonly Candidate[]): void {
  for (const { bank, probability, loading } of candidates) {
    const wrong = `Cannot plan with ${bank}:`;
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`${wrong} its probability is ${probability}, must be from 0 to 1`);
    }
    if (!(loading >= -1 && loading <= 1)) {
      throw new RangeError(`${wrong} its loading is ${loading}, must be from -1 to 1`);
    }
  }
}

/** The chance that sets of banks refuse together. */
class RefusalTable {
  readonly banks: readonly Bank[];
  /** Of the nodes of the factor. They add up to 1. */
  readonly weights: Float64Array;

  constructor(candidates: readonly Candidate[]) {
    const nodes = factorNodes(candidates);
    this.weights = Float64Array.from(nodes, ({ weight }) => weight);
    this.banks = candidates.map((one) => {
      const refusal = refusalOf(one);
      return { ...one, refusal: Float64Array.from(nodes, ({ at }) => refusal(at)) };
    });
  }

  banksOf(ids: readonly string[]): readonly Bank[] {
    return ids.flatMap((id) => this.banks.filter(({ bank }) => bank === id));
  }

  /** The chance that all the banks refuse; 1 of none. */
  allRefuse(banks: readonly Bank[]): number {
    return banks.length === 0 ? 1 : total(banks.reduce(alsoRefuses, this.weights));
  }
}

/** The products with one more bank among those that refuse. Plain loops: `map` takes several times as long. */
function alsoRefuses(products: Float64Array, { refusal }: Bank): Float64Array {
  const together = new Float64Array(products.length);
  for (let node = 0; node < together.length; node++) {
    together[node] = (products[node] ?? 0) * (refusal[node] ?? 0);
  }
  return together;
}

function total(products: Float64Array): number {
  let sum = 0;
  for (let node = 0; node < products.length; node++) sum += products[node] ?? 0;
  return sum;
}

/** The chance of refusal by the factor. */
function refusalOf({ probability, loading }: Candidate): (factor: number) => number {
  if (loading === 0) return () => 1 - probability;
  const own = Math.sqrt(1 - loading * loading);
  const margin = normalQuantile(probability);
  return (factor) => normalCdf(-(margin + loading * factor) / own);
}

/** Nodes of the factor, with weights that add up to 1; any one will do where no bank minds the factor. */
function factorNodes(candidates: readonly Candidate[]) {
  if (candidates.every(({ loading }) => loading === 0)) return [{ at: 0, weight: 1 }];
  const ends = panelEnds(candidates);
  const nodes = ends.slice(1).flatMap((end, panel) => {
    const begin = ends[panel] ?? end;
    const half = (end - begin) / 2;
    return POINTS.map(([point, weight]) => {
      const at = begin + half * (1 + point);
      return { at, weight: half * weight * Math.exp(-at * at / 2) };
    });
  });
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  return nodes.map(({ at, weight }) => ({ at, weight: weight / total }));
}

function panelEnds(candidates: readonly Candidate[]): readonly number[] {
  const whole = Array.from({ length: 2 * FURTHEST + 1 }, (_, at) => at - FURTHEST);
  const turns = candidates.flatMap(({ probability, loading }) => {
    const width = Math.sqrt(1 - loading * loading) / Math.abs(loading);
    if (!(width < SHARP)) return [];
    const middle = -normalQuantile(probability) / loading;
    return TURN.map((widths) => middle + widths * width);
  });
  const inside = turns.filter((end) => Math.abs(end) < FURTHEST);
  return [...new Set([...whole, ...inside])].sort((a, b) => a - b);
}

/** The likeliest first; equal ones in the order given. */
function byProbability(banks: readonly Bank[]): readonly Bank[] {
  return banks.toSorted((a, b) => b.probability - a.probability);
}

/** What applying to the banks one after the other, until one approves, comes to. */
function inTurn(
  banks: readonly Bank[],
  { table, costs }: { table: RefusalTable; costs: Costs },
): Strategy {
  const refusals = banks.map((_, tried) => table.allRefuse(banks.slice(0, tried)));
  const expectedInquiries = refusals.reduce((sum, chance) => sum + chance, 0);
  return strategyOf(banks, { refusal: table.allRefuse(banks), expectedInquiries, costs });
}

/** What applying to all banks at the same time comes to. */
function atOnce(table: RefusalTable, costs: Costs): Strategy {
  const refusal = table.allRefuse(table.banks);
  const expectedInquiries = table.banks.length;
  return strategyOf(byProbability(table.banks), { refusal, expectedInquiries, costs });
}

function strategyOf(
  banks: readonly Bank[],
  { refusal, expectedInquiries, costs }: {
    refusal: number;
    expectedInquiries: number;
    costs: Costs;
  },
): Strategy {
  // Weights and products are rounded, so that a certain refusal may exceed 1 in the last digit.
  const probabilityOfAny = Math.min(1, Math.max(0, 1 - refusal));
  return {
    banks: banks.map(({ bank }) => bank),
    probabilityOfAny,
    expectedInquiries,
    expectedValue: costs.approvalValue * probabilityOfAny - costs.inquiryCost * expectedInquiries,
  };
}

/** What is best to do once a set of banks has refused. */
interface Step {
  /** The chance that it comes to this. */
  readonly refusal: number;
  /** Expected value of what is still to do, counted from the very beginning. */
  readonly gain: number;
  /** Ids of the banks still to ask, in order. */
  readonly order: readonly string[];
}

/** The ids of the best banks in the best order: dynamic programming over the sets that may have refused. */
function bestOrder(
  table: RefusalTable,
  { mostBanks, approvalValue, inquiryCost }: Costs,
): readonly string[] {
  const banks = byProbability(table.banks).slice(0, EXACT_BANKS);
  const steps = new Map<number, Step>();

  const best = (refused: number, products: Float64Array, left: number): Step => {
    const refusal = total(products);
    let found: Step = { refusal, gain: 0, order: [] };
    for (const [at, bank] of left > 0 ? banks.entries() : []) {
      const set = refused | (1 << at);
      if (set === refused) continue;
      const then = steps.get(set) ?? best(set, alsoRefuses(products, bank), left - 1);
      const gain = approvalValue * (refusal - then.refusal) - inquiryCost * refusal + then.gain;
      if (gain > found.gain) found = { refusal, gain, order: [bank.bank, ...then.order] };
    }
    steps.set(refused, found);
    return found;
  };
  return best(0, table.weights, mostBanks).order;
}
