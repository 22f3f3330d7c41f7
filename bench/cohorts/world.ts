/** Simulated clients, one part of whom is approved less than all others, whatever their approval depends on besides. */
import {
  type Column,
  type Condition,
  conditionsOf,
  membersOf,
  type Population,
} from "../../analytics/cohort_search.ts";
import { seeded } from "../change_points/world.ts";

/** How many bins each column has, as the shipped questionnaire gives: answers that are listed, and parts of what is ordered. */
const LISTED = [8, 11, 12, 4, 7, 4, 10, 12, 20] as const;
const ORDERED = [11, 11, 11, 11, 8, 11, 7] as const;
/** Of the bins of a listed column, how uneven they are: a bin has 0.75 of the one before it. */
const FALL = 0.75;
const POINTS = 0.25;
const SHARE = 0.05;
const BASE = 0.55;

export interface World {
  readonly population: Population;
  /** Empty where nothing is planted. */
  readonly planted: readonly Condition[];
  readonly share: number;
}

/** `conditions` describe the planted part, none: nothing is planted. */
export function makeWorld(
  { seed, clients, conditions }: { seed: number; clients: number; conditions: number },
): World {
  const random = seeded(seed);
  const columns = [
    ...LISTED.map((bins) => column({ bins, ordered: false, clients, random })),
    ...ORDERED.map((bins) => column({ bins, ordered: true, clients, random })),
  ];
  const members = Uint32Array.from({ length: clients }, (_, at) => at);
  const planted = conditions === 0 ? [] : plant({ columns, members, conditions, random });
  const hit = new Uint8Array(clients);
  const part = conditions === 0 ? new Uint32Array() : membersOf({ columns, members }, planted);
  for (const member of part) hit[member] = 1;
  const target = Float64Array.from(
    hit,
    (is) => Number(random() < BASE - (is === 1 ? POINTS : 0)),
  );
  return { population: { columns, members, target }, planted, share: part.length / clients };
}

function column(
  { bins, ordered, clients, random }: Omit<Column, "values"> & {
    readonly clients: number;
    readonly random: () => number;
  },
): Column {
  const weights = Array.from(
    { length: bins },
    (_, bin) => ordered ? (bin === 0 ? 0.3 : 1) : FALL ** bin,
  );
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const values = Uint8Array.from({ length: clients }, () => {
    let left = random() * all;
    return Math.max(0, weights.findIndex((weight) => (left -= weight) < 0));
  });
  return { values, bins, ordered };
}

/** Conditions on different columns, drawn until they describe about the wanted share. */
function plant(
  { columns, members, conditions, random }: Omit<Population, "target"> & {
    readonly conditions: number;
    readonly random: () => number;
  },
): readonly Condition[] {
  for (;;) {
    const drawn = Array.from({ length: conditions }, () => Math.floor(random() * columns.length))
      .sort((a, b) => a - b);
    if (new Set(drawn).size < conditions) continue;
    const planted = drawn.flatMap((at) => {
      const each = columns[at];
      const possible = each === undefined ? [] : conditionsOf(each, at);
      return possible[Math.floor(random() * possible.length)] ?? [];
    });
    const share = membersOf({ columns, members }, planted).length / members.length;
    // Each condition leaves somebody out who matters, or it would not describe anything.
    const needed = planted.every((one) => {
      const wider = membersOf({ columns, members }, planted.filter((each) => each !== one));
      return wider.length / members.length > share * 1.3;
    });
    if (needed && Math.abs(share - SHARE) < 0.1 * SHARE) return planted;
  }
}
