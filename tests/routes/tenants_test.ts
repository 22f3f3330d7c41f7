/**
 * What is another tenant's is answered as what never was, at every endpoint that takes an id. `PRESCORE_FOREIGN_IDS` says how many ids
 * of others each tenant asks for at each endpoint.
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/mod.ts";
import { declaredRoutes } from "../../routes/access.ts";
import { visibleId } from "../../queue/tenant.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config } from "../support/app.ts";
import { type KeyedApp, openKeyedApp } from "../support/keys.ts";
import { EXAMPLE, EXAMPLE_ID } from "../support/service.ts";

const FOREIGN_IDS = Number(Deno.env.get("PRESCORE_FOREIGN_IDS") ?? "30");
const TENANTS = ["", "shop", "broker"] as const;

const withId = declaredRoutes(createApp(documentOptions(config)))
  .filter(({ path }) => /:id|task|get_result|check_state/.test(path));

/** The address of an endpoint for an id. */
function at(path: string, id: string): string {
  return path.includes(":id")
    ? path.replace(":id", encodeURIComponent(id))
    : `${path}?task_id=${encodeURIComponent(id)}`;
}

/** Everything that a client sees of an answer, with the id that it asked for put aside. */
async function seen(response: Response, id: string): Promise<string> {
  const own = /^(ratelimit|x-request-id)/;
  const headers = [...response.headers].filter(([name]) => !own.test(name));
  const body = (await response.text()).replaceAll(id.slice(0, 80), "ID");
  return JSON.stringify([response.status, headers, body]);
}

/** Stores things of a tenant as a client would; gives the ids that it was told. */
async function fill(app: KeyedApp, headers: Record<string, string>, count: number) {
  const ids: string[] = [];
  const post = async (path: string, body: unknown, more = {}) =>
    await (await app.post(path, body, { ...headers, ...more })).json();
  for (let number = 0; ids.length < count; number++) {
    const { task_id } = await post("/upload_features", { ...EXAMPLE, merch_code: number });
    const answers = { loan_amount: 1000 + number };
    const { id } = await post("/v1/applications", { answers }, { "Idempotency-Key": `a${number}` });
    ids.push(task_id, id);
    if (number % 10 === 0) {
      const batch = await post("/v1/batches", [{ answers }], { "Idempotency-Key": `b${number}` });
      ids.push(batch.id);
    }
  }
  return ids.slice(0, count);
}

