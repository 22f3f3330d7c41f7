/**
 * Scoring as the queue sees it: the JSON texts of a task's payload and result, and the handler between them. A payload says
 * whether it wants probabilities alone or a whole decision. What cannot be read, or decided, fails alone; a failure of the
 * models to score fails the batch, and the queue tries again.
 */
import type { Answers } from "./answers.ts";
import type { Decider } from "./decide.ts";
import type { Decision } from "./decision.ts";
import type { Application, Score, Scorer } from "./score.ts";

interface QueuedTask {
  readonly payload: string;
  readonly createdAtMs: number;
}

type Outcome = { readonly result: string } | { readonly error: string };

/** What a task is to give: the banks' probabilities, or the decision with its reasons and offers. */
export type Wanted = "probabilities" | "decision";

/** `terms`, on which it was sent, tell one request from another; nothing of them is scored. */
export function encodePayload(
  answers: Answers,
  wanted: Wanted = "probabilities",
  terms?: object,
): string {
  // An integer past 2^53 is no plausible answer: features read the nearest number.
  return JSON.stringify(
    wanted === "decision" ? { answers, wanted, terms } : { answers },
    (_, value) => typeof value === "bigint" ? Number(value) : value,
  );
}

/** What a task was stored with. Throws where it cannot be read. */
export function decodePayload(
  payload: string,
): { readonly answers: Answers; readonly wanted: Wanted } {
  const { answers, wanted = "probabilities" } = JSON.parse(payload);
  if (typeof answers !== "object" || answers === null) throw new Error("it holds no answers");
  if (wanted !== "probabilities" && wanted !== "decision") {
    throw new Error(`it wants ${JSON.stringify(wanted)}, must be probabilities or a decision`);
  }
  return { answers, wanted };
}

/** The score of a finished task, as `scoringHandler` stored it. */
export function decodeResult(text: string): Score {
  return JSON.parse(text);
}

/** The decision of a finished task whose payload wanted one. */
export function decodeDecision(text: string): Decision {
  return JSON.parse(text);
}

/** Which models gave a result, and the probability at each bank that has one, whatever the task wanted. */
export function decodeProbabilities(
  text: string,
): { readonly model: string; readonly probabilities: ReadonlyMap<string, number> } {
  const result: Score | Decision = JSON.parse(text);
  if ("probabilities" in result) {
    return { model: result.model, probabilities: new Map(Object.entries(result.probabilities)) };
  }
  const decided = result.banks.filter((bank) => bank.status === "decided");
  return {
    model: result.receipt.model.version,
    probabilities: new Map(decided.map(({ bank, probability }) => [bank, probability])),
  };
}

export interface HandlerParts {
  readonly scorer: Pick<Scorer, "score">;
  readonly decider: Pick<Decider, "decide">;
}

export function scoringHandler(
  { scorer, decider }: HandlerParts,
): (tasks: readonly QueuedTask[]) => Promise<Outcome[]> {
  return async (tasks) => {
    const read = tasks.map(readApplication);
    const toScore = read.filter((item) => "answers" in item)
      .filter(({ wanted }) => wanted === "probabilities");
    const scores = (toScore.length > 0 ? await scorer.score(toScore) : []).values();
    return await Promise.all(read.map((item) => {
      if ("error" in item) return item;
      return item.wanted === "decision"
        ? decideOne(decider, item)
        : { result: JSON.stringify(scores.next().value) };
    }));
  };
}

async function decideOne(
  decider: Pick<Decider, "decide">,
  application: Application,
): Promise<Outcome> {
  try {
    return { result: JSON.stringify(await decider.decide(application)) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function readApplication(
  { payload, createdAtMs }: QueuedTask,
): Application & { wanted: Wanted } | { error: string } {
  try {
    return { ...decodePayload(payload), atMs: createdAtMs };
  } catch (error) {
    return {
      error: `the stored application cannot be read: ${
        error instanceof Error ? error.message : error
      }`,
    };
  }
}
