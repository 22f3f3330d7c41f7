/** What banks decided, told afterwards. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { binsReader, type ClientAnalytics, EVENTS, type Outcome } from "../../analytics/mod.ts";
import type { Banks, Questionnaire } from "../../configs/mod.ts";
import type { Task } from "../../queue/store.ts";
import { type QueueParts, storedId } from "../../queue/tenant.ts";
import { csvRows } from "../../scoring/csv.ts";
import { decodePayload, decodeProbabilities } from "../../scoring/handler.ts";
import { TableError } from "../../scoring/table.ts";
import { callerOf, own, permit } from "../access.ts";
import type { Limits } from "../limits.ts";
import { readBytes } from "../request_body.ts";
import { mediaType, readJson } from "./body.ts";
import { problemResponses } from "./problem_schema.ts";
import { fieldErrors, Problem } from "./problems.ts";

export interface OutcomesOptions extends QueueParts, Limits {
  readonly banks: Banks;
  readonly questionnaire: Questionnaire;
  readonly analytics: ClientAnalytics;
}

const MOST_ROWS = 1000;
/** Bytes of a table, or of the JSON that holds the rows. */
export const MOST_BYTES = 1024 * 1024;
/** Decisions are long: so many are read together. */
const ROWS_AT_ONCE = 100;
const MOST_AMOUNT = 1e12;
const MOST_MONTHS = 600;
/** Clocks of banks may be ahead. */
const AHEAD_MS = 24 * 3_600_000;

const EXAMPLE = {
  application: "app_2c26b46b68ffc68ff99b453c1d304134",
  bank: "bank_a",
  decision: "approved",
  decidedAt: "2026-01-31T12:00:00Z",
  amount: 120_000,
  term: 12,
} as const;

const rowSchema = z.strictObject({
  application: z.string().min(1).max(64).openapi({
    description: "Its id, of the v1 API or of the reference's contract",
  }),
  bank: z.string(),
  decision: z.enum(EVENTS).openapi({
    description: "sent: the bank was asked; the latest of the others counts, whenever it is told",
  }),
  decidedAt: z.iso.datetime({ offset: true }),
  amount: z.number().positive().max(MOST_AMOUNT).optional().openapi({
    description:
      "What the bank really gave, in the currency of its products; of approved or funded alone",
  }),
  term: z.int().min(1).max(MOST_MONTHS).optional().openapi({ description: "Its months" }),
}).openapi("Outcome", { example: EXAMPLE });

const bodySchema = z.strictObject({ outcomes: z.array(rowSchema).min(1).max(MOST_ROWS) }).openapi(
  "NewOutcomes",
  { example: { outcomes: [EXAMPLE] } },
);

/** The rows are looked at one by one, so that one of them spoils no other. */
const looseSchema = z.strictObject({ outcomes: z.array(z.unknown()).min(1).max(MOST_ROWS) });

const recordedSchema = z.object({
  received: z.int(),
  recorded: z.int().openapi({ description: "Those that were not known before" }),
  rejected: z.array(z.object({
    row: z.int().openapi({ description: "From 1" }),
    detail: z.string(),
  })).openapi({ description: "They were not stored; all others were" }),
}).openapi("RecordedOutcomes", {
  example: {
    received: 2,
    recorded: 1,
    rejected: [{ row: 2, detail: "there is no application app_0" }],
  },
});