Deno.test(`of ${TENANTS.length} tenants none learns of ${FOREIGN_IDS} ids of another's at any endpoint`, async () => {
  await using app = await openKeyedApp();
  assert.ok(withId.length >= 7);
  const owners = [];
  for (const tenant of TENANTS) {
    const headers = await app.as("admin", tenant);
    owners.push({ tenant, headers, ids: [] as string[] });
  }
  for (const owner of owners) {
    // One fills at a time, and the others look: afterwards they have things of the same names themselves.
    const foreign = await fill(app, owner.headers, FOREIGN_IDS);
    const { rows } = await app.stores.connection.read("SELECT id FROM tasks");
    const stored = rows.map(({ id }) => String(id));
    for (const id of foreign.slice(0, 20)) {
      const answers = await Promise.all(
        withId.map(({ method, path }) =>
          app.request(at(path, id), { method, headers: owner.headers })
        ),
      );
      assert.ok(answers.some(({ status }) => status === 200), `its owner does not find ${id}`);
      // Streams of what has not ended would not end either.
      await Promise.all(answers.map((answer) => answer.body?.cancel()));
    }
    for (const other of owners) {
      if (other === owner) continue;
      for (const { method, path } of withId) {
        const missing = await seen(
          await app.request(at(path, "nothing"), { method, headers: other.headers }),
          "nothing",
        );
        assert.match(missing, /^\[404/);
        for (const id of [...foreign, ...stored.slice(0, 20), `${foreign[0]}@${owner.tenant}`]) {
          const answer = await app.request(at(path, id), { method, headers: other.headers });
          assert.equal(await seen(answer, id), missing, `${other.tenant} asks ${path} for ${id}`);
        }
      }
    }
    await forget(app);
  }
});

async function forget(app: KeyedApp): Promise<void> {
  for (const table of ["batch_chunks", "batches", "results", "payloads", "tasks", "tenants"]) {
    await app.stores.connection.write([`DELETE FROM ${table}`]);
  }
}

Deno.test("tenants that send the same have each their own, under the ids of the reference", async () => {
  await using app = await openKeyedApp();
  app.startQueue();
  const headers = new Map<string, Record<string, string>>();
  for (const tenant of TENANTS) headers.set(tenant, await app.as("submit", tenant));
  const [first, ...others] = headers.values();
  const uploaded = await app.post("/upload_features", EXAMPLE, first);
  assert.equal((await uploaded.json()).task_id, EXAMPLE_ID);
  const check = async (as: Record<string, string> | undefined) => {
    const path = `/check_task?task_id=${EXAMPLE_ID}`;
    const response = await app.request(path, { headers: as ?? {} });
    return response.status === 200 ? await response.json() as boolean : response.status;
  };
  while (await check(first) !== true);
  for (const other of others) {
    assert.equal(await check(other), 404);
    const again = await (await app.post("/upload_features", EXAMPLE, other)).json();
    assert.deepEqual(again, { task_id: EXAMPLE_ID, is_complete: false });
    while (await check(other) !== true);
    const result = await app.request(`/get_result?task_id=${EXAMPLE_ID}`, { headers: other });
    assert.equal((await result.json()).task_id, EXAMPLE_ID);
  }
});

Deno.test("an Idempotency-Key names another thing for each tenant", async () => {
  await using app = await openKeyedApp();
  const [one, other] = [await app.as("submit", "shop"), await app.as("submit", "broker")];
  const key = { "Idempotency-Key": "order" };
  const send = (amount: number, headers: Record<string, string>) =>
    app.post("/v1/applications", { answers: { loan_amount: amount } }, { ...headers, ...key });
  assert.equal((await send(1000, one)).status, 202);
  assert.equal((await send(2000, other)).status, 202);
  assert.equal((await send(2000, one)).status, 409);
});

Deno.test("a batch's chunks and their turns are its tenant's, and its events go to that tenant's address alone", async () => {
  await using app = await openKeyedApp();
  const { connection } = app.stores;
  await connection.write([
    "INSERT INTO webhook_endpoints (id, tenant) VALUES ('all', ''), ('shop', 'shop'), ('broker', 'broker')",
  ]);
  app.startQueue();
  for (const tenant of TENANTS) {
    const headers = await app.as("submit", tenant);
    const { id } = await (await app.post("/v1/batches", [{ answers: {} }], headers)).json();
    const path = `/v1/batches/${id}`;
    while ((await (await app.request(path, { headers })).json()).status !== "finished");
    const applied = await app.post("/v1/applications", { answers: {} }, {
      ...headers,
      Prefer: "wait=5",
    });
    assert.equal(applied.status, 200);
  }
  const { rows: tasks } = await connection.read("SELECT id, tenant FROM tasks WHERE priority = 1");
  assert.deepEqual(tasks.map(({ tenant }) => tenant).sort(), [...TENANTS].sort());
  const { rows } = await connection.read(
    "SELECT endpoint_id, subject FROM webhook_deliveries ORDER BY endpoint_id, subject",
  );
  assert.deepEqual(
    rows.map(({ endpoint_id, subject }) => [
      endpoint_id,
      String(subject).slice(0, 4),
      String(subject).slice(visibleId(String(subject)).length),
    ]),
    [["all", ""], ["broker", "@broker"], ["shop", "@shop"]].flatMap(([endpoint, of]) => [
      [endpoint, "app_", of],
      [endpoint, "bat_", of],
    ]),
  );
});

Deno.test("a stream of events is its tenant's alone", async () => {
  await using app = await openKeyedApp();
  app.startQueue();
  const [one, other] = [await app.as("submit", "shop"), await app.as("submit", "broker")];
  const { id } = await (await app.post("/v1/applications", { answers: {} }, one)).json();
  const events = `/v1/applications/${id}/events`;
  assert.equal((await app.request(events, { headers: other })).status, 404);
  const text = await (await app.request(events, { headers: one })).text();
  assert.match(text, /event: decided/);
  assert.ok(!text.includes("@shop"));
});
