import assert from "node:assert/strict";
import { openApp } from "../../support/app.ts";
import { openKeyedApp } from "../../support/keys.ts";

const ANSWERS = { monthprofit: 50_000 };
const CONSENT = {
  purposes: ["marketing", "scoring"],
  document: "privacy notice/3",
  givenAt: "2026-01-31T12:00:00+03:00",
  expiresAt: "2999-01-31T00:00:00Z",
};
const SUBJECT = "canary-person-4711";

Deno.test("consent and person come with the upload, are read back, given anew and withdrawn", async () => {
  await using app = await openKeyedApp();
  const shop = await app.as("submit", "shop");
  const other = await app.as("admin", "other");
  const sent = { answers: ANSWERS, subject: SUBJECT, consent: CONSENT };
  const { id } = await (await app.post("/v1/applications", sent, shop)).json();
  const path = `/v1/applications/${id}/consent`;
  const ask = async (method: string, headers: Record<string, string>, body?: object) => {
    const response = await app.request(path, {
      ...{ method, headers: { "Content-Type": "application/json", ...headers } },
      ...body && { body: JSON.stringify(body) },
    });
    return { status: response.status, body: JSON.parse(await response.text() || "null") };
  };
  const given = {
    ...{ document: "privacy notice/3", givenAt: "2026-01-31T09:00:00.000Z" },
    ...{ expiresAt: "2999-01-31T00:00:00.000Z" },
  };
  await app.clock.advance(Date.parse("2026-02-01T00:00:00Z") - app.clock.now());
  assert.deepEqual(await ask("GET", shop), {
    status: 200,
    body: {
      agreements: [
        { purpose: "marketing", ...given, inForce: true },
        { purpose: "scoring", ...given, inForce: true },
      ],
    },
  });
  const again = await ask("PUT", shop, { purposes: ["marketing"], document: "notice/4" });
  assert.equal(again.status, 200);
  const inForce = (body: { agreements: { purpose: string; inForce: boolean }[] }) =>
    body.agreements.filter(({ inForce }) => inForce).map(({ purpose }) => purpose);
  assert.deepEqual(inForce(again.body), ["marketing"]);
  assert.equal((await ask("DELETE", shop)).status, 204);
  assert.deepEqual(inForce((await ask("GET", shop)).body), []);
  for (const method of ["GET", "DELETE", "PUT"]) {
    const body = method === "PUT" ? { purposes: ["scoring"], document: "notice" } : undefined;
    assert.equal((await ask(method, other, body)).status, 404, method);
  }
  const actions = (await app.audit.page({ limit: 3, subject: `applications/${id}@shop` }))
    .map(({ action }) => action);
  assert.deepEqual(actions, ["consent.withdraw", "consent.give", "consent.give"]);
});

Deno.test("the reference of a person stands nowhere in the database", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const sent = { answers: ANSWERS, subject: SUBJECT, consent: CONSENT };
  await app.post("/v1/applications", sent, { Prefer: "wait=5" });
  await app.post("/v1/batches", [sent]);
  await app.record();
  const { rows: tables } = await app.stores.connection.read(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  );
  for (const { name } of tables) {
    const { rows } = await app.stores.connection.read(`SELECT * FROM "${name}"`);
    const text = JSON.stringify(rows, (_, value) => typeof value === "bigint" ? `${value}` : value);
    assert.ok(!text.includes(SUBJECT), String(name));
  }
  const { rows } = await app.stores.connection.read("SELECT subject FROM application_subjects");
  assert.equal(rows.length, 2);
  assert.equal(rows[0]?.subject, rows[1]?.subject, "an application and a row are one person's");
});

Deno.test("the same key with other terms is another request", async () => {
  await using app = await openApp();
  const key = { "Idempotency-Key": '"order-1"' };
  const post = async (body: object) => (await app.post("/v1/applications", body, key)).status;
  const sent = { answers: ANSWERS, subject: SUBJECT, consent: CONSENT };
  const russian = { ...CONSENT, document: "Согласие №4/2026" };
  const other = await app.post("/v1/applications", { answers: ANSWERS, consent: russian });
  assert.equal(other.status, 202);
  assert.equal(await post(sent), 202);
  assert.equal(
    await post({ ...sent, consent: { ...CONSENT, purposes: ["scoring", "marketing"] } }),
    202,
  );
  for (
    const other of [
      { answers: ANSWERS },
      { ...sent, subject: "another" },
      { ...sent, consent: { ...CONSENT, purposes: ["scoring"] } },
      { ...sent, consent: { ...CONSENT, document: "notice/9" } },
    ]
  ) {
    assert.equal(await post(other), 409, JSON.stringify(other));
  }
});

Deno.test("what cannot be an agreement is named, and nothing is stored", async () => {
  await using app = await openApp();
  for (
    const [terms, pointer] of [
      [{ subject: "" }, "#/subject"],
      [{ subject: "a".repeat(201) }, "#/subject"],
      [{ subject: 4711 }, "#/subject"],
      [{ subject: "\ud800" }, "#/subject"],
      [{ consent: { ...CONSENT, purposes: [] } }, "#/consent/purposes"],
      [{ consent: { ...CONSENT, purposes: ["profiling"] } }, "#/consent/purposes/0"],
      [{ consent: { ...CONSENT, document: "a\nb" } }, "#/consent/document"],
      [{ consent: { ...CONSENT, document: " " } }, "#/consent/document"],
      [{ consent: { ...CONSENT, document: "a".repeat(101) } }, "#/consent/document"],
      [{ consent: { purposes: ["scoring"] } }, "#/consent/document"],
      [{ consent: { ...CONSENT, givenAt: "yesterday" } }, "#/consent/givenAt"],
      [{ consent: { ...CONSENT, expiresAt: "2020-01-01T00:00:00Z" } }, "#/consent/expiresAt"],
      [{ consent: { ...CONSENT, signature: "x" } }, "#/consent/signature"],
    ] as const
  ) {
    const response = await app.post("/v1/applications", { answers: ANSWERS, ...terms });
    assert.equal(response.status, 422, JSON.stringify(terms));
    const { errors } = await response.json();
    assert.deepEqual(errors.map((error: { pointer: string }) => error.pointer), [pointer]);
  }
  const { rows } = await app.stores.connection.read("SELECT 1 FROM tasks");
  assert.equal(rows.length, 0);
});

Deno.test("without a key to hash it with no reference is taken, in an upload or in a batch", async () => {
  await using app = await openApp({ options: { subjectHash: undefined } });
  const sent = { answers: ANSWERS, subject: SUBJECT };
  const response = await app.post("/v1/applications", sent);
  assert.equal(response.status, 422);
  assert.match(await response.text(), /PRESCORE_SUBJECT_KEY/);
  const batch = await (await app.post("/v1/batches", [sent, { answers: ANSWERS }])).json();
  assert.deepEqual(batch.rows, { stored: 2, refused: 1, done: 0 });
});