export function addOutcomes(app: OpenAPIHono, options: OutcomesOptions): void {
  const route = createRoute({
    method: "post",
    path: "/v1/outcomes",
    operationId: "recordOutcomes",
    tags: ["Outcomes"],
    summary: "Tell what banks decided",
    description:
      "In any order and any number of times: what is known already changes nothing, and the loan " +
      "that a bank gave may be told later. As CSV the columns are application, bank, decision and decided_at, " +
      "and where it is known amount and term.",
    request: {
      body: {
        required: true,
        content: {
          "application/json": { schema: bodySchema },
          "text/csv": {
            schema: z.string().openapi({
              example: "application;bank;decision;decided_at;amount;term\n" +
                `${EXAMPLE.application};bank_a;approved;2026-01-31T12:00:00Z;120000;12\n`,
            }),
          },
        },
      },
    },
    responses: {
      200: {
        description: "What is good is stored; what is not is named",
        content: { "application/json": { schema: recordedSchema } },
      },
      ...problemResponses(
        "unreadable-body",
        "request-timeout",
        "body-too-large",
        "unsupported-media-type",
        "invalid-request",
        "unavailable",
      ),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, permit("submit"), async (c) => {
    const rows = await readRows(c, options);
    return c.json(await recordRows(c, rows, options), 200);
  });
}

async function readRows(c: Context, options: OutcomesOptions): Promise<readonly unknown[]> {
  const limits = { ...options.limits, bodyBytes: MOST_BYTES, jsonMembers: 10 * MOST_ROWS };
  if (mediaType(c) !== "text/csv") {
    return (await readJson(c, looseSchema, { limits, after: options.after })).outcomes;
  }
  const bytes = await readBytes(c.req.raw, {
    ...{ maxBytes: MOST_BYTES, timeoutMs: limits.bodyMs, after: options.after },
  });
  return await readCsv(new Blob([new Uint8Array(bytes)]).stream());
}

const COLUMNS: Readonly<Record<string, keyof z.infer<typeof rowSchema>>> = {
  application: "application",
  bank: "bank",
  decision: "decision",
  decided_at: "decidedAt",
  amount: "amount",
  term: "term",
};
/** Those that a table may leave out, and that may be empty. */
const OPTIONAL = ["amount", "term"];

/** Objects in the form of JSON's rows. Throws `Problem` for what is no table of outcomes. */
export async function readCsv(input: ReadableStream<Uint8Array>): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  let names: readonly string[] | undefined;
  try {
    for await (const cells of csvRows(input, { maxRowCharacters: 1000 })) {
      if (names === undefined) {
        names = cells.map((cell) => cell.trim().toLowerCase());
        const missing = Object.keys(COLUMNS).filter((name) =>
          !OPTIONAL.includes(name) && !names?.includes(name)
        );
        if (missing.length > 0) {
          throw new TableError(`The table must have a column ${missing.join(", ")}`);
        }
        continue;
      }
      if (rows.length >= MOST_ROWS) {
        throw new TableError(
          `The table must have at most ${MOST_ROWS} rows; send the others apart`,
        );
      }
      rows.push(Object.fromEntries(names.flatMap((name, at) => {
        const key = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
        return key === undefined ? [] : cellOf(key, (cells[at] ?? "").trim());
      })));
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    throw new Problem("unreadable-body", { detail: error.message });
  }
  if (rows.length === 0) throw new Problem("unreadable-body", { detail: "The table has no row" });
  return rows;
}

/** A member of a row: none for a cell that may be empty and is. */
function cellOf(key: string, text: string): [string, string | number][] {
  if (!OPTIONAL.includes(key)) return [[key, text]];
  const number = Number(text.replaceAll(/[\s\u00a0]/g, "").replace(",", "."));
  return text === "" ? [] : [[key, Number.isNaN(number) ? text : number]];
}

export type Recorded = z.infer<typeof recordedSchema>;

/** Stores the rows that are good, of the caller's tenant, and names the others. */
export async function recordRows(
  c: Context,
  rows: readonly unknown[],
  options: OutcomesOptions,
): Promise<Recorded> {
  const { tenant } = callerOf(c);
  const mine = own(c, options);
  const binsOf = binsReader(options.questionnaire);
  const outcomes: Outcome[] = [];
  const rejected: { row: number; detail: string }[] = [];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const read = rows.slice(from, from + ROWS_AT_ONCE).map((row) => readRow(row, options));
    const ids = new Set(read.flatMap((row) => "detail" in row ? [] : [row.application]));
    const tasks = await mine.store.findEach([...ids]);
    const payloads = await mine.store.payloadEach([...tasks.keys()]);
    const bins = new Map<string, Uint8Array>();
    for (const { id, createdAtMs } of tasks.values()) {
      const payload = payloads.get(id);
      if (payload === undefined) continue;
      bins.set(id, binsOf({ answers: decodePayload(payload).answers, atMs: createdAtMs }));
    }
    for (const [at, row] of read.entries()) {
      const outcome = "detail" in row
        ? row
        : outcomeOf(row, tasks.get(row.application), bins.get(row.application));
      if ("detail" in outcome) rejected.push({ row: from + at + 1, detail: outcome.detail });
      else {
        const applicationId = storedId(tenant, outcome.applicationId);
        outcomes.push({ ...outcome, applicationId, tenant });
      }
    }
  }
  const recorded = outcomes.length === 0
    ? 0
    : await options.analytics.record(outcomes, options.now());
  return { received: rows.length, recorded, rejected };
}

type Row = z.infer<typeof rowSchema>;

/** What is wrong with a row. */
interface Refused {
  readonly detail: string;
}

function readRow(
  row: unknown,
  { banks: { banks }, now }: Pick<OutcomesOptions, "banks" | "now">,
): Row | Refused {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) {
    const errors = fieldErrors(parsed.error);
    return {
      detail: errors.map(({ pointer = "", detail }) => `${pointer.slice(2)}: ${detail}`).join("; "),
    };
  }
  const { bank, decidedAt, decision, amount, term } = parsed.data;
  const ids = banks.map(({ id }) => id);
  if (!ids.includes(bank)) {
    return { detail: `bank: ${bank.slice(0, 80)} must be one of ${ids.join(", ")}` };
  }
  if (Date.parse(decidedAt) > now() + AHEAD_MS) {
    return { detail: `decidedAt: ${decidedAt} must not be to come` };
  }
  if ((amount ?? term) !== undefined && decision !== "approved" && decision !== "funded") {
    return { detail: `amount, term: a bank gives none where it says ${decision}` };
  }
  return parsed.data;
}

/** With the probability that was given, and the bins of the application. */
function outcomeOf(
  { application, bank, decision: event, decidedAt, amount, term }: Row,
  task: Task | undefined,
  bins: Uint8Array | undefined,
): Omit<Outcome, "tenant"> | Refused {
  // One that is erased meanwhile has no payload any more.
  if (task === undefined || bins === undefined) {
    return { detail: `there is no application ${application}` };
  }
  if (task.result === null) {
    return { detail: `application ${application} has no result: it is ${task.state}` };
  }
  const probability = decodeProbabilities(task.result).probabilities.get(bank);
  if (probability === undefined) {
    return { detail: `application ${application} has no estimate of ${bank}` };
  }
  const decidedAtMs = Date.parse(decidedAt);
  return {
    ...{ applicationId: application, bank, event, decidedAtMs, probability, bins },
    ...amount !== undefined && { amount },
    ...term !== undefined && { term },
  };
}
