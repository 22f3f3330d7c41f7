/** Terms in SQL: how they are stored with a task, and how a reader asks whether consent covers a purpose. */
import type { InStatement } from "@libsql/client";
import { statement } from "../database/database.ts";
import type { SentTerms } from "./terms.ts";

/** Only a task that is being stored has no payload yet: what another request sent under its id adds nothing to it. */
const NEW = `
  FROM json_each(:terms) AS asked JOIN tasks ON tasks.id = asked.value ->> 'task'
  WHERE NOT EXISTS (SELECT 1 FROM payloads WHERE payloads.number = tasks.number)`;

const STORE_SUBJECTS = `
  INSERT INTO application_subjects (number, row, subject)
  SELECT tasks.number, asked.value ->> 'row', asked.value ->> 'subject' ${NEW}
    AND asked.value ->> 'subject' IS NOT NULL
  ON CONFLICT DO NOTHING`;

const STORE_CONSENTS = `
  INSERT INTO consents (number, row, purpose, document, given_at_ms, expires_at_ms, unrecorded_actor)
  SELECT sent.number, row, purpose.value, document, coalesce(given, :now), expires, actor
  FROM (
    SELECT tasks.number, asked.value ->> 'row' AS row, asked.value ->> 'actor' AS actor,
      asked.value -> '$.consent.purposes' AS purposes, asked.value ->> '$.consent.document' AS document,
      asked.value ->> '$.consent.givenAtMs' AS given, asked.value ->> '$.consent.expiresAtMs' AS expires
    ${NEW} AND asked.value -> 'consent' IS NOT NULL
  ) AS sent, json_each(sent.purposes) AS purpose
  WHERE true
  ON CONFLICT DO NOTHING`;

export interface TaskTerms extends SentTerms {
  readonly task: string;
  /** Of a batch: from 1; absent: the task is one application. */
  readonly row?: number;
}

/** Stand after the statement that stores the tasks and before the one that stores their payloads; none where there are no terms. */
export function termsStatements(terms: readonly TaskTerms[], nowMs: number): InStatement[] {
  if (terms.length === 0) return [];
  const text = JSON.stringify(terms.map((each) => ({ row: 0, ...each })));
  return [
    statement(STORE_SUBJECTS, { terms: text }),
    statement(STORE_CONSENTS, { terms: text, now: nowMs }),
  ];
}

/** As `isInForce`, at `:now`. */
export const IN_FORCE = `given_at_ms <= :now AND (expires_at_ms IS NULL OR expires_at_ms > :now)
    AND withdrawn_at_ms IS NULL`;

/**
 * A condition for lists: whether consent covers the purpose that is bound as `:purpose` at the time that is bound as `:now`. The
 * columns hold a task's number and, of a batch, the row. Where nothing was said about consent it does not cover.
 */
export function consentCovers(number = "tasks.number", row = "0"): string {
  return `EXISTS (SELECT 1 FROM consents WHERE consents.number = ${number} AND consents.row = ${row}
    AND consents.purpose = :purpose AND ${IN_FORCE})`;
}
