/** The v1 API as it is shipped: a process, a socket, a file; killed in the middle of a batch. */
import assert from "node:assert/strict";
import { batchResults, createPrescore, decide, PrescoreProblem, unwrap } from "../../client/mod.ts";
import { parseWebhookSecret, signedHeaders } from "../../queue/webhook_signature.ts";
import { PERMISSIONS, runTask, spawnService, writeImpatientConfig } from "../support/process.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { EXAMPLE, readConfig, startTestService } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const ROWS = 10_000;
const KEY = { "idempotency-key": '"night"' };

function lines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, row) => `${JSON.stringify({ answers: { ...EXAMPLE, monthprofit: 50_000 + row } })}\n`,
  );
}

Deno.test("the client's example runs", async () => {
  await using test = await startTestService(readConfig());
  const { code, stdout, stderr } = await runTask([
    "--allow-net",
    "client/example.ts",
    test.service.url,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Bank A: .+, \d+ %$/m);
  assert.match(stdout, /^row 3: \{"bank_a":0\.\d+/m);
});

Deno.test("the client's decide() waits for the decision, and throws what the service refuses", async () => {
  await using test = await startTestService(readConfig());
  const prescore = createPrescore(test.service.url);
  const decision = await decide(prescore, EXAMPLE, { idempotencyKey: 'a "key"' });
  assert.deepEqual(decision.banks.map(({ status }) => status), Array(5).fill("decided"));
  const again = decide(prescore, { ...EXAMPLE, gender: 1 }, { idempotencyKey: 'a "key"' });
  await assert.rejects(again, (error) => {
    assert.ok(error instanceof PrescoreProblem);
    assert.equal(error.details.type, "/problems/idempotency-key-reused");
    return true;
  });
});

Deno.test("a batch survives kill -9 during its upload and during its work, and no row is lost or doubled", async () => {
  await using folder = await temporaryFolder();
  writeImpatientConfig(folder.path);
  const env = {
    PRESCORE_CONFIG: folder.path,
    PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
    PRESCORE_PORT: "0",
  };
  const rows = lines(ROWS);
  rows[ROWS / 2] = "nonsense\n";
  const headers = { "Content-Type": "application/x-ndjson", ...KEY };
  const post = (url: string, body: BodyInit) =>
    fetch(`${url}/v1/batches`, { method: "POST", headers, body });

  const first = await spawnService(env);
  let sent = 0;
  const killed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent === 8) await first.end("SIGKILL");
      const part = rows.slice(sent * 1000, ++sent * 1000);
      if (part.length === 0) controller.close();
      else controller.enqueue(new TextEncoder().encode(part.join("")));
    },
  });
  await assert.rejects(post(first.url, killed).then((response) => response.text()));

  const second = await spawnService(env);
  const response = await post(second.url, rows.join(""));
  assert.equal(response.status, 202);
  const { id, rows: stored } = await response.json();
  assert.deepEqual([stored.stored, stored.refused], [ROWS, 1]);
  await second.end("SIGKILL");

  const third = await spawnService(env);
  const prescore = createPrescore(third.url);
  const found = await Array.fromAsync(batchResults(prescore, id, { pollMs: 50 }));
  assert.deepEqual(found.map(({ row }) => row), rows.map((_, index) => index + 1));
  assert.deepEqual(
    found.filter(({ status }) => status !== "scored").map(({ row, status }) => [row, status]),
    [[ROWS / 2 + 1, "refused"]],
  );
  const batch = unwrap(await prescore.GET("/v1/batches/{id}", { params: { path: { id } } }));
  assert.equal(batch.status, "finished");
  assert.deepEqual(batch.rows, { stored: ROWS, refused: 1, done: ROWS });
  assert.equal(await third.end("SIGTERM"), 0);
});

