/**
 * Whether policy, products and questionnaire fit together, checked once at start: names that do not exist, rules that can never
 * fire or always do, rules of which one always forbids, products that a rule makes impossible.
 *
 * Known limit: compared values are taken to be independent, so a contradiction that follows only from how two features hang
 * together is not found.
 */
import { type Bank, type Banks, loanGrid, type Product } from "./banks.ts";
import { normalise } from "./normalise.ts";
import { BOUNDS, type Condition, type Policy, type Rule } from "./policy.ts";
import {
  assignments,
  comparisons,
  holds,
  keysOf,
  loanKeys,
  type ValueKind,
  valueKinds,
} from "./policy_values.ts";
import { featureName, type Questionnaire } from "./questionnaire.ts";

/** What the engine can sweep. */
const MAX_AMOUNTS = 1_000_000;

interface Parts {
  readonly policy: Policy;
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
}

/** What is wrong with the policy; a line each, with the path in policy.json. */
export function policyProblems(parts: Parts): string[] {
  const kinds = valueKinds(parts.questionnaire);
  const names = parts.policy.rules.flatMap((rule, index) =>
    nameProblems(rule, { path: `rules.${index}`, kinds, banks: parts.banks })
  );
  return names.length > 0 ? names : [
    ...parts.policy.rules.flatMap((rule, index) => firingProblems(rule, { index, kinds })),
    ...pairProblems(parts.policy.rules, kinds),
    ...productProblems(parts, kinds),
  ];
}

/** What is wrong with the products; a line each, with the path in banks.json. */
export function bankProblems({ questionnaire, banks }: Omit<Parts, "policy">): string[] {
  if (banks.banks.every(({ products }) => products.length === 0)) return [];
  const { amount, term } = loanKeys(questionnaire);
  if (amount === undefined || term === undefined) {
    return [
      "banks: current value has products: must have none where questionnaire.json gives " +
      "no field the role amount, or none the role term",
    ];
  }
  const grid = loanGrid(banks.banks);
  if (grid === undefined) return [];
  const amounts = (grid.max - grid.min) / grid.step + 1;
  return amounts <= MAX_AMOUNTS ? [] : [
    `banks: current value has products with ${amounts} amounts from ${grid.min} to ${grid.max} in ` +
    `steps of ${grid.step}, which all are multiples of: there must be at most ${MAX_AMOUNTS}`,
  ];
}

type Kinds = ReadonlyMap<string, ValueKind>;

function nameProblems(
  { banks: about = [], when }: Rule,
  { path, kinds, banks }: { path: string; kinds: Kinds; banks: Banks },
): string[] {
  const ids = banks.banks.map(({ id }) => id);
  return [
    ...about.filter((id) => !ids.includes(id))
      .map((id) =>
        `${path}.banks: current value is ${id}: must name banks of banks.json: ${ids.join(", ")}`
      ),
    ...comparisons(when).flatMap((comparison) =>
      comparisonProblems(comparison, { path: `${path}.when`, kinds })
    ),
  ];
}

function comparisonProblems(
  comparison: Condition,
  { path, kinds }: { path: string; kinds: Kinds },
): string[] {
  const { value = "", per, is } = comparison;
  const problem = (
    found: string,
    wanted: string,
  ) => [`${path}: current value is ${found}: ${wanted}`];
  const unknown = [value, ...per === undefined ? [] : [per]].find((name) => !kinds.has(name));
  if (unknown !== undefined) {
    return problem(unknown, `must be a field or feature: ${[...kinds.keys()].join(", ")}`);
  }
  const { answers, range } = kinds.get(value) ?? {};
  if (is !== undefined) {
    const strange = is.find((answer) => !answers?.includes(normalise(String(answer))));
    return strange === undefined ? [] : problem(
      JSON.stringify(strange),
      `must be an answer of a category, and ${value} has ` +
        (answers?.map((answer) => JSON.stringify(answer)).join(", ") ?? "none"),
    );
  }
  if (BOUNDS.every((bound) => comparison[bound] === undefined)) return [];
  if (range === undefined) return problem(value, "must be a number where it is compared by bounds");
  const divisor = per === undefined ? undefined : kinds.get(per);
  if (divisor !== undefined && (divisor.range === undefined || divisor.ofLoan)) {
    return problem(`per ${per}`, "must be a number that the loan's amount and term do not change");
  }
  return [];
}

