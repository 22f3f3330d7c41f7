/** Uploads that are each followed to their result: how many a second at most, and how long that takes at a steady rate. */
import { DatabaseSync } from "node:sqlite";
import { EXAMPLE } from "../../tests/support/service.ts";
import { Wire } from "./wire.ts";

const POLL_MS = 4;
const CLIENTS = 64;

/** Other questionnaires than any that were uploaded before. */
let next = Math.floor(Date.now() % 1e9) * 10;

/** Uploads one, and resolves when its result is there. */
async function follow(wire: Wire): Promise<void> {
  const answer = await wire.post(
    "/upload_features",
    JSON.stringify({ ...EXAMPLE, monthexpense: next++ }),
  );
  const { task_id } = JSON.parse(answer);
  while (await wire.get(`/check_task?task_id=${task_id}`) !== "true") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Results a second where 64 clients each upload the next as soon as the last has its result. */
export async function mostResultsPerS(url: string, seconds: number): Promise<number> {
  const wire = new Wire(url);
  const endMs = performance.now() + seconds * 1000;
  let results = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (; performance.now() < endMs; results++) await follow(wire);
  }));
  wire.close();
  return results / seconds;
}

/** From the commit of each of the last uploads to that of its result, as the database has it: without clients and their polls. Sorted. */
export function storedMs(path: string, tasks: number): number[] {
  using database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare(
    "SELECT finished_at_ms - created_at_ms AS ms FROM tasks WHERE state = 'done' ORDER BY rowid DESC LIMIT ?",
  ).all(tasks);
  return rows.map(({ ms }) => Number(ms)).sort((a, b) => a - b);
}

/** What the disk alone takes to keep 16 KB, about a small commit, one at a time; milliseconds, sorted. */
export async function syncMs(folder: string): Promise<number[]> {
  const file = await Deno.open(`${folder}/sync`, { write: true, create: true });
  const bytes = new Uint8Array(16_384);
  const times = Array.from({ length: 500 }, () => {
    const startMs = performance.now();
    file.writeSync(bytes);
    file.syncDataSync();
    return performance.now() - startMs;
  });
  file.close();
  return times.sort((a, b) => a - b);
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
  const wire = new Wire(url);
  const times: number[] = [];
  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let number = 0; number < uploadsPerS * seconds;) {
    const due = Math.floor((performance.now() - startMs) / 1000 * uploadsPerS);
    for (; number < due; number++) {
      const dueMs = startMs + number * 1000 / uploadsPerS;
      all.push(follow(wire).then(() => void times.push(performance.now() - dueMs)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  wire.close();
  return times.sort((a, b) => a - b);
}
