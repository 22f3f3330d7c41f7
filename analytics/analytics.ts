/** What routes and pages ask of what became of applications. */
import type { Banks, Policy, Questionnaire } from "../configs/mod.ts";
import { DAY_MS } from "../scoring/features.ts";
import { filled, longDate } from "../scoring/words.ts";
import { type Change, findChanges, type Judged, REFERENCE } from "./change_points.ts";
import type { FactStore } from "./facts.ts";
import { Fresh } from "./fresh.ts";
import { bankLedger, countsOf } from "./ledger.ts";
import type { Outcome, OutcomeStore } from "./outcomes.ts";
import { overviewOf } from "./overview.ts";
import { type Cohort, cohortTest, type Split, splitsOf } from "./segments.ts";
import { CHANGE_TEXTS } from "./texts.ts";
import type { BankChanges, BankLedger, DowngradedBand, Overview } from "./views.ts";

export interface AnalyticsParts {
  readonly outcomes: OutcomeStore;
  readonly facts: FactStore;
  readonly banks: Banks;
  readonly policy: Policy;
  readonly questionnaire: Questionnaire;
}

/** The latest decisions of each bank that changes and cohorts are looked for in. */
export const WINDOW = 5000;

/** How old what is said of changes and of downgraded bands may be. */
const FRESH_MS = 60_000;

/** Tenants of whom this is kept. */
const MOST_TENANTS = 1000;

/** What routes and pages ask. */
export type ClientAnalytics = Pick<Analytics, keyof Analytics>;

export class Analytics {
  readonly #parts: AnalyticsParts;
  readonly #splits: readonly Split[];
  readonly #changes = new Fresh<BankChanges[]>({ freshMs: FRESH_MS, most: MOST_TENANTS });
  readonly #downgraded = new Map<string, { atMs: number; bands: readonly DowngradedBand[] }>();

  constructor(parts: AnalyticsParts) {
    this.#parts = parts;
    this.#splits = splitsOf(parts.questionnaire);
  }

  /** Resolves, when they are on disk, with how many were not known before. */
  record(outcomes: readonly Outcome[], nowMs: number): Promise<number> {
    return this.#parts.outcomes.record(outcomes, nowMs);
  }

  /** Of every bank, in their order. */
  async ledger(tenant: string): Promise<BankLedger[]> {
    const { outcomes, banks: { banks }, policy: { odds: bands } } = this.#parts;
    const counts = await outcomes.counts(tenant);
    return banks.map((bank) => bankLedger(bank, { counts: counts.get(bank.id) ?? [], bands }));
  }

  /** Of the last `days` days, today with them, as far as the projector has come. */
  async overview(
    tenant: string,
    { days: count, nowMs }: { readonly days: number; readonly nowMs: number },
  ): Promise<Overview> {
    const { facts } = this.#parts;
    const today = Math.floor(nowMs / DAY_MS);
    const range = { from: today - count + 1, to: today };
    const [days, losses] = await Promise.all([
      facts.days(tenant, range),
      facts.losses(tenant, range),
    ]);
    return overviewOf({ days, losses, range }, this.#parts);
  }

  /** The same of one cohort alone, of each bank's latest decisions; `undefined` where there is no such cohort. */
  async cohortLedger(tenant: string, cohort: Cohort): Promise<BankLedger[] | undefined> {
    const { banks: { banks }, policy: { odds: bands } } = this.#parts;
    const isIn = cohortTest(this.#splits, cohort);
    if (isIn === undefined) return undefined;
    const ledgers: BankLedger[] = [];
    for (const bank of banks) {
      const own = (await this.#latest(tenant, bank.id)).filter(({ bins }) => isIn(bins));
      ledgers.push(bankLedger(bank, { counts: countsOf(own), bands }));
    }
    return ledgers;
  }

  /**
   * The bands that come true less often than they say, as they were known when last asked: who asks never waits, and what is older
   * than a minute is looked up for who asks next. None where that has not been done, or cannot be.
   */
  downgraded(tenant: string, nowMs: number): readonly DowngradedBand[] {
    const known = this.#downgraded.get(tenant);
    if (known !== undefined && nowMs - known.atMs < FRESH_MS) return known.bands;
    if (known === undefined && this.#downgraded.size >= MOST_TENANTS) this.#downgraded.clear();
    const looked = { atMs: nowMs, bands: known?.bands ?? [] };
    this.#downgraded.set(tenant, looked);
    this.ledger(tenant).then(
      (banks) => looked.bands = banks.flatMap(downgradedOf),
      // The next minute tries again; the ledger itself tells what is wrong.
      () => {},
    );
    return looked.bands;
  }

  /** When each bank began to decide otherwise, and on whom; of its latest decisions, as of the last minute. */
  changes(tenant: string, nowMs: number): Promise<BankChanges[]> {
    return this.#changes.get(tenant, nowMs, () => this.#findChanges(tenant));
  }

  async #findChanges(tenant: string): Promise<BankChanges[]> {
    const banks: BankChanges[] = [];
    for (const { id, title } of this.#parts.banks.banks) {
      const decisions = await this.#latest(tenant, id);
      banks.push({
        ...{ bank: id, title, decisions: decisions.length },
        watched: Math.max(0, decisions.length - REFERENCE),
        changes: findChanges(decisions).map((change) =>
          changeView(change, { decisions, title, splits: this.#splits })
        ),
      });
    }
    return banks;
  }

  #latest(tenant: string, bank: string): Promise<Judged[]> {
    const splits = this.#splits.length;
    return this.#parts.outcomes.latest({ tenant, bank, splits, limit: WINDOW });
  }
}

function downgradedOf({ bank, bands }: BankLedger): DowngradedBand[] {
  return bands.flatMap(({ band, standing, standingTitle, outcomes, rate }) =>
    standing === band ? [] : [{ bank, band, standing, standingTitle, outcomes, rate }]
  );
}

function changeView(
  { segment, direction, since, found, decisions: count, expected, approved }: Change,
  { decisions, title, splits }: {
    readonly decisions: readonly Judged[];
    readonly title: BankChanges["title"];
    readonly splits: readonly Split[];
  },
): BankChanges["changes"][number] {
  const at = (position: number) => decisions[position]?.decidedAtMs ?? 0;
  const split = segment && splits[segment.split];
  const bin = segment && split?.bins[segment.bin];
  return {
    ...split && bin && {
      cohort: {
        split: split.id,
        bin: bin.id,
        title: filled(CHANGE_TEXTS.cohort, {
          split: split.title,
          bin: bin.title,
        }),
      },
    },
    direction,
    since: new Date(at(since)).toISOString(),
    foundAt: new Date(at(found)).toISOString(),
    ...{ decisions: count, expected, approved },
    text: filled(CHANGE_TEXTS[split && bin ? "onCohort" : "onAll"][direction], {
      bank: title,
      date: longDate(at(since)),
      ...split && bin && { split: split.title, bin: bin.title },
    }),
  };
}
