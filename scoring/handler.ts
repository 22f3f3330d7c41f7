/**
 * Scoring as the queue sees it: the JSON texts of a task's payload and result, and the handler between them. A payload that
 * cannot be read fails alone; a failure of the models fails the batch, and the queue tries again.
 */
import type { Answers } from "./answers.ts";
import type { Application, Score, Scorer } from "./score.ts";

interface QueuedTask {
  readonly payload: string;
  readonly createdAtMs: number;
}

type Outcome = { readonly result: string } | { readonly error: string };

export function encodePayload(answers: Answers): string {
  // An integer past 2^53 is no plausible answer: features read the nearest number.
  return JSON.stringify(
    { answers },
    (_, value) => typeof value === "bigint" ? Number(value) : value,
  );
}

/** The score of a finished task, as `scoringHandler` stored it. */
export function decodeResult(text: string): Score {
  return JSON.parse(text);
}

export function scoringHandler(
  scorer: Scorer,
): (tasks: readonly QueuedTask[]) => Promise<Outcome[]> {
  return async (tasks) => {
    const read = tasks.map(readApplication);
    const applications = read.filter((item) => "answers" in item);
    const scores = (await scorer.score(applications)).values();
    return read.map((item) =>
      "error" in item ? item : { result: JSON.stringify(scores.next().value) }
    );
  };
}

function readApplication({ payload, createdAtMs }: QueuedTask): Application | { error: string } {
  try {
    const { answers } = JSON.parse(payload);
    if (typeof answers !== "object" || answers === null) throw new Error("it holds no answers");
    return { answers, atMs: createdAtMs };
  } catch (error) {
    return {
      error: `the stored application cannot be read: ${
        error instanceof Error ? error.message : error
      }`,
    };
  }
}
