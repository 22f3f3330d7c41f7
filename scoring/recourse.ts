/**
 * What the client can do besides another loan: for each answer that a person can change, the smallest change of it alone that
 * lifts the lower end of the interval to the target, found by the bank's own model; or the change that helps most.
 *
 * A number is looked for in steps up to a stated factor, a category among its values, a date over the months to come. Each is
 * exact on its steps: the models' sweeps give every one of them.
 *
 * Known limits: one answer at a time, all others as they are, ages and other tenures too; an answer that is missing is not
 * among them.
 */
import type { Field, Policy, Questionnaire } from "../configs/mod.ts";
import { isoDay } from "./dates.ts";
import type { Recourse } from "./decision.ts";
import { DAY_MS, type Features, UNIT_MS, UNKNOWN } from "./features.ts";
import { type Piece, piecesAt } from "./loan_grid.ts";
import type { ModelView, ProbabilityBand, SweepPlan } from "./models.ts";
import { intervalOf } from "./odds.ts";
import { RECOURSE_TEXTS } from "./texts.ts";
import { answerText, filled, longDate, percent } from "./words.ts";

/** One answer that can change, and where the models are asked about it. */
export interface Lever {
  readonly field: Field;
  readonly column: number;
  /** The feature now. */
  readonly now: number;
  readonly ask:
    | { readonly kind: "sweep"; readonly plan: SweepPlan }
    | {
      readonly kind: "rows";
      /** Values of the feature, the nearest first. */
      readonly values: readonly number[];
    };
}

export interface LeversOptions {
  readonly questionnaire: Questionnaire;
  readonly features: Features;
  readonly policy: Policy["recourse"];
}

/** The levers of a client. */
export function leversOf(row: Float32Array, options: LeversOptions): readonly Lever[] {
  return options.questionnaire.fields.flatMap((field, column) => {
    const now = row[column] ?? NaN;
    if (field.change === "immutable" || Number.isNaN(now) || now === UNKNOWN) return [];
    const ask = field.meaning.kind === "category"
      ? categoryValues(field, now)
      : sweepOf(field, { column, now, row, ...options });
    return ask === undefined ? [] : [{ field, column, now, ask }];
  });
}

function categoryValues({ meaning, change }: Field, now: number): Lever["ask"] | undefined {
  if (meaning.kind !== "category") return undefined;
  const values = meaning.values.map((_, code) => code).filter((code) =>
    change === "only_up" ? code > now : change === "only_down" ? code < now : code !== now
  ).sort((a, b) => Math.abs(a - now) - Math.abs(b - now));
  return values.length === 0 ? undefined : { kind: "rows", values };
}

function sweepOf(
  field: Field,
  { column, now, row, features, policy }: LeversOptions & {
    column: number;
    now: number;
    row: Float32Array;
  },
): Lever["ask"] | undefined {
  const grid = gridOf(field, now, policy);
  if (grid === undefined || !(grid.min <= grid.max)) return undefined;
  // Some other column has to stand where a sweep has the term: it keeps its value.
  const still = column === 0 ? 1 : 0;
  return {
    kind: "sweep",
    plan: {
      amountColumn: column,
      termColumn: still,
      terms: [row[still] ?? NaN],
      amounts: grid,
      derived: features.derivedFrom([column]),
    },
  };
}

function gridOf(
  { meaning, change, changeStep: step }: Field,
  now: number,
  { furthest, furthestMonths }: Policy["recourse"],
): SweepPlan["amounts"] | undefined {
  if (meaning.kind === "date") {
    const perMonth = UNIT_MS.months / UNIT_MS[meaning.unit];
    const months = Math.floor(now / perMonth);
    return {
      min: (months + 1) * perMonth,
      max: (months + furthestMonths) * perMonth,
      step: perMonth,
    };
  }
  if (meaning.kind !== "quantity") return undefined;
  const from = change === "only_up" ? now : now / furthest;
  const to = change === "only_down" ? now : now * furthest;
  return {
    min: Math.max(Math.ceil(from / step) * step, meaning.range.min),
    max: Math.min(Math.floor(to / step) * step, meaning.range.max),
    step,
  };
}

