/**
 * What a rule may compare, and which values each can take: enough to tell at start whether a rule can ever fire, or always
 * does. Values are told apart only where some rule does so: a few represent all.
 */
import { BOUNDS, type Condition, PAYMENT } from "./policy.ts";
import { normalise } from "./normalise.ts";
import { featureName, type Field, type Questionnaire } from "./questionnaire.ts";

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A quantity has a range, a category its answers; a text is neither. */
export interface ValueKind {
  readonly name: string;
  readonly range?: Range;
  /** Answers as they are compared. */
  readonly answers?: readonly string[];
  /** Whether the loan's amount or term changes it. */
  readonly ofLoan: boolean;
}

/** Everything that a rule may name, by name; a field and its feature are one. */
export function valueKinds({ fields, derived }: Questionnaire): ReadonlyMap<string, ValueKind> {
  const kinds = new Map<string, ValueKind>();
  for (const field of fields) {
    const kind = kindOf(field);
    kinds.set(field.id, kind);
    kinds.set(kind.name, kind);
  }
  for (const { feature, operation, of } of derived) {
    const [first, second] = of.map((name) => kinds.get(name));
    const [a, b] = [first?.range ?? UNBOUNDED, second?.range ?? UNBOUNDED];
    const range = operation === "difference"
      ? { min: a.min - b.max, max: a.max - b.min }
      : { min: a.min >= 0 ? 0 : -Infinity, max: Infinity };
    const ofLoan = first?.ofLoan === true || second?.ofLoan === true;
    kinds.set(feature, { name: feature, range, ofLoan });
  }
  kinds.set(PAYMENT, { name: PAYMENT, range: { min: 0, max: Infinity }, ofLoan: true });
  return kinds;
}

const UNBOUNDED: Range = { min: -Infinity, max: Infinity };

function kindOf(field: Field): ValueKind {
  const { meaning, role } = field;
  const base = { name: featureName(field), ofLoan: role !== undefined };
  switch (meaning.kind) {
    case "quantity":
    case "code":
    case "date":
      return { ...base, range: meaning.range };
    case "category":
      return { ...base, answers: meaning.values.map(({ value }) => normalise(String(value))) };
    case "text":
      return base;
  }
}

/** One value of everything that a condition compares, by key; NaN is a missing number, null a missing answer. */
export type Assignment = ReadonlyMap<string, number | string | null>;

/** What a comparison is about: a value, or its quotient by another. */
function keyOf({ value = "", per }: Condition, kinds: ReadonlyMap<string, ValueKind>): string {
  const name = (of: string) => kinds.get(of)?.name ?? of;
  return per === undefined ? name(value) : `${name(value)}/${name(per)}`;
}

export function holds(
  condition: Condition,
  { assignment, kinds }: { assignment: Assignment; kinds: ReadonlyMap<string, ValueKind> },
): boolean {
  const { all, any, not, is, missing } = condition;
  if (all !== undefined) return all.every((part) => holds(part, { assignment, kinds }));
  if (any !== undefined) return any.some((part) => holds(part, { assignment, kinds }));
  if (not !== undefined) return !holds(not, { assignment, kinds });
  const value = assignment.get(keyOf(condition, kinds)) ?? null;
  if (missing) return value === null || Number.isNaN(value);
  if (is !== undefined) return is.some((answer) => normalise(String(answer)) === value);
  const { above, atLeast, below, atMost } = condition;
  return typeof value === "number" && !Number.isNaN(value) &&
    !(above !== undefined && !(value > above)) && !(atLeast !== undefined && !(value >= atLeast)) &&
    !(below !== undefined && !(value < below)) && !(atMost !== undefined && !(value <= atMost));
}

export function comparisons({ all, any, not, ...comparison }: Condition): Condition[] {
  const parts = [...all ?? [], ...any ?? [], ...not ? [not] : []];
  return comparison.value === undefined ? parts.flatMap(comparisons) : [comparison];
}

/** What a condition compares. */
export function keysOf(
  condition: Condition,
  kinds: ReadonlyMap<string, ValueKind>,
): ReadonlySet<string> {
  return new Set(comparisons(condition).map((comparison) => keyOf(comparison, kinds)));
}

/** More than this is not looked through: the rules are then taken to be possible. */
const MAX_ASSIGNMENTS = 100_000;

export interface AssignmentOptions {
  readonly kinds: ReadonlyMap<string, ValueKind>;
  /** Whether answers may be missing that no condition asks about being so. */
  readonly missing: boolean;
  /** Values that stand for the ranges of some keys, such as a product's terms. */
  readonly limited?: ReadonlyMap<string, readonly number[] | Range>;
}

/**
 * Assignments that stand for all: of each compared value its limits, something between them and beyond, and none. Values are
 * taken to be independent of each other, so what holds for all of these holds always. Nothing where there are too many.
 */
export function assignments(
  conditions: readonly Condition[],
  options: AssignmentOptions,
): Assignment[] {
  const byKey = new Map<string, Condition[]>();
  for (const comparison of conditions.flatMap(comparisons)) {
    const key = keyOf(comparison, options.kinds);
    byKey.set(key, [...byKey.get(key) ?? [], comparison]);
  }
  let found: Map<string, number | string | null>[] = [new Map()];
  for (const [key, group] of byKey) {
    const values = representatives(key, group, options);
    if (found.length * values.length > MAX_ASSIGNMENTS) return [];
    found = found.flatMap((some) => values.map((value) => new Map([...some, [key, value]])));
  }
  return found;
}

function representatives(
  key: string,
  group: readonly Condition[],
  { kinds, missing, limited }: AssignmentOptions,
): readonly (number | string | null)[] {
  const none = missing || group.some((one) => one.missing) ? [null] : [];
  const kind = kinds.get(key);
  if (kind?.answers !== undefined) return [...kind.answers, UNKNOWN_ANSWER, ...none];
  const limits = group.flatMap((one) => BOUNDS.flatMap((bound) => one[bound] ?? []));
  const within = limited?.get(key) ?? kind?.range ?? { min: 0, max: Infinity };
  if (!("min" in within)) return [...within, ...none];
  const inside = limits.filter((limit) => limit >= within.min && limit <= within.max);
  const ends = [within.min, within.max].filter(Number.isFinite);
  const known = [...new Set([...inside, ...ends])].sort((a, b) => a - b);
  const first = known[0] ?? 0;
  const last = known.at(-1) ?? 0;
  const between = known.slice(1).map((value, at) => (value + (known[at] ?? 0)) / 2);
  const beyond = [
    ...within.min === -Infinity ? [first - 1] : [],
    ...within.max === Infinity ? [last + 1] : [],
  ];
  return [...known, ...between, ...beyond, ...none];
}

/** An answer that the category does not list. */
const UNKNOWN_ANSWER = " unknown ";

/** The keys of the loan's own fields. */
export function loanKeys({ fields }: Questionnaire) {
  const keyOfRole = (wanted: string) => fields.find(({ role }) => role === wanted)?.id;
  return { amount: keyOfRole("amount"), term: keyOfRole("term") };
}
