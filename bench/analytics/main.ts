/**
 * How long an operator's pages take, and a client's read models, as applications add up; how much room they take, and by which plans
 * the database answers.
 *
 *     deno task bench-analytics [--rows 10000,100000,1000000] [--rounds 5] [--keep FOLDER]
 *
 * For each number of rows a database is filled through the service's own stores (a million take some minutes), or found in the folder
 * that is kept. Then the service runs on it as a process of its own, and is asked for each page one by one: cold is the first page
 * after a start, when the workers are there and somebody has signed in, without the file in the system's memory; warm is any later one;
 * fresh is the first one after what is kept for a minute has grown old. Medians and the longest, in milliseconds; raw results: bench/results/analytics.json.
 */
import { parseArgs } from "node:util";
import { keyText, newKey } from "../../access/mod.ts";
import { Connection } from "../../database/connection.ts";
import { subjectHashOf } from "../../subject_key.ts";
import { bearer } from "../../tests/support/keys.ts";
import { type AskedPage, pagesOf, requestOf } from "../../tests/support/pages.ts";
import { openRecorded } from "../../tests/support/plans.ts";
import { type ServiceProcess, spawnService } from "../../tests/support/process.ts";
import { readConfig } from "../../tests/support/service.ts";
import { median, writeResult } from "../api/support.ts";
import { fill, PERSON, someApplication } from "./fill.ts";

const LIMIT_MS = 300;
/** What is kept for a minute is old. */
const OLD_MS = 61_000;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000,1000000" },
    rounds: { type: "string", default: "5" },
    keep: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const { workers } = readConfig().service;
const key = keyText(newKey((bytes) => crypto.getRandomValues(bytes)));

interface Times {
  readonly medianMs: number;
  readonly longestMs: number;
}

interface PageTimes {
  readonly page: string;
  readonly bytes: number;
  readonly cold: Times;
  readonly warm: Times;
  readonly freshMs: number;
}

/** A running service with somebody who has signed in. */
class Visitor implements AsyncDisposable {
  readonly #service: ServiceProcess;
  readonly #cookie: string;

  private constructor(service: ServiceProcess, cookie: string) {
    this.#service = service;
    this.#cookie = cookie;
  }

  static async signIn(file: string): Promise<Visitor> {
    const folder = file.replace(/[^/]*$/, "");
    const service = await spawnService({
      ...{ PRESCORE_PORT: "0", PRESCORE_DATABASE_URL: `file:${file}`, PRESCORE_ADMIN_KEY: key },
    }, ["-P=start", `--allow-write=${folder}`, "main.ts"]);
    await untilWorkersStarted(service.url);
    const answer = await fetch(`${service.url}/console/login`, {
      ...{ method: "POST", redirect: "manual", headers: { Origin: service.url } },
      body: new URLSearchParams({ key }),
    });
    await answer.body?.cancel();
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    return new Visitor(service, cookie);
  }

  async ask(page: AskedPage): Promise<{ readonly text: string; readonly ms: number }> {
    const headers = page.path.startsWith("/console") ? { Cookie: this.#cookie } : bearer(key);
    const startMs = performance.now();
    const response = await fetch(`${this.#service.url}${page.path}`, requestOf(page, headers));
    const text = await response.text();
    const ms = performance.now() - startMs;
    if (response.status !== 200) throw new Error(`${page.path}: ${response.status} ${text}`);
    return { text, ms };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.end("SIGTERM");
  }
}

/** Making a worker holds the main thread. */
async function untilWorkersStarted(url: string): Promise<void> {
  const started = new RegExp(`^prescore_worker_starts_total ${workers}$`, "m");
  for (;;) {
    const metrics = await fetch(`${url}/metrics`, { headers: bearer(key) });
    if (started.test(await metrics.text())) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await (await fetch(`${url}/readyz`)).body?.cancel();
}

/** The database with so many applications; filled, if it is not there. */
async function database(keep: string, rows: number): Promise<string> {
  const folder = `${keep}/${rows}`;
  const file = `${folder}/prescore.db`;
  if (await Deno.stat(file).catch(() => undefined)) return file;
  const part = `${folder}.part`;
  await Deno.remove(part, { recursive: true }).catch(() => {});
  const startMs = performance.now();
  await fill(`file:${part}/prescore.db`, rows);
  await Deno.rename(part, folder);
  console.log(`${rows} applications in ${Math.round((performance.now() - startMs) / 1000)} s`);
  return file;
}

async function pages(file: string, rows: number): Promise<AskedPage[]> {
  await using visitor = await Visitor.signIn(file);
  const read = async (page: Omit<AskedPage, "name">) =>
    JSON.parse((await visitor.ask({ name: "", ...page })).text);
  const { entries: [last] } = await read({ path: "/v1/audit?limit=1" });
  const report = await read({ path: "/v1/subjects/report", body: { subject: PERSON } });
  return pagesOf({
    application: someApplication(rows),
    entry: Math.ceil(last.sequence / 2),
    person: { subject: PERSON, after: report.next ?? 1 },
  });
}

async function measure(file: string, asked: readonly AskedPage[]): Promise<PageTimes[]> {
  const cold = asked.map((): number[] => []);
  const warm = asked.map((): number[] => []);
  const bytes = new Map<AskedPage, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [at, page] of asked.entries()) {
      await forget(file);
      await using visitor = await Visitor.signIn(file);
      cold[at]?.push((await visitor.ask(page)).ms);
    }
  }
  await using visitor = await Visitor.signIn(file);
  for (let round = 0; round <= rounds; round++) {
    for (const [at, page] of asked.entries()) {
      const { ms, text } = await visitor.ask(page);
      bytes.set(page, text.length);
      if (round > 0) warm[at]?.push(ms);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, OLD_MS));
  const measured: PageTimes[] = [];
  for (const [at, page] of asked.entries()) {
    const { ms } = await visitor.ask(page);
    measured.push({
      ...{ page: page.name, bytes: bytes.get(page) ?? NaN, freshMs: tenths(ms) },
      ...{ cold: timesOf(cold[at] ?? []), warm: timesOf(warm[at] ?? []) },
    });
  }
  return measured;
}

