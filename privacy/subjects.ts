/**
 * A person's rights over what is stored: to see all of it, to have it erased, to take back what was agreed to. The person is known by
 * the keyed hash that came with the applications, and each use of such a right stands in the audit log under it.
 */
import { applicationSubject, type AuditLog, type Entry } from "../audit/mod.ts";
import { type Agreement, agreementOf, type ConsentStore } from "../consent/mod.ts";
import { type Database, statement } from "../database/database.ts";
import type { Erasure, StoredRow } from "./erasure.ts";

/** Applications in one part of a report: decisions are long. */
const PART = 50;
/** Entries of the audit log about one application: there is one for each step. */
const ENTRIES = 1000;

const FIND = `
  SELECT number, row, tasks.id, batch_id, first_row
  FROM application_subjects JOIN tasks USING (number)
  LEFT JOIN batch_chunks ON batch_chunks.task_id = tasks.id
  WHERE subject = :subject AND number > :after ORDER BY number, row`;

/** The rows of one chunk stay together. */
const FIND_PART = `${
  FIND.replace(
    "number > :after",
    `number IN (
    SELECT DISTINCT number FROM application_subjects
    WHERE subject = :subject AND number > :after ORDER BY number LIMIT ${PART})`,
  )
}`;

const AGREEMENTS = `
  SELECT number, row, purpose, document, given_at_ms, expires_at_ms, withdrawn_at_ms FROM consents
  WHERE number IN (SELECT value FROM json_each(:numbers)) ORDER BY purpose`;

const OUTCOMES = `
  SELECT application_id, bank, event, decided_at_ms, recorded_at_ms, amount, term_months FROM outcome_events
  WHERE application_id IN (SELECT value FROM json_each(:ids)) ORDER BY decided_at_ms, event`;

const TRIALS = `
  SELECT application_id, at_ms, champion, challenger, banks, hex(scores) AS scores
  FROM model_trial_scores JOIN model_trials ON model_trials.id = trial_id
  WHERE application_id IN (SELECT value FROM json_each(:ids))`;

const DERIVED = `
  SELECT number, estimate, told FROM facts WHERE number IN (SELECT value FROM json_each(:numbers))`;

const TOLD = `
  SELECT subject, type, endpoint_id, occurred_at_ms FROM webhook_deliveries
  WHERE subject IN (SELECT value FROM json_each(:ids)) ORDER BY occurred_at_ms`;

type Row = Readonly<Record<string, unknown>>;

/** A task as a report shows it. */
interface StoredTask {
  readonly state: string;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  readonly result: string | null;
}

export interface StoredApplication {
  /** As it is stored; of a row: the batch's. */
  readonly id: string;
  /** Of a batch: the row, and its place in its chunk's payload and result, from 0. */
  readonly row?: { readonly number: number; readonly place: number };
  readonly task: StoredTask;
  /** JSON text; of a row: of its chunk. */
  readonly payload: string;
  readonly agreements: readonly Agreement[];
  readonly outcomes: readonly {
    readonly bank: string;
    readonly event: string;
    readonly decidedAtMs: number;
    readonly recordedAtMs: number;
    readonly amount: number | null;
    readonly termMonths: number | null;
  }[];
  /** What a version of the models that was on trial gave beside the answer. */
  readonly trials: readonly {
    readonly atMs: number;
    readonly champion: string;
    readonly challenger: string;
    readonly banks: readonly string[];
    /** The champion's of each bank, then the challenger's; NaN where there is none. */
    readonly scores: readonly number[];
  }[];
  /** What the overview counts it by; JSON. */
  readonly derived: { readonly estimate: unknown; readonly told: unknown } | undefined;
  /** To whom its end was, or will be, told. */
  readonly notices: readonly {
    readonly type: string;
    readonly endpoint: string;
    readonly atMs: number;
  }[];
  /** The latest entry first. */
  readonly entries: readonly Entry[];
}

export interface Report {
  readonly applications: readonly StoredApplication[];
  /** After which the next part begins; `undefined` where this was the last. */
  readonly next: number | undefined;
}

export interface SubjectErasure {
  readonly applications: number;
  /** Rows of batches. */
  readonly rows: number;
  /** What is being scored, and rows of what is still to be: nothing of it was removed. Ids, of rows the batch's, as they are stored. */
  readonly atWork: readonly { readonly id: string; readonly row?: number }[];
}

export interface SubjectsParts {
  readonly database: Database;
  readonly audit: Pick<AuditLog, "append" | "page">;
  readonly consents: Pick<ConsentStore, "withdrawAll">;
  readonly erasure: Pick<Erasure, "erase" | "eraseRow">;
  readonly store: {
    findEach(ids: readonly string[]): Promise<ReadonlyMap<string, StoredTask>>;
    payloadEach(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  };
}

export class Subjects {
  readonly #parts: SubjectsParts;

  constructor(parts: SubjectsParts) {
    this.#parts = parts;
  }