Deno.test("an upload that its client cuts off says what was taken, and goes on", async () => {
  await using test = await startTestService(readConfig());
  const { url } = test.service;
  const gone = new AbortController();
  const rows = lines(3000);
  let sent = 0;
  const cut = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent < 2) {
        controller.enqueue(
          new TextEncoder().encode(rows.slice(sent * 1000, ++sent * 1000).join("")),
        );
      } else gone.abort();
    },
  });
  const headers = { "Content-Type": "application/x-ndjson", ...KEY };
  const init = { method: "POST", headers } as const;
  await assert.rejects(fetch(`${url}/v1/batches`, { ...init, body: cut, signal: gone.signal }));
  const response = await fetch(`${url}/v1/batches`, { ...init, body: rows.join("") });
  assert.equal(response.status, 202);
  const { id } = await response.json();
  const results = await Array.fromAsync(batchResults(createPrescore(url), id, { pollMs: 20 }));
  assert.equal(results.length, rows.length);
});

Deno.test("the configured address is told of what ended, until it takes it", async () => {
  const secret = `whsec_${new Uint8Array(32).fill(5).toBase64()}`;
  const received: { headers: Headers; body: string }[] = [];
  const taken = Promise.withResolvers<void>();
  await using receiver = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    received.push({ headers: request.headers, body: await request.text() });
    if (received.length < 2) return new Response(null, { status: 500 });
    taken.resolve();
    return new Response(null, { status: 204 });
  });
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/secret`, `${secret}\n`);
  const config = readConfig();
  const webhooks = {
    ...config.service.webhooks,
    endpoints: [{
      id: "crm",
      tenant: "",
      url: `http://127.0.0.1:${receiver.addr.port}/hook`,
      secretFile: `${folder.path}/secret`,
    }],
    backoffMs: { base: 1, max: 10 },
  };
  await using test = await startTestService({
    ...config,
    service: { ...config.service, webhooks },
  });
  const prescore = createPrescore(test.service.url);
  const { data } = await prescore.POST("/v1/applications", { body: { answers: EXAMPLE } });
  await taken.promise;
  const [first, second] = received;
  assert.ok(first && second && data);
  assert.equal(second.body, first.body);
  assert.deepEqual(JSON.parse(first.body).data, {
    id: data.id,
    path: `/v1/applications/${data.id}`,
  });
  const id = second.headers.get("webhook-id") ?? "";
  assert.equal(id, first.headers.get("webhook-id"));
  const timestampS = Number(second.headers.get("webhook-timestamp"));
  const expected = signedHeaders({ id, timestampS, body: second.body }, [
    parseWebhookSecret(secret),
  ]);
  assert.equal(second.headers.get("webhook-signature"), expected["webhook-signature"]);
});

for (
  const [what, secretEnv, value, expected] of [
    ["is absent", "PRESCORE_TEST_SECRET", "", /is absent or empty/],
    ["is none", "PRESCORE_TEST_SECRET", "hunter2", /must be whsec_ and the base64/],
  ] as const
) {
  Deno.test(`the service does not start where a webhook's secret ${what}, and does not show it`, async () => {
    await using folder = await temporaryFolder();
    writeImpatientConfig(folder.path);
    const file = `${folder.path}/service.json`;
    const service = JSON.parse(await Deno.readTextFile(file));
    service.webhooks = {
      endpoints: [{ tenant: "", id: "crm", url: "https://crm.example/", secretEnv }],
    };
    await Deno.writeTextFile(file, JSON.stringify(service));
    const { code, stderr } = await runTask([
      ...PERMISSIONS,
      "--allow-env",
      "main.ts",
    ], {
      env: {
        PRESCORE_CONFIG: folder.path,
        PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
        PRESCORE_PORT: "0",
        ...value !== "" && { [secretEnv]: value },
      },
    });
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.ok(!stderr.includes("hunter2"));
  });
}

Deno.test("a process that scores nothing still answers what-if", async () => {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const server = resources.use(await startHranaServer({ path: `${folder.path}/prescore.db` }));
  const config = readConfig();
  const service = { ...config.service, role: "api" } as const;
  const test = resources.use(
    await startTestService({ ...config, service }, { databaseUrl: server.url }),
  );
  const prescore = createPrescore(test.service.url);
  const { data } = await prescore.POST("/v1/what-if", { body: { answers: EXAMPLE } });
  assert.equal(data?.decision.banks.length, 5);
  assert.ok((data?.curves.length ?? 0) > 0);
});
