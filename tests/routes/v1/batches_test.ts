import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { CHUNK_ROWS } from "../../../routes/v1/batch_upload.ts";
import { batchRowSchema, batchViewSchema } from "../../../routes/v1/batch_view.ts";
import { withChunks } from "../../../scoring/chunk.ts";
import { limitsOf } from "../../../routes/limits.ts";
import { config, openApp, shippedScoring, type TestApp } from "../../support/app.ts";
import { settle } from "../../support/fake_clock.ts";
import { EXAMPLE } from "../../support/service.ts";

const PATH = "/v1/batches";
const SCORE = { probabilities: { bank_a: 0.5 }, model: "1" };

/** Different applications, a line each. */
function lines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, row) => JSON.stringify({ answers: { ...EXAMPLE, monthprofit: 50_000 + row } }),
  );
}

function upload(
  app: TestApp,
  body: BodyInit,
  { type = "application/x-ndjson", key, detail }: { type?: string; key?: string; detail?: string } =
    {},
): Promise<Response> {
  return app.request(PATH + (detail === undefined ? "" : `?detail=${detail}`), {
    method: "POST",
    body,
    headers: { "Content-Type": type, ...key !== undefined && { "Idempotency-Key": key } },
  });
}

async function view(app: TestApp, id: string) {
  return batchViewSchema.parse(await (await app.request(`${PATH}/${id}`)).json());
}

