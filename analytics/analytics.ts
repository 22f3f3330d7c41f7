/** What routes and pages ask of what became of applications. */
import type { Banks, Policy, Questionnaire } from "../configs/mod.ts";
import { DAY_MS } from "./fact.ts";
import type { FactStore } from "./facts.ts";
import { bankLedger } from "./ledger.ts";
import type { Outcome, OutcomeStore } from "./outcomes.ts";
import { overviewOf } from "./overview.ts";
import type { BankLedger, Overview } from "./views.ts";

export interface AnalyticsParts {
  readonly outcomes: OutcomeStore;
  readonly facts: FactStore;
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
  readonly policy: Policy;
}

export class Analytics {
  readonly #parts: AnalyticsParts;

  constructor(parts: AnalyticsParts) {
    this.#parts = parts;
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
}
