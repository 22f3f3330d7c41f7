/**
 * `deno task backtest -- --models 2 --policy policy.json`: what a new version of the models, a new policy, or both would have changed for
 * the applications of the past. At each bank: who would be advised to apply that was not, and who no longer, what is expected of them,
 * and what is known to have become of them. The past are the stored applications, or with `--data` those of a table with the banks'
 * decisions, as `training.json` reads it. Nothing is changed.
 *
 * Known limit: rows of batches are not looked at.
 */
import {
  type BacktestReport,
  type Contender,
  lookBack,
  type Past,
  type Side,
} from "./look_back.ts";
import type { Config } from "../configs/mod.ts";
import { systemClock } from "../clock.ts";
import { type CellName, CELLS, type SwapSetReport } from "../lifecycle/mod.ts";
import { pastApplications, type Period } from "../queue/history.ts";
import { csvRows } from "../scoring/csv.ts";
import { parseDateMs } from "../scoring/dates.ts";
import { Features } from "../scoring/features.ts";
import { decodePayload } from "../scoring/handler.ts";
import { policySha256 } from "../scoring/receipt.ts";
import { standingUnder } from "../scoring/standing.ts";
import { columnId, TableError, TableReader } from "../scoring/table.ts";
import { activeVersion, loadVersion } from "../serving.ts";
import { openStores, type Stores } from "../stores.ts";
import { configuredVersion } from "../versions.ts";
import {
  configFromEnvironment,
  configWithPolicy,
  trainingConfigFromEnvironment,
} from "./config.ts";
import { type Command, main, readOptions, UsageError } from "./main.ts";

/** Throws `UsageError` or `TableError`. */
export const backtest: Command = async (args) => {
  const options = readArguments(args);
  const config = configFromEnvironment();
  const changed = options.policy === undefined ? config : configWithPolicy(options.policy);
  await using resources = new AsyncDisposableStack();
  const stores = options.data === undefined
    ? await openStores(config.service, systemClock.now())
    : undefined;
  resources.defer(() => stores?.store.close());
  const active = stores === undefined
    ? configuredVersion(config)
    : await activeVersion(config, stores);
  const features = new Features(config.questionnaire);
  const scorerOf = async (version: string) => {
    const alone = { ...config, service: { ...config.service, workers: 0 } };
    const loaded = resources.use(await loadVersion(alone, version));
    return (await loaded.scoring()).scorer;
  };
  const contender = (
    models: string,
    { scorer, of }: { scorer: Contender["scorer"]; of: Config },
  ) => ({
    ...{ scorer, standing: standingUnder({ ...of, features }) },
    side: { models, policy: { version: of.policy.version, sha256: policySha256(of) } },
  });
  const scorer = await scorerOf(active);
  const candidate = options.models ?? active;
  const report = await lookBack({
    history: stores === undefined ? tableHistory(options) : storedHistory(stores, options),
    banks: config.banks.banks.map(({ id }) => id),
    features,
    before: contender(active, { scorer, of: config }),
    after: contender(candidate, {
      scorer: candidate === active ? scorer : await scorerOf(candidate),
      of: changed,
    }),
  });
  if (options.out !== undefined) {
    await Deno.writeTextFile(options.out, JSON.stringify(report, null, 2) + "\n");
  }
  for (const line of lines(report)) console.log(line);
};

interface Arguments extends Period {
  readonly models: string | undefined;
  readonly policy: string | undefined;
  readonly data: string | undefined;
  readonly out: string | undefined;
}

function readArguments(args: readonly string[]): Arguments {
  const { values } = readOptions({
    options: {
      models: { type: "string" },
      policy: { type: "string" },
      data: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      out: { type: "string" },
    },
  }, args);
  const { models, policy, data, out } = values;
  if (models === undefined && policy === undefined) {
    throw new UsageError(
      "Cannot backtest nothing: must be given --models VERSION, --policy FILE, or both",
    );
  }
  return {
    ...{ models, policy, data, out },
    fromMs: dateMs("--from", values.from) ?? -Infinity,
    toMs: dateMs("--to", values.to) ?? Infinity,
  };
}