async function finished(app: TestApp, id: string) {
  for (let turn = 0; turn < 2000; turn++) {
    const batch = await view(app, id);
    if (batch.status === "finished") return batch;
    await app.clock.advance(200);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error(`batch ${id} has no end`);
}

async function results(app: TestApp, id: string, query = "") {
  const response = await app.request(`${PATH}/${id}/results${query}`);
  assert.equal(response.status, 200);
  const text = await response.text();
  return text.split("\n").filter(Boolean).map((line) => batchRowSchema.parse(JSON.parse(line)));
}

Deno.test("a batch is taken, scored in order, and read again as NDJSON and CSV", async () => {
  await using app = await openApp();
  app.startQueue();
  const rows = lines(2 * CHUNK_ROWS + 10);
  rows[3] = "nonsense";
  const response = await upload(app, rows.join("\n"));
  assert.equal(response.status, 202);
  const { id, rows: taken } = batchViewSchema.parse(await response.json());
  assert.match(id, /^bat_[0-9a-f]{32}$/);
  assert.equal(response.headers.get("location"), `${PATH}/${id}`);
  assert.deepEqual([taken.stored, taken.refused], [rows.length, 1]);
  const batch = await finished(app, id);
  assert.equal(batch.rows.done, rows.length);

  const found = await results(app, id);
  assert.deepEqual(found.map(({ row }) => row), rows.map((_, index) => index + 1));
  assert.deepEqual(
    found.flatMap(({ row, status }) => status === "scored" ? [] : [[row, status]]),
    [[4, "refused"]],
  );
  const single = await app.post("/v1/what-if", JSON.parse(rows[CHUNK_ROWS] ?? ""));
  const { decision } = await single.json();
  const row = found[CHUNK_ROWS];
  assert.ok(row?.status === "scored");
  for (const { bank, probability } of decision.banks) {
    assert.equal(row.probabilities[bank], probability);
  }
  assert.deepEqual((await results(app, id, "?from=300")).map(({ row }) => row)[0], 300);

  const csv = await (await app.request(`${PATH}/${id}/results?format=csv&from=3`)).text();
  const [header, third, fourth] = csv.split("\r\n");
  assert.equal(header, "row,status,bank_a,bank_b,bank_c,bank_d,bank_e,problem");
  assert.match(third ?? "", /^3,scored(,0\.\d+){5},$/);
  assert.match(fourth ?? "", /^4,refused,,,,,,"the row must be JSON: /);
  assert.equal(csv.split("\r\n").length, rows.length);
});

Deno.test("a JSON array and a table make the same batch as lines do", async () => {
  await using app = await openApp();
  app.startQueue();
  const ids = Object.keys(EXAMPLE);
  const csv = [ids, Object.values(EXAMPLE)].map((row) => row.join(";")).join("\n");
  const bodies = [
    ["application/x-ndjson", JSON.stringify({ answers: EXAMPLE })],
    ["application/json; charset=utf-8", JSON.stringify([{ answers: EXAMPLE }])],
    ["text/csv", csv],
  ] as const;
  const scored = await Promise.all(bodies.map(async ([type, body]) => {
    const { id } = await (await upload(app, body, { type })).json();
    await finished(app, id);
    return await results(app, id);
  }));
  assert.equal(scored[0]?.[0]?.status, "scored");
  assert.deepEqual(scored[1], scored[0]);
  assert.deepEqual(scored[2], scored[0]);
});

Deno.test("a row gets its whole decision where that is asked for", async () => {
  await using app = await openApp();
  app.startQueue();
  const { id } = await (await upload(app, lines(3).join("\n"), { detail: "decisions" })).json();
  await finished(app, id);
  const found = await results(app, id);
  assert.deepEqual(found.map(({ status }) => status), ["decided", "decided", "decided"]);
  const csv = await (await app.request(`${PATH}/${id}/results?format=csv`)).text();
  assert.match(csv, /^1,decided(,0\.\d+){5},\r$/m);
});

Deno.test("the results come as far as they are there without a gap", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const all = async (applications: readonly unknown[]) => {
    if (applications.length < CHUNK_ROWS) await released;
    return applications.map(() => SCORE);
  };
  const handler = withChunks({ probabilities: { all, one: () => Promise.resolve(SCORE) } }, fail);
  await using app = await openApp({ handler });
  app.startQueue();
  const { id } = await (await upload(app, lines(CHUNK_ROWS + 1).join("\n"))).json();
  await until(async () => (await view(app, id)).rows.done === CHUNK_ROWS);
  const response = await app.request(`${PATH}/${id}/results`);
  assert.equal(response.headers.get("prescore-batch-status"), "running");
  assert.equal((await response.text()).trim().split("\n").length, CHUNK_ROWS);
  assert.deepEqual(await results(app, id, `?from=${CHUNK_ROWS + 1}`), []);
  release();
  await finished(app, id);
  const [last] = await results(app, id, `?from=${CHUNK_ROWS + 1}`);
  assert.deepEqual(last, { row: CHUNK_ROWS + 1, status: "scored", ...SCORE });
});

Deno.test("a row on which the models fail is named, and the others have their scores", async () => {
  const poisoned = (applications: readonly { answers: Record<string, unknown> }[]) =>
    applications.some(({ answers }) => answers.monthprofit === 50_001)
      ? Promise.reject(new Error("the worker died"))
      : Promise.resolve(applications.map(() => SCORE));
  const handler = withChunks({
    probabilities: { all: poisoned, one: async (each) => (await poisoned([each]))[0] },
  }, fail);
  await using app = await openApp({ handler });
  app.startQueue();
  const { id } = await (await upload(app, lines(3).join("\n"))).json();
  await finished(app, id);
  assert.deepEqual(await results(app, id), [
    { row: 1, status: "scored", ...SCORE },
    { row: 2, status: "failed", failure: "the worker died" },
    { row: 3, status: "scored", ...SCORE },
  ]);
  const csv = await (await app.request(`${PATH}/${id}/results?format=csv`)).text();
  assert.equal(csv.split("\r\n")[2], "2,failed,,,,,,the worker died");
});

Deno.test("a chunk that is dead says why in each of its rows", async () => {
  await using app = await openApp({
    handler: (tasks) => Promise.resolve(tasks.map(() => ({ error: "out of memory" }))),
  });
  app.startQueue();
  const { id } = await (await upload(app, lines(2).join("\n"))).json();
  await finished(app, id);
  const failed = { status: "failed", failure: "out of memory" } as const;
  assert.deepEqual(await results(app, id), [{ row: 1, ...failed }, { row: 2, ...failed }]);
});

Deno.test("the same key and rows are one batch; with other rows 409, and nothing is changed", async () => {
  await using app = await openApp();
  const key = '"night"';
  const rows = lines(CHUNK_ROWS + 5);
  const first = await (await upload(app, rows.join("\n"), { key })).json();
  assert.deepEqual(await (await upload(app, rows.join("\n"), { key })).json(), first);
  const others: [string, { detail?: string }][] = [
    [rows.slice(0, -1).join("\n"), {}],
    [rows.slice(0, CHUNK_ROWS).join("\n"), {}],
    [[...rows, rows[0]].join("\n"), {}],
    [[...rows.slice(0, -1), rows[0]].join("\n"), {}],
    [rows.join("\n"), { detail: "decisions" }],
  ];
  for (const [body, options] of others) {
    const response = await upload(app, body, { key, ...options });
    assert.equal(response.status, 409);
    assert.equal((await response.json()).type, "/problems/idempotency-key-reused");
  }
  assert.deepEqual(await view(app, first.id), first);
});

Deno.test("an upload that broke off says what was taken, and goes on when it is sent again", async () => {
  await using app = await openApp();
  app.startQueue();
  const key = '"broken"';
  const rows = lines(2 * CHUNK_ROWS);
  const half = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(rows.slice(0, CHUNK_ROWS + 7).join("\n") + "\n"));
    },
    pull(controller) {
      controller.error(new Error("the connection was reset"));
    },
  });
  const broken = await upload(app, half, { key });
  assert.equal(broken.status, 500);
  const [id = ""] = await batchesOf(app);
  const interrupted = await view(app, id);
  assert.equal(interrupted.status, "interrupted");
  assert.equal(interrupted.rows.stored, CHUNK_ROWS);
  assert.match(interrupted.interruption ?? "", /reset/);
  await until(async () => (await results(app, id)).length === CHUNK_ROWS);

  const again = await upload(app, rows.join("\n"), { key });
  assert.equal(again.status, 202);
  assert.equal((await again.json()).id, id);
  assert.equal((await finished(app, id)).rows.stored, rows.length);
  assert.equal((await results(app, id)).length, rows.length);
});

