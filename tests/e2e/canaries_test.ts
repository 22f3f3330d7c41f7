/**
 * Where values of people get to: into the database, sealed, until they are erased, and nowhere else. The service as a process, with everything
 * on that says anything of it. `PRESCORE_CANARIES` says how many people apply.
 */
import assert from "node:assert/strict";
import { Connection } from "../../database/connection.ts";
import { LibsqlStore } from "../../queue/libsql_store.ts";
import { SealError, Vault } from "../../sealing/mod.ts";
import { MASTER_KEY } from "../support/master_key.ts";
import { startOtlpReceiver } from "../support/otlp_receiver.ts";
import { PERMISSIONS, runTask } from "../support/process.ts";
import { EXAMPLE, PROJECT } from "../support/service.ts";
import { LIMITS, temporaryFolder } from "../support/store.ts";

const PEOPLE = Number(Deno.env.get("PRESCORE_CANARIES") ?? "60");
/** At once. */
const CLIENTS = 16;
const CANARY = "canary-5b0e";
/** Incomes that occur nowhere else, and how they all begin: long enough for no random id to have it. */
const FIRST_INCOME = 7_310_000_000;
const INCOME = "73100000";

/** What of a person must be found nowhere. */
function valuesOf(person: number): readonly string[] {
  return [`${CANARY}-${person}-position`, `${CANARY}-${person}-subject`];
}

async function configure(folder: string): Promise<string> {
  const configs = `${folder}/configs`;
  await Deno.mkdir(configs);
  for (const name of ["questionnaire.json", "banks.json", "policy.json", "service.json"]) {
    const config = JSON.parse(await Deno.readTextFile(new URL(`configs/${name}`, PROJECT)));
    if (name === "service.json") Object.assign(config, { log: { requests: true } });
    if (name === "banks.json") config.models = new URL("models/1", PROJECT).pathname;
    await Deno.writeTextFile(`${configs}/${name}`, JSON.stringify(config));
  }
  return configs;
}

/** Whether the canary stands in any file of the folder. */
async function isInFiles(folder: string): Promise<boolean> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
    if (text.includes(CANARY) || text.includes(INCOME)) {
      return true;
    }
  }
  return false;
}

async function collect(stream: ReadableStream<Uint8Array>, told: (text: string) => void) {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) told(text);
}

/** How many of the applications and chunks in a copy of the database can be read with the keys of now. */
async function readable(copy: string, keys: string): Promise<{ read: number; of: number }> {
  const connection = await Connection.open(`file:${copy}`);
  const database = await Connection.open(`file:${keys}`);
  const masterKeys = [Uint8Array.fromHex(MASTER_KEY)];
  const vault = await Vault.open({ database, masterKeys, isFile: true });
  const store = new LibsqlStore(connection, { limits: LIMITS, vault });
  try {
    const { rows } = await connection.read("SELECT id FROM tasks");
    let read = 0;
    for (const { id } of rows) {
      const text = await store.payload(String(id)).catch((error) => {
        assert.ok(error instanceof SealError, String(error));
      });
      if (text?.includes(CANARY)) read++;
    }
    return { read, of: rows.length };
  } finally {
    store.close();
  }
}

