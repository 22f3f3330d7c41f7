/** What routes and pages ask of what became of applications. */
import type { Banks, Policy } from "../configs/mod.ts";
import { bankLedger } from "./ledger.ts";
import type { Outcome, OutcomeStore } from "./outcomes.ts";
import type { BankLedger } from "./views.ts";

export interface AnalyticsParts {
  readonly outcomes: OutcomeStore;
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
}