Deno.test("a wrong upload under the key of another leaves that one as it is", async () => {
  await using app = await openApp();
  const key = '"shared"';
  const rows = lines(CHUNK_ROWS);
  let end = () => {};
  const slow = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(rows.join("\n") + "\n"));
      end = () => controller.close();
    },
  });
  const first = upload(app, slow, { key });
  await until(async () => (await batchesOf(app)).length === 1);
  const [id = ""] = await batchesOf(app);
  await until(async () => (await view(app, id)).rows.stored === CHUNK_ROWS);

  const other = await upload(app, [...rows.slice(1), rows[0]].join("\n"), { key });
  assert.equal((await other.json()).type, "/problems/idempotency-key-reused");
  const garbage = await upload(app, "[", { key, type: "application/json" });
  assert.equal((await garbage.json()).type, "/problems/unreadable-body");
  assert.equal((await view(app, id)).status, "receiving");

  end();
  assert.equal((await first).status, 202);
});

Deno.test("a body whose rows cannot be told apart says which rows are stored", async () => {
  await using app = await openApp();
  const body = `[${lines(CHUNK_ROWS + 3).join(",")}`;
  const response = await upload(app, body, { type: "application/json" });
  assert.equal(response.status, 400);
  const problem = await response.json();
  assert.equal(problem.type, "/problems/upload-broken");
  assert.equal(problem.detail, "the body ends before its JSON array does");
  assert.equal(problem.batch.rows, CHUNK_ROWS);
  assert.equal((await view(app, problem.batch.id)).status, "interrupted");
});

Deno.test("an upload of which nothing more was heard for a minute counts as interrupted", async () => {
  await using app = await openApp();
  const { batches } = app.stores;
  await batches.open({ id: "bat_left", detail: "probabilities" }, app.clock.now());
  assert.equal((await view(app, "bat_left")).status, "receiving");
  await app.clock.advance(60_001);
  const batch = await view(app, "bat_left");
  assert.deepEqual([batch.status, batch.interruption], [
    "interrupted",
    "no rows came for a minute",
  ]);
});