Deno.test(`no value of ${PEOPLE} people is in clear in a file, a backup, a log, a metric, a trace or the audit log, nor to be read after erasure`, async () => {
  await using folder = await temporaryFolder();
  await using receiver = startOtlpReceiver();
  const configs = await configure(folder.path);
  await Deno.mkdir(`${folder.path}/data`);
  const env = {
    PRESCORE_CONFIG: configs,
    PRESCORE_DATABASE_URL: `file:${folder.path}/data/prescore.db`,
    PRESCORE_PORT: "0",
    PRESCORE_SUBJECT_KEY: "5".repeat(64),
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
    NO_COLOR: "1",
  };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, "main.ts"],
    ...{ cwd: PROJECT, env, stdout: "piped", stderr: "piped" },
  }).spawn();
  let [output, log] = ["", ""];
  const listening = Promise.withResolvers<string>();
  const outputs = [
    collect(child.stdout, (text) => {
      output += text;
      const url = /listens on (http:\S+)/.exec(output)?.[1];
      if (url !== undefined) listening.resolve(url);
    }),
    collect(child.stderr, (text) => log += text),
  ];
  const url = await Promise.race([
    listening.promise,
    child.status.then(() => {
      throw new Error(`the service ended: ${output}${log}`);
    }),
  ]);
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "Content-Type": "application/json", Prefer: "wait=10" },
      ...body !== undefined && { body: JSON.stringify(body) },
    });
    return { status: response.status, text: await response.text() };
  };
  /** For every person, so many at once. */
  const each = async (work: (person: number) => Promise<void>) => {
    let next = 0;
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (next < PEOPLE) await work(next++);
    }));
  };
  const rows = Array.from({ length: PEOPLE }, (_, person) => {
    const [position = "", subject = ""] = valuesOf(person);
    return { answers: { position, monthprofit: FIRST_INCOME + person }, subject };
  });
  const batch = await send("POST", "/v1/batches", rows);
  assert.equal(batch.status, 202);
  const tasks: string[] = [];
  await each(async (person) => {
    const [position = "", subject = ""] = valuesOf(person);
    const answers = { ...EXAMPLE, position, monthprofit: FIRST_INCOME + person };
    const consent = { purposes: ["scoring"], document: "notice/1" };
    const sent = { answers, subject, consent };
    assert.equal((await send("POST", "/v1/applications", sent)).status, 200);
    const uploaded = await send("POST", "/upload_features", { ...answers, merch_code: person });
    tasks.push(JSON.parse(uploaded.text).task_id);
    // What is wrong is told to whoever sent it, and to nobody else.
    assert.equal(
      (await send("POST", "/v1/applications", { ...sent, [position]: subject })).status,
      422,
    );
    assert.equal((await send("POST", "/upload_features", { monthprofit: position })).status, 422);
    assert.equal((await send("POST", "/v1/what-if", { answers })).status, 200);
    assert.equal((await send("POST", "/v1/subjects/report", { subject })).status, 200);
  });
  const isFinished = async () =>
    (await send("GET", `/v1/batches/${JSON.parse(batch.text).id}`)).text.includes('"finished"');
  while (!await isFinished());
  assert.equal(await isInFiles(`${folder.path}/data`), false, "a value is stored in clear");
  const keys = `${folder.path}/data/prescore.db.keys.db`;
  const before = `${folder.path}/before.db`;
  const copied = await runTask(["-P=operate", "tasks/backup.ts", "--to", before], { env });
  assert.equal(copied.code, 0, copied.stderr);
  assert.equal(await isInFiles(folder.path), false, "a value is in clear in the backup");
  const sealed = await readable(before, keys);
  assert.equal(sealed.read, sealed.of);
  assert.ok(sealed.of > 2 * PEOPLE);
  await each(async (person) => {
    const [, subject] = valuesOf(person);
    const { text } = await send("POST", "/v1/subjects/erasure", { subject });
    assert.deepEqual(JSON.parse(text), { applications: 1, rows: 1, beingScored: [] });
    const id = tasks[person];
    for (;;) {
      const { status } = await send("DELETE", `/v1/applications/${id}`);
      // One that is being scored is erased when it has been.
      if (status === 204) break;
      assert.equal(status, 409);
      await send("GET", `/check_task?task_id=${id}`);
    }
  });
  const metrics = (await send("GET", "/metrics")).text;
  assert.match(metrics, /prescore_score_count/);
  await receiver.until((spans) => spans.some(({ name }) => name === "GET /metrics"));
  assert.equal(await isInFiles(`${folder.path}/data`), false, "a value is left after erasure");

  // Of a batch, whose rows were erased one by one, what is left was sealed anew.
  assert.deepEqual(await readable(before, keys), { read: 0, of: sealed.of });
  const backup = await runTask([
    "-P=operate",
    "tasks/backup.ts",
    "--to",
    `${folder.path}/backup.db`,
  ], {
    env,
  });
  assert.equal(backup.code, 0, backup.stderr);
  const audit = await runTask(["-P=operate", "tasks/audit.ts", "list", "--limit", "1000"], { env });
  assert.equal(audit.code, 0, audit.stderr);
  assert.match(audit.stdout, /subject\.erase/);
  child.kill("SIGTERM");
  await Promise.all([child.status, ...outputs]);
  assert.equal(await isInFiles(`${folder.path}/data`), false);
  await Deno.remove(`${folder.path}/data`, { recursive: true });
  assert.equal(await isInFiles(folder.path), false, "a value is in the backup");

  assert.ok(log.includes('"route":"/v1/subjects/erasure"'), "requests are logged");
  const said = { output, log, metrics, audit: audit.stdout + backup.stdout };
  const exported = receiver.bodies.map(({ text }) => text).join("\n");
  for (const [where, text] of Object.entries({ ...said, exported })) {
    for (const value of [CANARY, INCOME, EXAMPLE.birthdate]) {
      assert.ok(!text.includes(value), `${value} is in: ${where}`);
    }
  }
});
