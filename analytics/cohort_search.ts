/**
 * Cohorts that differ from everyone else: conjunctions of at most three conditions on what is known of clients, found by beam search
 * (W. Klösgen, "Explora", 1996; N. Lavrač and others, "Subgroup discovery with CN2-SD", JMLR 5, 2004). Pure.
 *
 * A cohort is judged by z: how far the mean of its `n` values is from that of all `N`, in standard deviations of the mean of `n` values
 * that are drawn from all without return. Weighted relative accuracy, which Lavrač and others use, is z without the root of the size:
 * it takes a wide cohort with little in it for as good as the narrow one inside, and names the wrong one (docs/decisions.md).
 * So many descriptions are looked at that some differ by chance: z must be beyond what the likeliest of all of them reaches by
 * chance with a probability of 5 % (Bonferroni), counted for each number of conditions apart, a third for each. The same sum ranks
 * them, so a condition more must be worth it.
 *
 * Known limits: beam search may miss a cohort none of whose conditions differs by itself; the tail of the normal distribution stands
 * for that of the draw, so cohorts of fewer than `LEAST_MEMBERS` are not looked for.
 */

/** Clients by one thing that is known of them. */
export interface Column {
  /** The bin of each client. */
  readonly values: Uint8Array;
  readonly bins: number;
  /** Whether the bins from 1 on are in an order, so that ranges of them are conditions too. */
  readonly ordered: boolean;
}

/** The clients whose bin in a column is from `from` to `to`, both inclusive. */
export interface Condition {
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

export interface Population {
  readonly columns: readonly Column[];
  /** Of each client, in [0, 1]. */
  readonly target: Float64Array;
  /** Whom it is about: positions in the columns and in the target, rising. */
  readonly members: Uint32Array;
}

export interface SearchOptions {
  /** Whether cohorts below or above the others are looked for. */
  readonly direction: "lower" | "higher";
  /** At most so many are given. */
  readonly limit: number;
  /** Columns that are not looked at. */
  readonly without?: ReadonlySet<number>;
  readonly leastMembers?: number;
  /** So many of the best are gone on with, of each set of columns. */
  readonly keep?: number;
  /** And so many in all. */
  readonly width?: number;
}

export interface FoundCohort {
  /** In the order of their columns. */
  readonly conditions: readonly Condition[];
  readonly members: Uint32Array;
  /** In standard deviations. */
  readonly z: number;
}

export const MOST_CONDITIONS = 3;
export const LEAST_MEMBERS = 30;
const KEEP = 3;
const WIDTH = 60;
/** Fewer clients are never told apart, neither those of a cohort nor those whom one of its conditions leaves out. */
export const SMALL_CELL = 5;
/** The chance that anything is found where nothing differs. */
const LEVEL = 0.05;
/** Cohorts that share so much of what they hold together are one. */
export const ALIKE = 0.5;

interface Candidate {
  readonly conditions: readonly Condition[];
  readonly n: number;
  readonly z: number;
  /** Logarithm of the chance that any description as long as this goes as far. */
  readonly logChance: number;
}

/** The best first, no two alike; each differs even without the clients of those before it. */
export function findCohorts(population: Population, options: SearchOptions): FoundCohort[] {
  const search = new Search(population, options);
  const found: FoundCohort[] = [];
  const named = new Uint8Array(population.target.length);
  for (const candidate of search.candidates()) {
    if (found.length >= options.limit) break;
    if (!search.isBeyondChance(candidate, named)) continue;
    const polished = search.polished(candidate);
    const { conditions, z } = hidesSmallCells(population, polished.conditions)
      ? polished
      : candidate;
    if (!hidesSmallCells(population, conditions)) continue;
    const members = membersOf(population, conditions);
    if (found.some((other) => jaccard(members, other.members) >= ALIKE)) continue;
    found.push({ conditions, members, z });
    for (const member of members) named[member] = 1;
  }
  return found;
}

/** Those of the population whom all conditions hold for. */
export function membersOf(
  { columns, members }: Pick<Population, "columns" | "members">,
  conditions: readonly Condition[],
): Uint32Array {
  let left = members;
  for (const { column, from, to } of conditions) {
    const { values } = columnAt(columns, column);
    const kept = new Uint32Array(left.length);
    let count = 0;
    for (const member of left) {
      const bin = values[member] ?? 0;
      if (bin >= from && bin <= to) kept[count++] = member;
    }
    left = kept.subarray(0, count);
  }
  return left;
}

/**
 * Whether neither the clients whom all conditions hold for nor those whom any one of them leaves out of the others' are so few that
 * they could be known.
 */
export function hidesSmallCells(
  population: Pick<Population, "columns" | "members">,
  conditions: readonly Condition[],
): boolean {
  const { length } = membersOf(population, conditions);
  return length >= SMALL_CELL && conditions.every((one) => {
    const wider = membersOf(population, conditions.filter((each) => each !== one));
    return wider.length - length >= SMALL_CELL;
  });
}

/** What two rising lists share, of what they hold together. */
export function jaccard(one: Uint32Array, other: Uint32Array): number {
  let [at, shared] = [0, 0];
  for (const member of one) {
    while (at < other.length && (other[at] ?? 0) < member) at++;
    if (other[at] === member) shared++;
  }
  return shared / Math.max(1, one.length + other.length - shared);
}

/** Of one column: each answer, and each range of an ordered one that leaves something out. */
export function conditionsOf({ bins, ordered }: Omit<Column, "values">, column: number) {
  const all: Condition[] = [];
  for (let from = 0; from < bins; from++) {
    const last = ordered && from > 0 ? bins - 1 : from;
    for (let to = from; to <= last; to++) {
      if (ordered && from === 1 && to === bins - 1) continue;
      all.push({ column, from, to });
    }
  }
  return all;
}

class Search {
  readonly #population: Population;
  readonly #sign: 1 | -1;
  readonly #options: Required<Pick<SearchOptions, "keep" | "width" | "leastMembers">>;
  readonly #columns: readonly { readonly at: number; readonly conditions: readonly Condition[] }[];
  readonly #mean: number;
  readonly #variance: number;
  /** Logarithms of how many descriptions of 1, 2, 3 conditions there are. */
  readonly #logDescriptions: readonly number[];

