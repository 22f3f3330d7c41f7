/**
 * What decisions are worth where the truth is known: clients of simulated lenders follow them, and the lenders' own policies
 * say what came of it.
 *
 *     deno task bench-decisions [--python PYTHON] [--refused 5000] [--seed 2]
 *
 * PYTHON has the package of training/. It draws clients that no model has met and judges; this program decides, exactly as the
 * service does. The two meet in files. The result goes to bench/results/decisions.json, its summary to standard output.
 *
 * Known limit: the simulated lenders keep to their policies, nobody bends the truth, and a lender does not mind which of its
 * products is asked for.
 */
import { parseArgs } from "node:util";
import type { Config } from "../../configs/mod.ts";
import { parseDateMs } from "../../scoring/dates.ts";
import type { Decision, Plan } from "../../scoring/decision.ts";
import { planApplications } from "../../scoring/plan.ts";
import { TableReader } from "../../scoring/table.ts";
import { configFromEnvironment } from "../../tasks/config.ts";
import { csvRows } from "../../scoring/csv.ts";
import { readManifest } from "../../wasm/mod.ts";
import { startScoring } from "../../workers.ts";

const HERE = new URL("./", import.meta.url);
const RESULT = new URL("../results/decisions.json", HERE);
const APPLIED_AT = "Applied_at";
/** Of an inquiry, beside the configured one: the dearer, the more it matters when to stop asking. */
const OTHER_COSTS = [1_000, 2_000];

const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    refused: { type: "string", default: "5000" },
    seed: { type: "string", default: "2" },
  },
});

const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
try {
  await python("clients.py", folder, options.refused, options.seed);
  await decideAll(`${folder}/clients.csv`, `${folder}/decisions.ndjson`);
  await python("judge.py", folder, RESULT.pathname);
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** Runs a script beside this one to its end. */
async function python(script: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(options.python, {
    args: [new URL(script, HERE).pathname, ...args],
    env: { PRESCORE_DENO: Deno.execPath() },
  }).spawn().status;
  if (!success) throw new Error(`Cannot go on: ${script} ended with an error; see above`);
}

/** Decides every row of a table as of its own date, one JSON line each. */
async function decideAll(from: string, to: string): Promise<void> {
  const config = configFromEnvironment();
  const plans = await planner(config);
  await using scoring = await startScoring(config);
  const rows = csvRows((await Deno.open(from)).readable);
  const header = (await rows.next()).value ?? [];
  const table = new TableReader(config.questionnaire, header);
  const dateAt = header.indexOf(APPLIED_AT);
  using file = await Deno.create(to);
  const writer = file.writable.getWriter();
  let row = 0;
  const begun = performance.now();
  for await (const cells of rows) {
    const answers = table.answers(cells, ++row);
    const atMs = parseDateMs(cells[dateAt] ?? "") ?? NaN;
    const decision = await scoring.decider.decide({ answers, atMs });
    const line = JSON.stringify({ ...gist(decision), plans: plans(decision) });
    await writer.write(new TextEncoder().encode(`${line}\n`));
  }
  await writer.close();
  console.log(`decided ${row} applications in ${Math.round((performance.now() - begun) / 1e3)} s`);
}

/** Plans for the banks of a decision at each inquiry cost. */
type Plans = (decision: Decision) => Readonly<Record<string, Plan>>;

/** With the loadings and banks that the service plans with. */
async function planner({ policy, banks, modelsFolder }: Config): Promise<Plans> {
  const { dependence } = await readManifest(modelsFolder);
  const loadingOf = new Map(banks.banks.map(({ id, model }) => [
    id,
    dependence?.loadings[model]?.loading ?? 0,
  ]));
  return (decision) => {
    const able = new Set(decision.plan?.comparisons.allAtOnce.banks);
    const candidates = decision.banks.flatMap((one) =>
      one.status === "decided" && able.has(one.bank)
        ? [{
          bank: one.bank,
          probability: one.probability,
          loading: loadingOf.get(one.bank) ?? 0,
        }]
        : []
    );
    const at = (inquiryCost: number) =>
      planApplications(candidates, { ...policy.planner, inquiryCost });
    return Object.fromEntries(
      [policy.planner.inquiryCost, ...OTHER_COSTS].map((cost) => [cost, at(cost)]),
    );
  };
}

/** What is judged of a decision. */
function gist({ banks, ranking }: Decision) {
  return {
    banks: banks.flatMap((one) => {
      if (one.status === "failed") throw new Error(`Cannot judge ${one.bank}: ${one.cause}`);
      const { bank, probability, interval, odds, explanation, offers } = one;
      const reasons = [...explanation?.for ?? [], ...explanation?.against ?? []]
        .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
        .map(({ field }) => field);
      return {
        bank,
        probability,
        low: interval?.low,
        insufficient: odds.insufficient,
        reasons,
        none: offers.none?.code,
        offers: offers.found.map(({ amount, term, changed, probability }) => ({
          amount,
          term,
          changed,
          probability,
        })),
      };
    }),
    ranking: ranking.banks,
  };
}