Deno.test("two uploads of the same body at once make one batch", async () => {
  await using app = await openApp();
  app.startQueue();
  const body = lines(3 * CHUNK_ROWS).join("\n");
  const responses = await Promise.all([1, 2, 3].map(() => upload(app, body, { key: '"twice"' })));
  assert.deepEqual(responses.map(({ status }) => status), [202, 202, 202]);
  const [id = ""] = await batchesOf(app);
  const batch = await finished(app, id);
  const all = 3 * CHUNK_ROWS;
  assert.deepEqual(batch.rows, { stored: all, refused: 0, done: all });
});

for (
  const [what, body, options, status, type] of [
    ["no rows", "\n \n", {}, 422, "invalid-request"],
    ["an array without rows", "[]", { type: "application/json" }, 422, "invalid-request"],
    ["another media type", "a", { type: "text/plain" }, 415, "unsupported-media-type"],
    ["no array", "{}", { type: "application/json" }, 400, "unreadable-body"],
    ["a table of something else", "a;b\n1;2", { type: "text/csv" }, 400, "unreadable-body"],
    ["an unknown detail", "{}", { detail: "everything" }, 422, "invalid-request"],
    ["a key that is none", "{}", { key: "a b" }, 400, "invalid-idempotency-key"],
  ] as const
) {
  Deno.test(`POST /v1/batches answers ${status} to ${what}, and makes no batch`, async () => {
    await using app = await openApp();
    const response = await upload(app, body, options);
    assert.equal(response.status, status);
    assert.equal((await response.json()).type, `/problems/${type}`);
    assert.deepEqual(await batchesOf(app), []);
  });
}

Deno.test("a batch has at most so many rows", async () => {
  const limits = { ...limitsOf(config.service), batchRows: CHUNK_ROWS };
  await using app = await openApp({ options: { limits } });
  const response = await upload(app, lines(CHUNK_ROWS + 1).join("\n"));
  assert.equal(response.status, 413);
  const { detail, batch } = await response.json();
  assert.equal(detail, `a batch has at most ${CHUNK_ROWS} rows`);
  assert.equal(batch.rows, CHUNK_ROWS);
});

Deno.test("a full queue takes no more rows, and says how many it has", async () => {
  await using app = await openApp({ limits: { waitingTasks: 1, waitingTasksPerTenant: 1 } });
  const response = await upload(app, lines(2 * CHUNK_ROWS).join("\n"));
  assert.equal(response.status, 429);
  assert.equal((await response.json()).batch.rows, CHUNK_ROWS);
});

Deno.test("an application is decided before the rows of a batch that came earlier", async () => {
  const claimed: string[][] = [];
  const { handler } = await shippedScoring();
  await using app = await openApp({
    handler: (tasks) => {
      claimed.push(tasks.map(({ id }) => id.slice(0, 4)));
      return handler(tasks);
    },
  });
  const { id } = await (await upload(app, lines(2 * CHUNK_ROWS).join("\n"))).json();
  await app.post("/v1/applications", { answers: EXAMPLE });
  app.startQueue();
  await finished(app, id);
  assert.deepEqual(claimed, [["app_"], ["chk_"], ["chk_"]]);
});

Deno.test("queries and ids that are wrong are named", async () => {
  await using app = await openApp();
  assert.equal((await app.request(`${PATH}/bat_0`)).status, 404);
  assert.equal((await app.request(`${PATH}/bat_0/results`)).status, 404);
  const response = await app.request(`${PATH}/bat_0/results?format=xml&from=0`);
  assert.equal(response.status, 422);
  const { errors } = await response.json();
  assert.deepEqual(errors.map(({ parameter }: { parameter: string }) => parameter), [
    "format",
    "from",
  ]);
});

function fail(): never {
  throw new Error("there are no tasks but chunks here");
}

async function batchesOf({ stores }: TestApp): Promise<string[]> {
  const { rows } = await stores.connection.read("SELECT id FROM batches");
  return rows.map(({ id }) => String(id));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; !await condition(); turn++) {
    assert.ok(turn < 2000, "it never comes to this");
    await settle();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
