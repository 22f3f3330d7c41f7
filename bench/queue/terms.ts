/**
 * What it costs an upload that a person and a consent can come with it: the store with tasks that have neither, the same with both, and,
 * where its folder is given, the store of an earlier version.
 *
 *     deno task bench-terms [--baseline FOLDER] [--rounds 7] [--tasks 25600]
 *
 * In each round every contestant runs once, in turn, on a new file, in commits of 64; medians are compared. Raw figures go to
 * bench/results/terms.json.
 */
import { parseArgs } from "node:util";
import { PROJECT, readConfig } from "../../tests/support/service.ts";

const COMMIT = 64;
const TERMS = {
  actor: "key:1",
  subject: "a".repeat(64),
  consent: { purposes: ["scoring", "marketing"], document: "notice/1" },
};

const { values: options } = parseArgs({
  options: {
    baseline: { type: "string" },
    rounds: { type: "string", default: "7" },
    tasks: { type: "string", default: "25600" },
  },
});
const { limits } = readConfig().service;
const payload = JSON.stringify({ answers: { text: "x".repeat(400) }, wanted: "decision" });

/** Tasks that a store takes in a second. */
async function measure(project: URL, terms?: typeof TERMS): Promise<number> {
  const { openStores }: typeof import("../../stores.ts") = await import(
    new URL("stores.ts", project).href
  );
  const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
  const { store } = await openStores({ databaseUrl: `file:${folder}/p.db`, limits }, 0);
  try {
    let number = 0;
    const commit = () =>
      store.enqueue(
        Array.from({ length: COMMIT }, () => ({
          ...{ id: `app_${number++}`, payload, revision: "1" },
          ...terms && { terms: terms as never },
        })),
        1,
      );
    for (let warm = 0; warm < 50; warm++) await commit();
    const commits = Math.ceil(Number(options.tasks) / COMMIT);
    const start = performance.now();
    for (let at = 0; at < commits; at++) await commit();
    return commits * COMMIT / (performance.now() - start) * 1000;
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const contestants: Record<string, () => Promise<number>> = {
  "without terms": () => measure(PROJECT),
  "with a person and two purposes": () => measure(PROJECT, TERMS),
};
const { baseline } = options;
if (baseline !== undefined) {
  const folder = new URL(`file://${await Deno.realPath(baseline)}/`);
  contestants["the earlier version"] = () => measure(folder);
}
const perSecond: Record<string, number[]> = {};
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, run] of Object.entries(contestants)) {
    (perSecond[name] ??= []).push(Math.round(await run()));
  }
}
const peer = median(
  perSecond[baseline === undefined ? "without terms" : "the earlier version"] ?? [],
);
const ratios = Object.fromEntries(
  Object.entries(perSecond).map(([name, each]) => [name, Number((median(each) / peer).toFixed(2))]),
);
for (const [name, ratio] of Object.entries(ratios)) {
  console.log(`${name}: ${ratio} (${median(perSecond[name] ?? [])} tasks a second)`);
}
const result = { tasksPerSecond: perSecond, ratios };
await Deno.writeTextFile(
  new URL("bench/results/terms.json", PROJECT),
  `${JSON.stringify(result, null, 2)}\n`,
);