  constructor(population: Population, { direction, without, ...options }: SearchOptions) {
    this.#population = population;
    this.#sign = direction === "lower" ? -1 : 1;
    this.#options = { keep: KEEP, width: WIDTH, leastMembers: LEAST_MEMBERS, ...options };
    this.#columns = population.columns.flatMap((column, at) =>
      without?.has(at) ? [] : [{ at, conditions: conditionsOf(column, at) }]
    );
    const values = Float64Array.from(
      population.members,
      (member) => population.target[member] ?? 0,
    );
    this.#mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - this.#mean) ** 2, 0);
    this.#variance = squares / Math.max(1, values.length - 1);
    this.#logDescriptions = descriptions(this.#columns.map(({ conditions }) => conditions.length))
      .map(Math.log);
  }

  /** All that were come to, the best of each set of columns, the least likely by chance first. */
  candidates(): Candidate[] {
    const { keep, width } = this.#options;
    const all: Candidate[] = [];
    let beam: Candidate[] = [{ conditions: [], n: 0, z: 0, logChance: 0 }];
    for (let length = 1; length <= MOST_CONDITIONS; length++) {
      const bySet = new Map<string, Candidate[]>();
      const seen = new Set<string>();
      for (const { conditions } of beam) {
        for (const candidate of this.#refined(conditions)) {
          const set = candidate.conditions.map(({ column }) => column).join();
          const best = bySet.get(set) ?? [];
          if (best.length >= keep && (best.at(-1)?.z ?? 0) >= candidate.z) continue;
          const key = JSON.stringify(candidate.conditions);
          if (seen.has(key)) continue;
          seen.add(key);
          best.push(candidate);
          best.sort((a, b) => b.z - a.z);
          bySet.set(set, best.slice(0, keep));
        }
      }
      const kept = [...bySet.values()].flat().sort((a, b) => b.z - a.z);
      all.push(...kept);
      // Every column is gone on with: what differs little by itself may differ much with another.
      beam = length === 1 ? kept : kept.slice(0, width);
    }
    return all.sort((a, b) => a.logChance - b.logChance);
  }

