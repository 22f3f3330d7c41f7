/**
 * `deno task export-training -- --out training.csv`: the table that `deno task train -- --data` reads, of the stored applications whose
 * decision at any bank is known: the answers, the day, each bank's decision, and its weight (`analytics/selection.ts`) where
 * `training.json` names a column for it. Beside it, in `training.csv.txt`, stands whom the table does not speak of. Goes through the
 * history twice, a page at a time. A decision on someone whose consent does not cover `model-training` counts as not known.
 *
 * Known limit: rows of batches are left out, for nobody tells what became of them.
 */
import { Selection, type SelectionReport } from "../analytics/mod.ts";
import { systemClock } from "../clock.ts";
import { csvLine } from "../csv.ts";
import type { Questionnaire, Training } from "../configs/mod.ts";
import { type PastApplication, pastApplications, type Period } from "../queue/history.ts";
import type { Answer } from "../scoring/answers.ts";
import { isoDay, parseDateMs } from "../scoring/dates.ts";
import { decodePayload, decodeProbabilities } from "../scoring/handler.ts";
import { openStores, type Stores } from "../stores.ts";
import { configFromEnvironment, trainingConfigFromEnvironment } from "./config.ts";
import { type Command, main, readOptions, UsageError } from "./main.ts";

const PAGE = 200;

/** An application with what was estimated of it, and what is known of the banks' decisions. */
export interface ToldApplication extends PastApplication {
  readonly probabilities: ReadonlyMap<string, number>;
  /** By bank: whether it approved. */
  readonly decisions: Readonly<Record<string, boolean>>;
}

/** The applications of a period that have a result, in their order. */
async function* toldApplications(
  { outcomes, consents, ...stores }: Pick<Stores, "database" | "store" | "outcomes" | "consents">,
  { nowMs, ...period }: Period & { readonly nowMs: number },
): AsyncGenerator<ToldApplication> {
  for await (const page of inPages(pastApplications(stores, period))) {
    const ids = page.map(({ id }) => id);
    const [tasks, decisions, refused] = [
      await stores.store.findEach(ids),
      await outcomes.decisionsOf(ids),
      await consents.refused(ids, { purpose: "model-training", nowMs }),
    ];
    for (const past of page) {
      const result = tasks.get(past.id)?.result ?? null;
      if (result === null) continue;
      const { probabilities } = decodeProbabilities(result);
      const known = refused.has(past.id) ? undefined : decisions.get(past.id);
      yield { ...past, probabilities, decisions: known ?? {} };
    }
  }
}

/** Each bank's selection, by id. */
export async function selectionOf(
  history: AsyncIterable<Pick<ToldApplication, "probabilities" | "decisions">>,
  banks: readonly string[],
): Promise<ReadonlyMap<string, Selection>> {
  const selections = new Map(banks.map((bank) => [bank, new Selection()]));
  for await (const { probabilities, decisions } of history) {
    for (const [bank, selection] of selections) {
      const probability = probabilities.get(bank);
      if (probability !== undefined) selection.add(probability, decisions[bank] !== undefined);
    }
  }
  return selections;
}

export interface TableOptions {
  readonly questionnaire: Pick<Questionnaire, "fields">;
  readonly training: Pick<Training, "decisions" | "appliedAt">;
  readonly selections: ReadonlyMap<string, Selection>;
}

