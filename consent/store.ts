/**
 * Agreements in the database as they stand, and every step of them in the audit log. What comes with an upload is stored by the
 * queue in the upload's commit, and goes on record soon after: a chain of hashes lets nobody append beside others, so an upload
 * does not wait for it. A later step is stored together with its entry.
 */
import { applicationSubject, type AuditLog, type Json, type NewEntry } from "../audit/mod.ts";
import { type Database, statement } from "../database/database.ts";
import { consentCovers } from "./statements.ts";
import type { Agreement, Consent, Purpose } from "./terms.ts";

/** Applications whose agreements go on record in one commit. */
const RECORD = 64;

const NUMBER = "(SELECT number FROM tasks WHERE id = :id)";

const READ = `
  SELECT purpose, document, given_at_ms, expires_at_ms, withdrawn_at_ms
  FROM consents WHERE number = ${NUMBER} AND row = 0 ORDER BY purpose`;

const KNOWN = "SELECT 1 FROM tasks WHERE id = :id";

const REFUSED = `
  SELECT tasks.id FROM json_each(:ids) AS asked JOIN tasks ON tasks.id = asked.value
  WHERE EXISTS (SELECT 1 FROM consents WHERE consents.number = tasks.number AND consents.row = 0)
    AND NOT ${consentCovers()}`;

/** `:purposes` are those of the agreement that takes the place of what stood. */
const GIVE = `
  INSERT INTO consents (number, row, purpose, document, given_at_ms, expires_at_ms)
  SELECT tasks.number, 0, purpose.value, :document, :given, nullif(:expires, 0)
  FROM tasks, json_each(:purposes) AS purpose WHERE tasks.id = :id
  ON CONFLICT DO UPDATE SET document = excluded.document, given_at_ms = excluded.given_at_ms,
    expires_at_ms = excluded.expires_at_ms, withdrawn_at_ms = NULL`;

const WITHDRAW = `
  UPDATE consents SET withdrawn_at_ms = :now
  WHERE number = ${NUMBER} AND row = 0 AND withdrawn_at_ms IS NULL
    AND purpose NOT IN (SELECT value FROM json_each(:purposes))`;

const WITHDRAW_ALL = `
  UPDATE consents SET withdrawn_at_ms = :now
  WHERE withdrawn_at_ms IS NULL
    AND (number, row) IN (SELECT number, row FROM application_subjects WHERE subject = :subject)`;

const UNRECORDED = `
  SELECT tasks.id, consents.*, batch_chunks.batch_id FROM consents JOIN tasks USING (number)
  LEFT JOIN batch_chunks ON batch_chunks.task_id = tasks.id
  WHERE unrecorded_actor IS NOT NULL`;

const OLDEST = `${UNRECORDED} AND number IN (
  SELECT DISTINCT number FROM consents WHERE unrecorded_actor IS NOT NULL ORDER BY number LIMIT ${RECORD})`;

const RECORDED = "UPDATE consents SET unrecorded_actor = NULL WHERE number = :number";

type Row = Readonly<Record<string, unknown>>;

export interface Step {
  /** Of the application, as it is stored. */
  readonly id: string;
  readonly actor: string;
  readonly nowMs: number;
}

export class ConsentStore {
  readonly #database: Database;
  readonly #audit: Pick<AuditLog, "changeEach">;

  constructor(database: Database, audit: Pick<AuditLog, "changeEach">) {
    this.#database = database;
    this.#audit = audit;
  }

  /** What was agreed to for an application, whether or not it is in force; `undefined` where there is no such application. */
  async read(id: string): Promise<Agreement[] | undefined> {
    const { rows } = await this.#database.read(statement(READ, { id }));
    return rows.length > 0 || await this.#knows(id) ? rows.map(agreementOf) : undefined;
  }

