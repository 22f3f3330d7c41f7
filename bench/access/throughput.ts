/** Requests a second with a key and without, in turn, and of a checkout from before there were keys. */
import assert from "node:assert/strict";
import { EXAMPLE, PROJECT } from "../../tests/support/service.ts";
import { makeKey, median, type Running, start } from "./support.ts";

const CONNECTIONS = 64;
const lua = new URL("bench/http/upload.lua", PROJECT).pathname;

interface Contestant {
  readonly name: string;
  readonly service: Running;
  readonly key?: string;
}

export async function throughput(
  { baseline, rounds, seconds }: {
    readonly baseline: string | undefined;
    readonly rounds: number;
    readonly seconds: number;
  },
) {
  await using resources = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "prescore-bench-" });
  resources.defer(() => Deno.remove(folder, { recursive: true }));
  const keyed = `file:${folder}/keyed.db`;
  const key = await makeKey(keyed);
  const contestants: Contestant[] = [
    { name: "with a key", key, service: resources.use(await start({ databaseUrl: keyed })) },
    {
      name: "without keys",
      service: resources.use(await start({ databaseUrl: `file:${folder}/open.db` })),
    },
  ];
  if (baseline) {
    const databaseUrl = `file:${folder}/baseline.db`;
    const service = resources.use(await start({ checkout: baseline, databaseUrl }));
    contestants.push({ name: "before there were keys", service });
  }
  const perS: Record<string, Record<string, number[]>> = { get_result: {}, upload_features: {} };
  const ids = new Map<string, string>();
  for (const each of contestants) ids.set(each.name, await oneResult(each));
  for (let round = -1; round < rounds; round++) {
    // Each begins in turn: what was before it on the machine is not always the same.
    for (let place = 0; place < contestants.length; place++) {
      const each = contestants[(place + round + 1) % contestants.length];
      if (each === undefined) continue;
      const { url } = each.service;
      const results = await wrk(each, seconds, `${url}/get_result?task_id=${ids.get(each.name)}`);
      const uploads = await wrk(each, seconds, "-s", lua, `${url}/upload_features`);
      // Its tasks are scored before the next one has its turn.
      await oneResult(each, round + 2);
      if (round < 0) continue;
      (perS.get_result ??= {})[each.name] ??= [];
      (perS.upload_features ??= {})[each.name] ??= [];
      perS.get_result?.[each.name]?.push(Math.round(results));
      perS.upload_features?.[each.name]?.push(Math.round(uploads));
    }
  }
  const medians = Object.fromEntries(
    Object.entries(perS).map(([load, by]) => [
      load,
      Object.fromEntries(Object.entries(by).map(([name, values]) => [name, median(values)])),
    ]),
  );
  return { loadAverage: Deno.loadavg(), connections: CONNECTIONS, medians, perS };
}

async function wrk({ key }: Contestant, seconds: number, ...args: string[]): Promise<number> {
  const header = key === undefined ? [] : ["-H", `Authorization: Bearer ${key}`];
  const { stdout } = await new Deno.Command("wrk", {
    args: [`-c${CONNECTIONS}`, "-t1", `-d${seconds}s`, ...header, ...args],
    env: key === undefined ? {} : { PRESCORE_BENCH_KEY: key },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.doesNotMatch(text, /Non-2xx|Socket errors/, text);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}

async function oneResult({ service: { url }, key }: Contestant, merch_code = 0): Promise<string> {
  const headers = {
    "Content-Type": "application/json",
    ...key !== undefined && { Authorization: `Bearer ${key}` },
  };
  const body = JSON.stringify({ ...EXAMPLE, merch_code });
  const response = await fetch(`${url}/upload_features`, { method: "POST", headers, body });
  const { task_id } = await response.json();
  const check = `${url}/check_task?task_id=${task_id}`;
  while (await (await fetch(check, { headers })).json() !== true);
  return task_id;
}