/** Leaves nothing of the file in the system's memory. */
async function forget(file: string): Promise<void> {
  const args = [`if=${file}`, "iflag=nocache", "count=0", "status=none"];
  const { success } = await new Deno.Command("dd", { args }).output();
  if (!success) throw new Error(`${file} stays in memory`);
}

function timesOf(ms: readonly number[]): Times {
  return { medianMs: tenths(median(ms)), longestMs: tenths(Math.max(...ms)) };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Bytes by table, its indexes with it; the largest first. */
async function sizes(file: string): Promise<Record<string, number>> {
  const connection = await Connection.open(`file:${file}`);
  try {
    const { rows } = await connection.read(
      `SELECT tbl_name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
      WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY bytes DESC`,
    );
    return Object.fromEntries(rows.map(({ tbl_name, bytes }) => [tbl_name, Number(bytes)]));
  } finally {
    connection.close();
  }
}

async function printPlans(file: string, asked: readonly AskedPage[]): Promise<void> {
  const databaseUrl = `file:${file}`;
  await using app = await openRecorded({
    databaseUrl,
    subjectHash: subjectHashOf({ databaseUrl }),
  });
  const known = new Set<string>();
  for (const page of asked) {
    for (const { sql, steps } of await app.plansOf(page)) {
      if (known.has(sql)) continue;
      known.add(sql);
      console.log(`${page.name}: ${sql}\n${steps.map((step) => `    ${step}`).join("\n")}`);
    }
  }
}

const kept = values.keep ?? await Deno.makeTempDir({ prefix: "prescore-bench-" });
const results = [];
for (const rows of values.rows.split(",").map(Number)) {
  const file = await database(kept, rows);
  const asked = await pages(file, rows);
  const times = await measure(file, asked);
  const bytes = await sizes(file);
  await printPlans(file, asked);
  const perApplication = Object.fromEntries(
    Object.entries(bytes).map(([table, size]) => [table, tenths(size / rows)])
      .filter(([, size]) => size !== 0),
  );
  console.log(`${rows} applications, ${(await Deno.stat(file)).size / rows} bytes each`);
  console.table(perApplication);
  console.table(times.map(({ page, bytes, cold, warm, freshMs }) => ({
    ...{ page, bytes, cold: cold.medianMs, coldLongest: cold.longestMs, fresh: freshMs },
    ...{ warm: warm.medianMs, warmLongest: warm.longestMs },
  })));
  const slow = times.filter(({ cold, warm, freshMs }) =>
    Math.max(cold.longestMs, warm.longestMs, freshMs) > LIMIT_MS
  );
  console.log(`over ${LIMIT_MS} ms: ${slow.map(({ page }) => page).join(", ") || "none"}`);
  // Other work on the machine, where there is more of it than the service and this: times are longer then.
  const [load = NaN] = Deno.loadavg();
  results.push({ rows, load: tenths(load), bytesPerApplication: perApplication, pages: times });
}
if (values.keep === undefined) await Deno.remove(kept, { recursive: true });
await writeResult("analytics", { rounds, limitMs: LIMIT_MS, results });