/** The table's lines, the header first; applications of which no decision is known are left out. */
export async function* trainingTable(
  history: AsyncIterable<ToldApplication>,
  { questionnaire: { fields }, training: { decisions: said, appliedAt }, selections }: TableOptions,
): AsyncGenerator<string> {
  const banks = [...selections].map(([id, selection]) => ({
    ...{ id, selection, decision: said.columns[id] ?? id, weight: said.weights[id] },
  }));
  const dated = appliedAt.column === undefined ? [] : [appliedAt.column];
  yield line([
    ...fields.map(({ id }) => id),
    ...dated,
    ...banks.flatMap(({ decision, weight }) =>
      weight === undefined ? [decision] : [decision, weight]
    ),
  ]);
  const [yes = "", no = ""] = [said.approved[0], said.denied[0]];
  for await (const { payload, createdAtMs, probabilities, decisions } of history) {
    if (!banks.some(({ id }) => decisions[id] !== undefined)) continue;
    const { answers } = decodePayload(payload);
    yield line([
      ...fields.map(({ id }) => answers[id] ?? null),
      ...dated.map(() => isoDay(createdAtMs)),
      ...banks.flatMap(({ id, selection, weight }) => {
        const approved = decisions[id];
        const probability = probabilities.get(id);
        if (approved === undefined || probability === undefined) {
          return weight === undefined ? [null] : [null, null];
        }
        const word = approved ? yes : no;
        return weight === undefined
          ? [word]
          : [word, Number(selection.weight(probability).toPrecision(6))];
      }),
    ]);
  }
}

/** A line break in an answer becomes a space: a row is a line. */
function line(cells: readonly Answer[]): string {
  const oneLine = (cell: Answer) =>
    typeof cell === "string" ? cell.replaceAll(/[\r\n]+/g, " ") : cell;
  return csvLine(cells.map(oneLine), ";");
}

/** What the table must not be read without. */
export function selectionText(reports: ReadonlyMap<string, SelectionReport>): string {
  const lines = [...reports].map(([bank, { applications, known, effective, clipped, unseen }]) =>
    `${bank}: of ${applications} applications with an estimate the decision of ${known} is known; weighted they say as much as ` +
    `${
      Math.round(effective)
    } that weigh alike; ${clipped} weights were cut; ${unseen} applications have an estimate at ` +
    "which no decision is known, and nothing stands for them"
  );
  return [
    "The table holds the applications whose decision at a bank is known, and these were chosen: a bank decides on whom it is",
    "sent, and who is sent was advised by the estimates. What is learned from them speaks of such applications. The weights make",
    "those at a rare estimate count for the others like them; they do not undo what else decided on who was sent, and cannot",
    "say anything of estimates at which a bank was never asked.",
    "",
    ...lines,
    "",
  ].join("\n");
}

async function* inPages(
  history: AsyncIterable<PastApplication>,
): AsyncGenerator<readonly PastApplication[]> {
  let page: PastApplication[] = [];
  for await (const past of history) {
    page.push(past);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Throws `UsageError`. */
export const exportTraining: Command = async (args) => {
  const { values: { out, from, to } } = readOptions({
    options: { out: { type: "string" }, from: { type: "string" }, to: { type: "string" } },
  }, args);
  if (out === undefined) {
    throw new UsageError("Cannot export: must be given --out FILE, such as training.csv");
  }
  const { service } = configFromEnvironment();
  const { banks: { banks }, questionnaire, training } = trainingConfigFromEnvironment();
  const nowMs = systemClock.now();
  const period = {
    nowMs,
    fromMs: dateMs("--from", from) ?? -Infinity,
    // What comes while the table is written would stand in it and not in its weights.
    toMs: dateMs("--to", to) ?? nowMs,
  };
  const stores = await openStores(service, nowMs);
  try {
    const history = () => toldApplications(stores, period);
    const selections = await selectionOf(history(), banks.map(({ id }) => id));
    const table = trainingTable(history(), { questionnaire, training, selections });
    await Deno.writeTextFile(out, ReadableStream.from(table));
    const reports = new Map([...selections].map(([bank, selection]) => [bank, selection.report()]));
    await Deno.writeTextFile(`${out}.txt`, selectionText(reports));
    console.log(selectionText(reports));
  } finally {
    stores.store.close();
  }
};

function dateMs(option: string, text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDateMs(text);
  if (text !== undefined && ms === undefined) {
    throw new UsageError(`${option}: current value is ${text}, must be a date such as 2023-12-01`);
  }
  return ms;
}

if (import.meta.main) await main(() => exportTraining(Deno.args));
