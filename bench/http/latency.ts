/** Uploads that are each followed to their result: how many a second at most, and how long that takes at a steady rate. */
import { EXAMPLE } from "../../tests/support/service.ts";

const POLL_MS = 2;
const CLIENTS = 64;

/** Other questionnaires than any that were uploaded before. */
let next = Math.floor(Date.now() % 1e9) * 10;

/** Uploads one, and resolves when its result is there. */
async function follow(url: string): Promise<void> {
  const response = await fetch(`${url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...EXAMPLE, monthexpense: next++ }),
  });
  const { task_id } = await response.json();
  while (await (await fetch(`${url}/check_task?task_id=${task_id}`)).text() !== "true") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Results a second where 64 clients each upload the next as soon as the last has its result. */
export async function mostResultsPerS(url: string, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  let results = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (; performance.now() < endMs; results++) await follow(url);
  }));
  return results / seconds;
}

export interface SteadyLoad {
  readonly uploadsPerS: number;
  readonly seconds: number;
}

/**
 * From when each upload was due to its result, in milliseconds, sorted. An upload begins at its time whether or not earlier ones
 * have ended, so a stall shows in all that it held up.
 */
export async function uploadToResultMs(
  url: string,
  { uploadsPerS, seconds }: SteadyLoad,
): Promise<number[]> {
  const times: number[] = [];
  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let number = 0; number < uploadsPerS * seconds;) {
    const due = Math.floor((performance.now() - startMs) / 1000 * uploadsPerS);
    for (; number < due; number++) {
      const dueMs = startMs + number * 1000 / uploadsPerS;
      all.push(follow(url).then(() => void times.push(performance.now() - dueMs)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  return times.sort((a, b) => a - b);
}