export interface RecourseSearch {
  readonly levers: readonly Lever[];
  /** The bank's answer to the inspection that asked about the levers. */
  readonly view: ModelView;
  /** By lever: where in the inspection's rows, or in its sweeps, its answer stands. */
  readonly places: readonly number[];
  readonly band: ProbabilityBand;
  readonly policy: Policy;
  /** When the application was made. */
  readonly asOfMs: number;
}

/** What helps at one bank, what reaches the target first, then what helps more. */
export function findRecourse(search: RecourseSearch): readonly Recourse[] {
  const before = search.view.probabilities[0] ?? NaN;
  const { recourse: { leastGain }, reasons: { most } } = search.policy;
  return search.levers.flatMap((lever, index) => {
    const step = nearestStep(lever, search.places[index] ?? 0, search);
    if (step === undefined || !(step.probability - before >= leastGain)) return [];
    return [recourseOf(lever, step, { ...search, before })];
  }).sort((a, b) =>
    Number(b.reachesTarget) - Number(a.reachesTarget) || b.probability - a.probability
  ).slice(0, most);
}

interface Step {
  readonly to: number;
  readonly probability: number;
}

/** The nearest value that reaches the target, else the nearest of those with the greatest probability. */
function nearestStep(
  lever: Lever,
  place: number,
  { view, band, policy: { target } }: RecourseSearch,
): Step | undefined {
  const steps = stepsOf(lever, place, view);
  const reaching = steps.find(({ probability }) => intervalOf(probability, band).low >= target);
  return reaching ?? steps.reduce<Step | undefined>(
    (best, step) => best !== undefined && best.probability >= step.probability ? best : step,
    undefined,
  );
}

/** The values that matter, the nearest to the client's first: of each piece of a sweep its nearest end. */
function stepsOf({ ask, now }: Lever, place: number, view: ModelView): readonly Step[] {
  if (ask.kind === "rows") {
    return ask.values.map((to, index) => ({
      to,
      probability: view.probabilities[place + index] ?? NaN,
    }));
  }
  const lists = view.sweeps[place];
  if (lists === undefined) return [];
  const { amounts: grid } = ask.plan;
  return piecesAt(lists, { term: 0, grid }).map((piece) => ({
    to: nearestOf(piece, now),
    probability: piece.probability,
  })).filter(({ to }) => to !== now).sort((a, b) => Math.abs(a.to - now) - Math.abs(b.to - now));
}

/** The end of a piece that is nearest; the value now where the piece holds it, for that changes nothing. */
function nearestOf({ from, to }: Piece, now: number): number {
  return from >= now ? from : Math.min(to, now);
}

function recourseOf(
  { field, now }: Lever,
  { to, probability }: Step,
  { band, policy, asOfMs, before }: RecourseSearch & { before: number },
): Recourse {
  const interval = intervalOf(probability, band);
  const told = {
    label: field.label,
    value: answerText(field, { feature: to, answer: null }),
    now: answerText(field, { feature: now, answer: null }),
    before: percent(before),
    after: percent(probability),
  };
  const common = {
    field: field.id,
    reachesTarget: interval.low >= policy.target,
    probability,
    interval,
  };
  if (field.meaning.kind === "date") {
    const onMs = startOfNextDay(asOfMs + (to - now) * UNIT_MS[field.meaning.unit]);
    return {
      ...common,
      code: `${field.id}.wait`,
      to,
      from: isoDay(onMs),
      text: filled(RECOURSE_TEXTS.wait, { ...told, date: longDate(onMs) }),
    };
  }
  return {
    ...common,
    code: `${field.id}.change`,
    to: answerOf(field, to),
    text: filled(RECOURSE_TEXTS.change, told),
  };
}

/** A feature as the answer that gives it. */
export function answerOf({ meaning }: Field, feature: number): string | number {
  return meaning.kind === "category" ? meaning.values[feature]?.value ?? feature : feature;
}

/** The first midnight, in UTC, from this time on. */
function startOfNextDay(atMs: number): number {
  return Math.ceil(atMs / DAY_MS) * DAY_MS;
}
