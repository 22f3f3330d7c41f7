/**
 * The reference's three steps: upload the answers, ask whether the task is finished, get the probabilities. Bodies and errors
 * are the reference's to the letter; what it leaves open (a task that failed for good) says so instead of waiting for ever.
 */
import { type Context, type Handler, Hono } from "hono";
import type { Banks, Questionnaire } from "../configs/mod.ts";
import type { Task } from "../queue/store.ts";
import type { QueueParts } from "../queue/tenant.ts";
import { decodeResult, encodePayload } from "../scoring/handler.ts";
import { pythonFloatRepr } from "../scoring/python_repr.ts";
import { taskId } from "../scoring/task_id.ts";
import { own, permit } from "./access.ts";
import type { Limits } from "./limits.ts";
import { problem } from "./problems.ts";
import { readBytes } from "./request_body.ts";
import { readTaskQuery } from "./task_query.ts";
import { type AnswersSchema, answersSchema, readUpload } from "./upload_body.ts";

export interface ContractOptions extends QueueParts, Limits {
  readonly questionnaire: Questionnaire;
  readonly banks: Banks;
}

/** What one must be allowed to do who asks for a task. */
export const ASKED_BY = "submit";

/** Tasks of the v1 API, whose results are of another kind. */
const OF_V1 = /^(app|chk)_/;

export function contractRoutes(options: ContractOptions): Hono {
  const app = new Hono();
  addUpload(app, options);
  for (const path of ["/check_task", "/check_state"]) {
    app.get(
      path,
      permit(ASKED_BY),
      taskHandler(options, (c, task) => c.json(task.state === "done")),
    );
  }
  app.get(
    "/get_result",
    permit(ASKED_BY),
    taskHandler(options, (c, { id, result }) => {
      if (result === null) return problem(c, "taskNotFinished");
      const { body, headers } = resultAnswer(id, result);
      return c.body(body, 200, headers);
    }),
  );
  return app;
}

/** What is answered to a question. */
export interface Answer {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The probabilities of a task that is done, from its result. */
export function resultAnswer(id: string, result: string): Answer {
  const { probabilities, withoutEvidence } = decodeResult(result);
  const texts = Object.entries(probabilities).map((
    [bank, value],
  ) => [bank, pythonFloatRepr(value)]);
  return {
    body: JSON.stringify({ task_id: id, ...Object.fromEntries(texts) }),
    headers: {
      "Content-Type": "application/json",
      ...withoutEvidence && { "Prescore-No-Evidence": withoutEvidence.join(", ") },
    },
  };
}

/** The answers of an upload, as they are read and documented. */
export function contractSchema({ questionnaire }: ContractOptions): AnswersSchema {
  return answersSchema(questionnaire.fields.map(({ id, type, label, example }) => ({
    id,
    type,
    description: `${label.ru} (${label.en})`,
    example,
  })));
}

function addUpload(app: Hono, options: ContractOptions): void {
  const { questionnaire, limits, after } = options;
  const schema = contractSchema(options);
  app.post("/upload_features", permit("submit"), async (c) => {
    const bytes = await readBytes(c.req.raw, {
      ...{ maxBytes: limits.bodyBytes, timeoutMs: limits.bodyMs, after },
    });
    const read = readUpload(bytes, { contentType: c.req.header("content-type"), schema });
    if (!read.ok) return jsonText(c, read);
    const id = taskId(read.answers, questionnaire.fields);
    const state = await own(c, options).enqueue({ id, payload: encodePayload(read.answers) });
    if (state === "refused") return problem(c, "queueFull");
    return c.json({ task_id: id, is_complete: state === "done" }, 201);
  });
}

/** Finds the task that the query names; one that is not there, or dead, is answered here. */
function taskHandler(
  options: ContractOptions,
  answer: (c: Context, task: Task) => Response,
): Handler {
  return async (c) => {
    const query = readTaskQuery(c.req.url);
    if (!query.ok) return jsonText(c, query);
    const task = OF_V1.test(query.taskId)
      ? undefined
      : await own(c, options).store.find(query.taskId);
    if (task === undefined) return problem(c, "taskNotFound");
    if (task.state === "dead") {
      return problem(c, "taskFailed", { cause: `after ${task.attempt} attempts: ${task.error}` });
    }
    return answer(c, task);
  };
}

function jsonText(
  c: Context,
  { status, body }: { readonly status: 400 | 422; readonly body: string },
): Response {
  return c.body(body, status, { "Content-Type": "application/json" });
}
