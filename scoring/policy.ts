/**
 * The rules of policy.json, ready to be asked: about a client and the loan as asked for, and about every loan of a bank.
 *
 * Over the amounts at one term each compared value rises or falls, so a comparison changes at most once: it is found by
 * bisection, and whole ranges of amounts are allowed or forbidden without a look at each.
 *
 * A comparison with a value that is missing does not hold. A rule that speaks of `payment` is asked only about loans of a
 * product, for only these have one.
 */
import {
  BOUNDS,
  type Condition,
  featureName,
  normalise,
  PAYMENT,
  type Questionnaire,
  type Rule,
} from "../configs/mod.ts";
import type { Features } from "./features.ts";

/** What a rule is asked about: a row of features, and the monthly payment in units of the currency where there is a loan. */
export interface Asked {
  readonly row: Float32Array;
  readonly payment: number;
}

type Test = (asked: Asked) => boolean;

interface Compiled {
  readonly test: Test;
  /** The comparisons that depend on the loan, each of which changes at most once over the amounts. */
  readonly loanTests: readonly Test[];
  readonly usesPayment: boolean;
}

export interface CompiledRule extends Compiled {
  readonly rule: Rule;
}

interface Known {
  /** Column of a field or feature. */
  readonly columns: ReadonlyMap<string, number>;
  /** Codes of a category's answers, by column. */
  readonly codes: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Columns that the amount or the term can change. */
  readonly loanColumns: ReadonlySet<number>;
}

export function compileRules(
  rules: readonly Rule[],
  { questionnaire, features, loanColumns }: {
    questionnaire: Questionnaire;
    features: Features;
    loanColumns: readonly number[];
  },
): readonly CompiledRule[] {
  const known = {
    columns: new Map([
      ...features.names.map((name, column) => [name, column] as const),
      ...questionnaire.fields.map((field) =>
        [field.id, features.names.indexOf(featureName(field))] as const
      ),
    ]),
    codes: new Map(
      questionnaire.fields.flatMap(({ meaning }, column) =>
        meaning.kind === "category"
          ? [[
            column,
            new Map(meaning.values.map(({ value }, code) => [normalise(String(value)), code])),
          ]]
          : []
      ),
    ),
    loanColumns: new Set([
      ...loanColumns,
      ...features.derivedFrom(loanColumns).map(({ column }) => column),
    ]),
  };
  return rules.map((rule) => ({ rule, ...compile(rule.when, known) }));
}

/** Whether a rule is about this bank. */
export function concerns({ rule: { banks } }: CompiledRule, bank: string): boolean {
  return banks === undefined || banks.includes(bank);
}

/** Whether an application with these features meets a rule; one about a product's payment is not asked here. */
export function firesOn({ usesPayment, test }: CompiledRule, row: Float32Array): boolean {
  return !usesPayment && test({ row, payment: NaN });
}

/** Whether a rule speaks against applying anywhere. */
export function speaksAgainst({ rule: { effect, banks } }: CompiledRule): boolean {
  return effect !== "warn" && banks === undefined;
}

/**
 * The ranges of amounts, as indices from 0 to `count - 1`, that none of the rules meets. `at` gives what is asked at an index;
 * the term is the same for all.
 */
export function allowedRanges(
  rules: readonly CompiledRule[],
  { count, at }: { count: number; at: (index: number) => Asked },
): readonly (readonly [from: number, to: number])[] {
  const starts = new Set([0]);
  for (const test of rules.flatMap(({ loanTests }) => loanTests)) {
    const change = changePoint((index) => test(at(index)), count);
    if (change < count) starts.add(change);
  }
  const rising = [...starts].sort((a, b) => a - b);
  return rising.flatMap((from, index) => {
    const to = (rising[index + 1] ?? count) - 1;
    const asked = at(from);
    return rules.some(({ test }) => test(asked)) ? [] : [[from, to] as const];
  });
}

/** The first index whose answer differs from that of index 0, or `count`; it changes at most once. */
function changePoint(test: (index: number) => boolean, count: number): number {
  const first = test(0);
  if (test(count - 1) === first) return count;
  let [same, other] = [0, count - 1];
  while (other - same > 1) {
    const middle = (same + other) >> 1;
    if (test(middle) === first) same = middle;
    else other = middle;
  }
  return other;
}

function compile(condition: Condition, known: Known): Compiled {
  const { all, any, not, value } = condition;
  if (all !== undefined) {
    const parts = all.map((part) => compile(part, known));
    return joined(parts, (asked) => parts.every(({ test }) => test(asked)));
  }
  if (any !== undefined) {
    const parts = any.map((part) => compile(part, known));
    return joined(parts, (asked) => parts.some(({ test }) => test(asked)));
  }
  if (not !== undefined) {
    const part = compile(not, known);
    return joined([part], (asked) => !part.test(asked));
  }
  return compileComparison({ ...condition, value: value ?? "" }, known);
}

function joined(parts: readonly Compiled[], test: Test): Compiled {
  return {
    test,
    loanTests: parts.flatMap(({ loanTests }) => loanTests),
    usesPayment: parts.some(({ usesPayment }) => usesPayment),
  };
}

function compileComparison(
  { value, per, is, missing, ...bounds }: Condition & { value: string },
  { columns, codes, loanColumns }: Known,
): Compiled {
  const column = columns.get(value) ?? -1;
  const read = readerOf(value, column);
  const usesPayment = value === PAYMENT;
  const onLoan = usesPayment || loanColumns.has(column);
  const done = (tests: readonly Test[]): Compiled => ({
    test: (asked) => tests.every((test) => test(asked)),
    loanTests: onLoan ? tests : [],
    usesPayment,
  });
  if (missing) return done([(asked) => Number.isNaN(read(asked))]);
  if (is !== undefined) {
    const wanted = new Set(is.map((answer) => codes.get(column)?.get(normalise(String(answer)))));
    return done([(asked) => wanted.has(read(asked))]);
  }
  const divisor = per === undefined ? () => 1 : readerOf(per, columns.get(per) ?? -1);
  const quotient = (asked: Asked) => {
    const by = divisor(asked);
    return by > 0 ? read(asked) / by : NaN;
  };
  return done(BOUNDS.flatMap((bound) => {
    const limit = bounds[bound];
    return limit === undefined
      ? []
      : [(asked: Asked) => COMPARISONS[bound](quotient(asked), limit)];
  }));
}

function readerOf(value: string, column: number): (asked: Asked) => number {
  return value === PAYMENT ? ({ payment }) => payment : ({ row }) => row[column] ?? NaN;
}

const COMPARISONS = {
  above: (value: number, limit: number) => value > limit,
  atLeast: (value: number, limit: number) => value >= limit,
  below: (value: number, limit: number) => value < limit,
  atMost: (value: number, limit: number) => value <= limit,
} as const;