function firingProblems(
  { id, when }: Rule,
  { index, kinds }: { index: number; kinds: Kinds },
): string[] {
  const fires = (missing: boolean) =>
    assignments([when], { kinds, missing }).map((one) => holds(when, { assignment: one, kinds }));
  const problem = (how: string) => [
    `rules.${index}: current value is ${id}: must fire for some clients and not for others, and ${how}`,
  ];
  const answered = fires(false);
  if (answered.length > 0 && answered.every(Boolean)) return problem("fires for every one");
  const all = fires(true);
  return all.length > 0 && !all.some(Boolean) ? problem("never fires") : [];
}

function pairProblems(rules: readonly Rule[], kinds: Kinds): string[] {
  return rules.flatMap((second, at) =>
    rules.slice(0, at).flatMap((first) => {
      if (!meet(first, second)) return [];
      // Rules about different values can only say the same, or forbid every one, where one of them does so alone.
      const keys = keysOf(first.when, kinds);
      if (keys.isDisjointFrom(keysOf(second.when, kinds))) return [];
      const conditions = [first.when, second.when];
      const pairs = assignments(conditions, { kinds, missing: false })
        .map((one) => conditions.map((when) => holds(when, { assignment: one, kinds })));
      if (pairs.length === 0) return [];
      const where = `rules.${at}: current value is ${second.id}:`;
      if (pairs.every(([a, b]) => a === b) && equalWhereMissing(conditions, kinds)) {
        return [`${where} must have another condition than ${first.id}, and both say the same`];
      }
      const forbidding = first.effect === "forbid" && second.effect === "forbid";
      return forbidding && pairs.every(([a, b]) => a || b)
        ? [`${where} must leave a client, and together with ${first.id} it forbids every one`]
        : [];
    })
  );
}

function equalWhereMissing(conditions: readonly Condition[], kinds: Kinds): boolean {
  return assignments(conditions, { kinds, missing: true })
    .every((one) =>
      new Set(conditions.map((when) => holds(when, { assignment: one, kinds }))).size === 1
    );
}

/** Whether two rules are about a bank in common. */
function meet(first: Rule, second: Rule): boolean {
  return first.banks === undefined || second.banks === undefined ||
    first.banks.some((bank) => second.banks?.includes(bank));
}

function productProblems({ policy, questionnaire, banks }: Parts, kinds: Kinds): string[] {
  const forbidding = policy.rules.filter(({ effect }) => effect === "forbid");
  return banks.banks.flatMap((bank) =>
    bank.products.flatMap((product) =>
      forbidding.filter((rule) => concerns(rule, bank))
        .filter((rule) => forbidsAll(rule, { product, questionnaire, kinds }))
        .map(({ id }) =>
          `rules: current value has ${id}: must leave a loan of product ${product.id} of ` +
          `${bank.id}, and forbids every one`
        )
    )
  );
}

function concerns({ banks }: Rule, { id }: Bank): boolean {
  return banks === undefined || banks.includes(id);
}

function forbidsAll(
  { when }: Rule,
  { product, questionnaire, kinds }: {
    product: Product;
    questionnaire: Questionnaire;
    kinds: Kinds;
  },
): boolean {
  const limited = new Map<string, readonly number[] | { min: number; max: number }>();
  for (const field of questionnaire.fields) {
    if (field.role === "amount") limited.set(featureName(field), product.amount);
    if (field.role === "term") limited.set(featureName(field), product.termsMonths);
  }
  // Without a value that the product limits it is a rule that fires for every one, which is looked for elsewhere.
  if (keysOf(when, kinds).isDisjointFrom(limited)) return false;
  const all = assignments([when], { kinds, missing: false, limited });
  return all.length > 0 && all.every((one) => holds(when, { assignment: one, kinds }));
}