function dateMs(option: string, text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDateMs(text);
  if (text !== undefined && ms === undefined) {
    throw new UsageError(`${option}: current value is ${text}, must be a date such as 2023-12-01`);
  }
  return ms;
}

async function* storedHistory(stores: Stores, period: Period): AsyncGenerator<Past> {
  for await (const { payload, createdAtMs } of pastApplications(stores, period)) {
    yield { application: { answers: decodePayload(payload).answers, atMs: createdAtMs } };
  }
}

/** The rows of a table, each with the date and the decisions that training would read there. */
async function* tableHistory({ data = "", fromMs, toMs }: Arguments): AsyncGenerator<Past> {
  const { questionnaire, training } = trainingConfigFromEnvironment();
  using file = await openTable(data);
  const rows = csvRows(file.readable);
  const header = await rows.next();
  if (header.done) {
    throw new TableError("Cannot read the table: it is empty, and must have a header");
  }
  const table = new TableReader(questionnaire, header.value);
  const ids = header.value.map(columnId);
  const place = (column: string) => ids.indexOf(columnId(column));
  const { columns, approved, denied } = training.decisions;
  const decided = Object.entries(columns).map(([bank, column]) => ({ bank, at: place(column) }));
  const { column: dated, otherwise } = training.appliedAt;
  const datedAt = dated === undefined ? -1 : place(dated);
  let row = 0;
  for await (const cells of rows) {
    const answers = table.answers(cells, ++row);
    const date = datedAt < 0 ? otherwise : cells[datedAt] ?? "";
    const atMs = parseDateMs(date);
    if (atMs === undefined) {
      throw new TableError(
        `Cannot read row ${row}, column ${dated}: current value is ${JSON.stringify(date)}, ` +
          "must be a date such as 2023-12-01",
      );
    }
    if (atMs < fromMs || atMs >= toMs) continue;
    const decisions = decided.flatMap(({ bank, at }): (readonly [string, boolean])[] => {
      const cell = (cells[at] ?? "").trim().toLowerCase();
      if (approved.includes(cell)) return [[bank, true]];
      return denied.includes(cell) ? [[bank, false]] : [];
    });
    yield { application: { answers, atMs }, decisions: Object.fromEntries(decisions) };
  }
}

async function openTable(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    throw new UsageError(
      `--data: cannot read ${path}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

const NAMES: Readonly<Record<CellName, string>> = {
  kept: "advised before and after",
  in: "newly advised",
  out: "no longer advised",
  neither: "not advised",
};

/** The report as people read it. */
export function lines(
  { applications, from, to, before, after, banks, any }: BacktestReport,
): string[] {
  const side = ({ models, policy }: Side) => `models/${models} with policy ${policy.version}`;
  if (applications === 0) return ["there are no applications to look back at"];
  return [
    `${applications} applications, ${from} to ${to}`,
    `${side(before)} -> ${side(after)}`,
    ...Object.entries({ ...banks, "any bank": any }).flatMap(([bank, { cells, brier }]) => [
      "",
      bank,
      ...CELLS.map((name) => cellLine(NAMES[name], cells[name])),
      ...brier
        ? [
          `  Brier score on ${brier.known} known decisions: ` +
          `${brier.before.toFixed(4)} -> ${brier.after.toFixed(4)}`,
        ]
        : [],
    ]),
  ];
}

function cellLine(
  name: string,
  { applications, expected, outcomes: { known, rate } }: SwapSetReport["cells"][CellName],
): string {
  const { before = NaN, after = NaN } = expected;
  return [
    `  ${name}: ${applications}`,
    ...applications > 0 ? [`expected ${before.toFixed(3)} -> ${after.toFixed(3)}`] : [],
    ...rate
      ? [
        `approved ${rate.value.toFixed(3)} (${rate.low.toFixed(3)} to ${rate.high.toFixed(3)}) ` +
        `of ${known} known decisions`,
      ]
      : [],
  ].join("; ");
}

if (import.meta.main) await main(() => backtest(Deno.args));
