/** Uploads at a steady rate, each followed to its result: how long that takes, in milliseconds. */
import { EXAMPLE } from "../../tests/support/service.ts";

export interface LatencyOptions {
  readonly uploadsPerS: number;
  readonly seconds: number;
}

/** Sorted. An upload begins at its time whether or not earlier ones have ended, so a stall shows in all that it held up. */
export async function uploadToResultMs(
  url: string,
  { uploadsPerS, seconds }: LatencyOptions,
): Promise<number[]> {
  const times: number[] = [];
  const startMs = performance.now();
  const seed = Math.floor(startMs * 1000) % 1e9;
  async function follow(number: number, dueMs: number): Promise<void> {
    const response = await fetch(`${url}/upload_features`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...EXAMPLE, monthprofit: 10_000 + seed + number }),
    });
    const { task_id } = await response.json();
    while (await (await fetch(`${url}/check_task?task_id=${task_id}`)).text() !== "true") {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    times.push(performance.now() - dueMs);
  }
  const all: Promise<void>[] = [];
  for (let number = 0; number < uploadsPerS * seconds;) {
    const due = Math.floor((performance.now() - startMs) / 1000 * uploadsPerS);
    for (; number < due; number++) all.push(follow(number, startMs + number * 1000 / uploadsPerS));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  return times.sort((a, b) => a - b);
}
