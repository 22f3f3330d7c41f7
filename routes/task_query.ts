/**
 * The query of `/check_task` and `/get_result`: one required `task_id`.
 *
 * As in the reference the last of several wins and an empty one counts as given; it then names no
 * task, which the route answers with 404.
 */

import { pydanticErrorBody } from "./pydantic.ts";

export type TaskQueryReading =
  | { readonly ok: true; readonly taskId: string }
  | { readonly ok: false; readonly status: 422; readonly body: string };

/** `url` is the request's URL; only what follows its question mark is read. */
export function readTaskQuery(url: string): TaskQueryReading {
  const [, query = ""] = /\?([^#]*)/.exec(url) ?? [];
  const taskId = new URLSearchParams(query).getAll("task_id").at(-1);
  if (taskId !== undefined) return { ok: true, taskId };
  const missing = { type: "missing", loc: ["query", "task_id"], input: null } as const;
  return { ok: false, status: 422, body: pydanticErrorBody([missing]) };
}