  /** Whether it differs by more than chance, even without those that are named. */
  isBeyondChance({ conditions, logChance }: Candidate, named: Uint8Array): boolean {
    if (logChance > Math.log(LEVEL)) return false;
    const { target } = this.#population;
    let [n, sum] = [0, 0];
    for (const member of membersOf(this.#population, conditions)) {
      if (named[member] === 1) continue;
      n++;
      sum += target[member] ?? 0;
    }
    return n >= this.#options.leastMembers &&
      this.#judged(conditions, n, sum).logChance <= Math.log(LEVEL);
  }

  /** Each condition in turn replaced by the best of its column, until none is. */
  polished(candidate: Candidate): Candidate {
    let best = candidate;
    for (let moved = true; moved;) {
      moved = false;
      for (const condition of best.conditions) {
        const others = best.conditions.filter((each) => each !== condition);
        for (const other of this.#refined(others, condition.column)) {
          if (other.z <= best.z + 1e-9) continue;
          best = other;
          moved = true;
        }
        if (moved) break;
      }
    }
    return best;
  }

  /** With one condition more, of any column or of one, those that go the wanted way. */
  *#refined(conditions: readonly Condition[], only?: number): Generator<Candidate> {
    const { columns, target } = this.#population;
    const members = membersOf(this.#population, conditions);
    const taken = new Set(conditions.map(({ column }) => column));
    const values = Float64Array.from(members, (member) => target[member] ?? 0);
    for (const { at, conditions: more } of this.#columns) {
      if (taken.has(at) || (only !== undefined && only !== at)) continue;
      const { counts, sums } = upTo(columnAt(columns, at), members, values);
      for (const condition of more) {
        const n = (counts[condition.to + 1] ?? 0) - (counts[condition.from] ?? 0);
        // One that leaves nobody out says nothing.
        if (n < this.#options.leastMembers || n >= members.length) continue;
        const sum = (sums[condition.to + 1] ?? 0) - (sums[condition.from] ?? 0);
        if (this.#sign * (sum - n * this.#mean) <= 0) continue;
        const described = [...conditions, condition].sort((a, b) => a.column - b.column);
        yield this.#judged(described, n, sum);
      }
    }
  }

  #judged(conditions: readonly Condition[], n: number, sum: number): Candidate {
    const all = this.#population.members.length;
    const spread = Math.sqrt(this.#variance * n * (all - n) / all);
    const z = spread > 0 ? this.#sign * (sum - n * this.#mean) / spread : 0;
    const descriptions = this.#logDescriptions[conditions.length - 1] ?? 0;
    return { conditions, n, z, logChance: logTail(z) + descriptions + Math.log(MOST_CONDITIONS) };
  }
}

/** How many clients, and of what sum, lie in the bins before each. */
function upTo({ values, bins }: Column, members: Uint32Array, target: Float64Array) {
  const counts = new Float64Array(bins + 1);
  const sums = new Float64Array(bins + 1);
  for (let at = 0; at < members.length; at++) {
    const bin = (values[members[at] ?? 0] ?? 0) + 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
    sums[bin] = (sums[bin] ?? 0) + (target[at] ?? 0);
  }
  for (let bin = 1; bin <= bins; bin++) {
    counts[bin] = (counts[bin] ?? 0) + (counts[bin - 1] ?? 0);
    sums[bin] = (sums[bin] ?? 0) + (sums[bin - 1] ?? 0);
  }
  return { counts, sums };
}

/** How many descriptions there are of 1, 2, 3 conditions on different columns: the elementary symmetric polynomials. */
export function descriptions(conditions: readonly number[]): number[] {
  const sums = [1, ...new Array<number>(MOST_CONDITIONS).fill(0)];
  for (const count of conditions) {
    for (let length = MOST_CONDITIONS; length > 0; length--) {
      sums[length] = (sums[length] ?? 0) + count * (sums[length - 1] ?? 0);
    }
  }
  return sums.slice(1).map((sum) => Math.max(1, sum));
}

/**
 * At least the logarithm of the chance that a standard normal lies beyond z on either side (R. D. Gordon, Annals of Mathematical
 * Statistics 12, 1941).
 */
function logTail(z: number): number {
  return z <= 0 ? 0 : Math.min(0, Math.log(2 / z) - z * z / 2 - Math.log(2 * Math.PI) / 2);
}

function columnAt(columns: readonly Column[], at: number): Column {
  const column = columns[at];
  if (column === undefined) {
    throw new RangeError(`There is no column ${at}: it must be from 0 to ${columns.length - 1}`);
  }
  return column;
}
