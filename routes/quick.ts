/**
 * The questions that clients ask most, whether a task is done and what its result is, answered without the framework and the database
 * where the result was read a moment ago. All else (another path, a key that must be looked up, a caller who is refused) is left to
 * the routes of `contract.ts`, which answer the same; tests hold the two together.
 */
import { type Allowance, type Caller, mayDo } from "../access/mod.ts";
import type { Task } from "../queue/store.ts";
import { storedId } from "../queue/tenant.ts";
import { type AccessOptions, identify, rateHeaders, rateOf } from "./access.ts";
import { type Answer, ASKED_BY, resultAnswer } from "./contract.ts";
import type { TelemetryOptions } from "./observed.ts";
import { SECURITY_HEADERS } from "./security_headers.ts";

export interface QuickOptions {
  readonly access: AccessOptions;
  readonly telemetry: Pick<TelemetryOptions, "seen">;
  /** Tasks that are done, as far as they can be had at once; the same object each time. Absent: none. */
  readonly recent?: { peek(id: string): Task | undefined };
}

type Fetch = (request: Request) => Response | Promise<Response>;

/** The whole URL: one that a strange Host header has changed does not fit. */
const ASKED =
  /^https?:\/\/[\w.:[\]-]*\/(check_task|check_state|get_result)\?task_id=([0-9a-f]{40})$/;

/** Headers to which the answer says something of its own. */
const MORE_TO_SAY = ["x-request-id", "x-forwarded-proto"];

const DONE: Answer = { body: "true", headers: { "Content-Type": "application/json" } };

/** Answers what it can, and hands on the rest. */
export function quickly(
  { access, recent, telemetry: { seen } }: QuickOptions,
  otherwise: Fetch,
): Fetch {
  if (recent === undefined) return otherwise;
  const results = new WeakMap<Task, Answer>();
  function answerOf(asked: string | undefined, id: string, task: Task): Answer | undefined {
    if (task.result === null) return undefined;
    if (asked !== "get_result") return DONE;
    const answer = results.get(task) ?? resultAnswer(id, task.result);
    results.set(task, answer);
    return answer;
  }
  return (request) => {
    if (request.method !== "GET") return otherwise(request);
    const [, asked, id] = ASKED.exec(request.url) ?? [];
    const { headers } = request;
    if (id === undefined || MORE_TO_SAY.some((name) => headers.has(name))) {
      return otherwise(request);
    }
    const caller = identify(headers.get("authorization") ?? undefined, access);
    if (caller === undefined || caller instanceof Promise || !mayDo(caller.role, ASKED_BY)) {
      return otherwise(request);
    }
    const task = recent.peek(storedId(caller.tenant, id));
    const answer = task && answerOf(asked, id, task);
    if (answer === undefined) return otherwise(request);
    const start = performance.now();
    const requestId = crypto.randomUUID();
    const respond = (more: Record<string, string> = {}) => {
      const milliseconds = performance.now() - start;
      seen({ requestId, method: "GET", route: `/${asked}`, status: 200, milliseconds });
      const headers = {
        ...answer.headers,
        ...SECURITY_HEADERS,
        ...more,
        "X-Request-Id": requestId,
      };
      return new Response(answer.body, { headers });
    };
    return withinRate(caller, { access, respond, otherwise: () => otherwise(request) });
  };
}

/** The answer with what is left of the caller's rate, if that allows it; a refusal costs nothing, so the route may ask again. */
function withinRate(
  caller: Caller,
  { access, respond, otherwise }: {
    readonly access: AccessOptions;
    readonly respond: (more?: Record<string, string>) => Response;
    readonly otherwise: () => Response | Promise<Response>;
  },
): Response | Promise<Response> {
  if (caller.keyId === undefined) return respond();
  const rate = rateOf(caller, access);
  const answer = (allowance: Allowance) =>
    allowance.waitMs > 0
      ? otherwise()
      : respond(rateHeaders({ policy: "requests", rate, allowance }));
  const taken = access.buckets.take(caller.keyId, rate);
  return taken instanceof Promise ? taken.then(answer) : answer(taken);
}
