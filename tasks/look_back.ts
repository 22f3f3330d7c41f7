/**
 * A change of the models or of the policy, looked at in the applications of the past: both sides score and judge each of them, and the
 * swap sets say what differs. Goes through the history once, in bounded memory.
 */
import { type Compared, SwapSet, type SwapSetReport } from "../lifecycle/mod.ts";
import type { Features } from "../scoring/features.ts";
import type { Application, Scorer } from "../scoring/score.ts";
import type { Standing } from "../scoring/standing.ts";

/** Applications that are scored together. */
const BATCH = 512;

/** What is compared. */
export interface Side {
  readonly models: string;
  readonly policy: { readonly version: string; readonly sha256: string };
}

export interface BacktestReport {
  readonly applications: number;
  /** Of the first and the last application; absent where there is none. */
  readonly from?: string;
  readonly to?: string;
  readonly before: Side;
  readonly after: Side;
  /** By bank, in the order of banks.json. */
  readonly banks: Readonly<Record<string, SwapSetReport>>;
  /** At any of the banks, by the best chance; without what banks decided, for a client may have applied to several. */
  readonly any: SwapSetReport;
}

/** An application of the past, with what the banks decided as far as that is known. */
export interface Past {
  readonly application: Application;
  /** By bank: whether it approved. */
  readonly decisions?: Readonly<Record<string, boolean>>;
}

/** One of the two that are compared. */
export interface Contender {
  readonly side: Side;
  readonly scorer: Pick<Scorer, "score">;
  readonly standing: Standing;
}

export interface BacktestOptions {
  readonly history: AsyncIterable<Past>;
  readonly banks: readonly string[];
  readonly features: Features;
  readonly before: Contender;
  readonly after: Contender;
}

/** Goes through the history once, a batch at a time. */
export async function lookBack(
  { history, banks, features, before, after }: BacktestOptions,
): Promise<BacktestReport> {
  const swaps = new Map(banks.map((bank) => [bank, new SwapSet()]));
  const any = new SwapSet();
  let [applications, firstMs, lastMs] = [0, Infinity, -Infinity];
  for await (const batch of inBatches(history)) {
    const rows = batch.map(({ application }) => application);
    const was = await before.scorer.score(rows);
    const is = after.scorer === before.scorer ? was : await after.scorer.score(rows);
    for (const [at, { application, decisions = {} }] of batch.entries()) {
      const row = features.matrix([application]);
      const views = {
        before: viewsOf(row, { probabilities: was[at]?.probabilities ?? {}, banks, of: before }),
        after: viewsOf(row, { probabilities: is[at]?.probabilities ?? {}, banks, of: after }),
      };
      const compared = banks.map((bank, index): Compared => ({
        before: views.before[index] ?? NOTHING,
        after: views.after[index] ?? NOTHING,
        ...decisions[bank] !== undefined && { approved: decisions[bank] },
      }));
      for (const [index, bank] of banks.entries()) {
        const one = compared[index];
        if (one !== undefined) swaps.get(bank)?.add(one);
      }
      any.add(atAny(compared));
      applications++;
      firstMs = Math.min(firstMs, application.atMs);
      lastMs = Math.max(lastMs, application.atMs);
    }
  }
  return {
    applications,
    ...applications > 0 && { from: dayOf(firstMs), to: dayOf(lastMs) },
    before: before.side,
    after: after.side,
    banks: Object.fromEntries([...swaps].map(([bank, swap]) => [bank, swap.report()])),
    any: any.report(),
  };
}

const NOTHING = { probability: NaN, advised: false };

function viewsOf(
  row: Float32Array,
  { probabilities, banks, of }: {
    readonly probabilities: Readonly<Record<string, number>>;
    readonly banks: readonly string[];
    readonly of: Contender;
  },
): Compared["before"][] {
  const advised = of.standing(row, probabilities);
  return banks.map((bank, at) => ({
    probability: probabilities[bank] ?? NaN,
    advised: advised[at] ?? false,
  }));
}

/** By the best chance that each side sees where it advises to apply, or else anywhere. */
function atAny(compared: readonly Compared[]): Compared {
  const best = (side: "before" | "after") => {
    const advised = compared.map((one) => one[side]).filter((view) => view.advised);
    const views = advised.length > 0 ? advised : compared.map((one) => one[side]);
    const chances = views.map(({ probability }) => probability).filter((p) => !Number.isNaN(p));
    return {
      probability: chances.length > 0 ? Math.max(...chances) : NaN,
      advised: advised.length > 0,
    };
  };
  return { before: best("before"), after: best("after") };
}

async function* inBatches(history: AsyncIterable<Past>): AsyncGenerator<Past[]> {
  let batch: Past[] = [];
  for await (const past of history) {
    batch.push(past);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
