/**
 * The task id: SHA-1 of Python's `str(dict)` over the questionnaire's fields in their order.
 *
 * Clients of the reference service hold such ids and send them back, so the same answers must give
 * the same id here. The hash names a questionnaire; it protects nothing.
 */

import { createHash } from "node:crypto";
import type { Answers } from "./answers.ts";
import { pythonStringRepr, pythonValueRepr } from "./python_repr.ts";

export type AnswerType = "string" | "integer" | "number";

/** A field of the questionnaire, as far as the task id depends on it. */
export interface AnswerField {
  readonly id: string;
  readonly type: AnswerType;
}

/** Python's text of a dict, from keys and the already printed text of their values. */
export function pythonDictRepr(entries: Iterable<readonly [key: string, text: string]>): string {
  const parts: string[] = [];
  for (const [key, text] of entries) parts.push(`${pythonStringRepr(key)}: ${text}`);
  return `{${parts.join(", ")}}`;
}

/** 40 hexadecimal digits; answers outside `fields` are ignored, absent ones count as None. */
export function taskId(answers: Answers, fields: readonly AnswerField[]): string {
  const entries = fields.map(({ id, type }): [string, string] => {
    const answer = Object.hasOwn(answers, id) ? answers[id] ?? null : null;
    return [id, pythonValueRepr(answer, type === "number")];
  });
  return createHash("sha1").update(pythonDictRepr(entries), "utf8").digest("hex");
}