  /** A part of all that is stored of a person; `undefined` where nothing is. The report is put on record before it is given. */
  async report(subject: string, actor: string, after = 0): Promise<Report | undefined> {
    const found = await this.#read(FIND_PART, { subject, after });
    if (found.length === 0) return after === 0 ? undefined : { applications: [], next: undefined };
    await this.#record("subject.report", subject, actor);
    const numbers = [...new Set(found.map(({ number }) => Number(number)))];
    return {
      applications: await this.#applications(found, numbers),
      next: numbers.length < PART ? undefined : numbers.at(-1),
    };
  }

  /** Erases all applications of a person; `undefined` where there is nothing. */
  async erase(subject: string, actor: string): Promise<SubjectErasure | undefined> {
    const found = await this.#read(FIND, { subject, after: 0 });
    if (found.length === 0) return undefined;
    await this.#record("subject.erase", subject, actor);
    const { erasure } = this.#parts;
    let [applications, rows] = [0, 0];
    const atWork: { id: string; row?: number }[] = [];
    for (const each of found) {
      const stored = storedRow(each);
      if (stored === undefined) {
        const id = String(each.id);
        const outcome = await erasure.erase(id, actor);
        if (outcome === "erased") applications++;
        if (outcome === "at work") atWork.push({ id });
      } else if (await erasure.eraseRow(stored, actor)) rows++;
      else atWork.push({ id: stored.batch, row: stored.row });
    }
    return { applications, rows, atWork };
  }

  /** Withdraws all that the person agreed to, rows of batches too. False where nothing is stored of the person. */
  async withdraw(subject: string, actor: string, nowMs: number): Promise<boolean> {
    const found = await this.#read(FIND_PART, { subject, after: 0 });
    if (found.length === 0) return false;
    await this.#parts.consents.withdrawAll(subject, { actor, nowMs });
    return true;
  }

  async #read(sql: string, args: Record<string, string | number>): Promise<readonly Row[]> {
    return (await this.#parts.database.read(statement(sql, args))).rows;
  }

  async #record(action: string, subject: string, actor: string): Promise<void> {
    await this.#parts.audit.append({ actor, action, subject: `subjects/${subject}` });
  }

  async #applications(
    found: readonly Row[],
    numbers: readonly number[],
  ): Promise<StoredApplication[]> {
    const { store, audit } = this.#parts;
    const taskIds = [...new Set(found.map(({ id }) => String(id)))];
    const ids = JSON.stringify(taskIds);
    const byNumber = { numbers: JSON.stringify(numbers) };
    const [tasks, payloads, agreements, outcomes, trials, derived, told] = await Promise.all([
      store.findEach(taskIds),
      store.payloadEach(taskIds),
      this.#read(AGREEMENTS, byNumber),
      this.#read(OUTCOMES, { ids }),
      this.#read(TRIALS, { ids }),
      this.#read(DERIVED, byNumber),
      this.#read(TOLD, { ids }),
    ]);
    const applications: StoredApplication[] = [];
    for (const each of found) {
      const { number, row, id: taskId } = each;
      const id = String(taskId);
      const task = tasks.get(id);
      const payload = payloads.get(id);
      // Erased since it was found.
      if (task === undefined || payload === undefined) continue;
      const of = (rows: readonly Row[], field: string) => rows.filter((each) => each[field] === id);
      const fact = derived.find((each) => each.number === number);
      const stored = storedRow(each);
      const entries = stored
        ? []
        : await audit.page({ limit: ENTRIES, subject: applicationSubject(id) });
      applications.push({
        id: stored?.batch ?? id,
        ...stored && { row: { number: stored.row, place: stored.place } },
        ...{ task, payload, entries },
        agreements: agreements.filter((each) => each.number === number && each.row === row)
          .map(agreementOf),
        outcomes: of(outcomes, "application_id").map((each) => ({
          bank: String(each.bank),
          event: String(each.event),
          decidedAtMs: Number(each.decided_at_ms),
          recordedAtMs: Number(each.recorded_at_ms),
          amount: each.amount as number | null,
          termMonths: each.term_months as number | null,
        })),
        trials: of(trials, "application_id").map((each) => ({
          atMs: Number(each.at_ms),
          champion: String(each.champion),
          challenger: String(each.challenger),
          banks: JSON.parse(String(each.banks)),
          scores: [...new Float32Array(Uint8Array.fromHex(String(each.scores)).buffer)],
        })),
        derived: fact && {
          estimate: JSON.parse(String(fact.estimate)),
          told: JSON.parse(String(fact.told)),
        },
        notices: of(told, "subject").map((each) => ({
          type: String(each.type),
          endpoint: String(each.endpoint_id),
          atMs: Number(each.occurred_at_ms),
        })),
      });
    }
    return applications;
  }
}

/** Of what was found the row of a batch; `undefined` where it is an application. */
function storedRow({ number, row, batch_id, first_row }: Row): StoredRow | undefined {
  if (typeof batch_id !== "string") return undefined;
  return {
    ...{ number: Number(number), batch: batch_id, row: Number(row) },
    place: Number(row) - Number(first_row),
  };
}