  /** Those of these applications for which something was agreed to, and not the purpose, or not any more at that time. */
  async refused(
    ids: readonly string[],
    { purpose, nowMs }: { readonly purpose: Purpose; readonly nowMs: number },
  ): Promise<ReadonlySet<string>> {
    const { rows } = await this.#database.read(
      statement(REFUSED, { ids: JSON.stringify(ids), purpose, now: nowMs }),
    );
    return new Set(rows.map(({ id }) => String(id)));
  }

  /** The consent takes the place of what stood: purposes that it does not name are withdrawn. False where there is no such application. */
  async give(consent: Consent, { id, actor, nowMs }: Step): Promise<boolean> {
    const { document, givenAtMs: given = nowMs, expiresAtMs: expires = 0 } = consent;
    const purposes = JSON.stringify(consent.purposes);
    const entries = await this.#audit.changeEach(async () => {
      if (!await this.#knows(id)) return { entries: [] };
      const before = await this.#unrecorded(id);
      return {
        entries: [...before.map(givenEntry), {
          ...{ actor, action: "consent.give", subject: applicationSubject(id) },
          details: detailsOf(consent, given),
        }],
        statements: [
          ...before.map(recordedStatement),
          statement(WITHDRAW, { id, purposes, now: nowMs }),
          statement(GIVE, { id, purposes, document, given, expires }),
        ],
      };
    });
    return entries.length > 0;
  }

  /** Withdraws all that is in force, and says so even where nothing is. False where there is no such application. */
  async withdraw({ id, actor, nowMs }: Step): Promise<boolean> {
    const entries = await this.#audit.changeEach(async () => {
      if (!await this.#knows(id)) return { entries: [] };
      const before = await this.#unrecorded(id);
      return {
        entries: [
          ...before.map(givenEntry),
          { actor, action: "consent.withdraw", subject: applicationSubject(id) },
        ],
        statements: [
          ...before.map(recordedStatement),
          statement(WITHDRAW, { id, purposes: "[]", now: nowMs }),
        ],
      };
    });
    return entries.length > 0;
  }

  /** Withdraws all that a person agreed to, for every application and row that came with that hash. */
  async withdrawAll(subject: string, { actor, nowMs }: Omit<Step, "id">): Promise<void> {
    // What was given before must not stand in the log after it.
    while (await this.record());
    await this.#audit.changeEach(() =>
      Promise.resolve({
        entries: [{ actor, action: "consent.withdraw", subject: `subjects/${subject}` }],
        statements: [statement(WITHDRAW_ALL, { subject, now: nowMs })],
      })
    );
  }

  /** Puts on record what came with uploads, some of it; false where there was nothing. */
  async record(): Promise<boolean> {
    const entries = await this.#audit.changeEach(async () => {
      const { rows } = await this.#database.read(OLDEST);
      const tasks = byTask(rows);
      return { entries: tasks.map(givenEntry), statements: tasks.map(recordedStatement) };
    });
    return entries.length > 0;
  }

  async #knows(id: string): Promise<boolean> {
    return (await this.#database.read(statement(KNOWN, { id }))).rows.length > 0;
  }

  async #unrecorded(id: string): Promise<Row[][]> {
    const { rows } = await this.#database.read(
      statement(`${UNRECORDED} AND number = ${NUMBER}`, { id }),
    );
    return byTask(rows);
  }
}

function byTask(rows: readonly Row[]): Row[][] {
  return [...Map.groupBy(rows, ({ number }) => number).values()];
}

function recordedStatement([row]: readonly Row[]) {
  return statement(RECORDED, { number: Number(row?.number) });
}

/** Of an upload: an application, or rows of a batch, which are counted. */
function givenEntry(rows: readonly Row[]): NewEntry {
  const [first = {}] = rows;
  const common = { actor: String(first.unrecorded_actor), action: "consent.give" };
  if (typeof first.batch_id === "string") {
    const subject = `batches/${first.batch_id}`;
    const count = new Set(rows.map(({ row }) => row)).size;
    return { ...common, subject, details: { rows: count, fromRow: Number(first.row) } };
  }
  const { document, givenAtMs, expiresAtMs } = agreementOf(first);
  const purposes = rows.map(({ purpose }) => String(purpose));
  return {
    ...{ ...common, subject: applicationSubject(String(first.id)) },
    details: detailsOf(
      { document, purposes, expiresAtMs: expiresAtMs ?? undefined },
      givenAtMs,
    ),
  };
}

function detailsOf(
  { purposes, document, expiresAtMs }: Omit<Consent, "purposes" | "givenAtMs"> & {
    readonly purposes: readonly string[];
  },
  givenAtMs: number,
): Record<string, Json> {
  return {
    document,
    purposes: [...new Set(purposes)].toSorted(),
    givenAt: new Date(givenAtMs).toISOString(),
    ...expiresAtMs !== undefined && { expiresAt: new Date(expiresAtMs).toISOString() },
  };
}

/** Of a row of `consents`. */
export function agreementOf(row: Row): Agreement {
  return {
    purpose: row.purpose as Purpose,
    document: String(row.document),
    givenAtMs: Number(row.given_at_ms),
    expiresAtMs: row.expires_at_ms as number | null,
    withdrawnAtMs: row.withdrawn_at_ms as number | null,
  };
}
