/** Decisions of banks as if they had been told, of applications that are stored for it. */
import { OutcomeStore } from "../../analytics/mod.ts";
import type { TestApp } from "./app.ts";

export interface KnownDecision {
  readonly bank: string;
  readonly probability: number;
  readonly approved: boolean;
  readonly decidedAtMs: number;
}

/** Of the default tenant; all clients give the same answers. */
export async function recordDecisions(
  { stores: { store, connection } }: TestApp,
  decisions: readonly KnownDecision[],
): Promise<void> {
  const outcomes = decisions.map(({ approved, ...decision }, at) => ({
    ...{ ...decision, applicationId: `app_${at}`, tenant: "", bins: Uint8Array.of(1) },
    event: approved ? "approved" as const : "refused" as const,
  }));
  await store.enqueue(
    outcomes.map(({ applicationId: id }) => ({ id, payload: "{}", revision: "1" })),
    1,
  );
  await new OutcomeStore(connection).record(outcomes, 1);
}

/** A bank that takes every second client, and from the 900th of 1,200 on none; an hour from one to the next. */
export function tightening(bank: string, fromMs: number): KnownDecision[] {
  return Array.from({ length: 1200 }, (_, at) => ({
    ...{ bank, probability: 0.5 },
    approved: at < 900 && at % 2 === 0,
    decidedAtMs: fromMs + at * 3_600_000,
  }));
}
