/** Every role against every route, both taken from the code: who may do what is declared beside the routes and nowhere else. */
import assert from "node:assert/strict";
import { OpenAPIHono } from "@hono/zod-openapi";
import { type Action, mayDo, ROLE_NAMES, ROLES } from "../../access/mod.ts";
import { declaredRoutes, permit, seal } from "../../routes/access.ts";
import { createApp } from "../../routes/mod.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config } from "../support/app.ts";
import { bearer, FRESH_MS, makeKey, openKeyedApp } from "../support/keys.ts";

const routes = declaredRoutes(createApp(documentOptions(config)));

/** A request that gets past the guard and no further than the route's own checks. */
function init(method: string, headers: Record<string, string> = {}): RequestInit {
  return { method, headers, ...method === "POST" && { body: "{}" } };
}

Deno.test("the roles are sets of actions, each with those of the one before", () => {
  let before: readonly Action[] = [];
  for (const role of ROLE_NAMES) {
    assert.deepEqual(before.filter((action) => !mayDo(role, action)), []);
    assert.equal(ROLES[role].length, before.length + 1);
    before = ROLES[role];
  }
});

Deno.test("the matrix of roles and routes is what the routes declare", async () => {
  await using app = await openKeyedApp();
  assert.ok(routes.length > 15);
  for (const tenant of ["", "shop"]) {
    for (const role of ROLE_NAMES) {
      const headers = await app.as(role, tenant);
      for (const { method, path, needed, wholeService } of routes) {
        const { status } = await app.request(path, init(method, headers));
        const may = needed === "anyone" ||
          mayDo(role, needed) && !(wholeService && tenant !== "");
        assert.equal(status === 403, !may, `${role} of ${tenant}: ${method} ${path}: ${status}`);
        assert.notEqual(status, 401, `${role}: ${method} ${path}`);
      }
    }
  }
});

Deno.test("no route but those that say so is open without a good key", async () => {
  await using app = await openKeyedApp();
  const good = await makeKey(app.keys, { role: "admin" });
  const expired = await makeKey(app.keys, { role: "admin", expiresAtMs: app.clock.now() });
  const revoked = await makeKey(app.keys, { role: "admin" });
  await app.keys.revoke(revoked.split("_")[1] ?? "", { actor: "test", nowMs: 1 });
  const wrongSecret = good.slice(0, -1) + (good.endsWith("0") ? "1" : "0");
  const wrongId = good.replace(/_[0-9a-f]+_/, "_0123456789ab_");
  for (
    const headers of [
      {},
      ...[expired, revoked, wrongSecret, wrongId, good.slice(0, -1), `${good}0`, ""].map(bearer),
      { Authorization: `Basic ${btoa(good)}` },
      { Authorization: good },
      { "X-API-Key": good },
      { Cookie: `prescore_session=${good}` },
    ]
  ) {
    for (const { method, path, needed } of routes) {
      const response = await app.request(path, init(method, headers));
      const where = `${JSON.stringify(headers)}: ${method} ${path}: ${response.status}`;
      if (needed === "anyone") {
        assert.notEqual(response.status, 401, where);
        continue;
      }
      assert.equal(response.status, 401, where);
      assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer realm="prescore"/);
      const type = path.startsWith("/v1/") ? "application/problem+json" : "application/json";
      assert.equal(response.headers.get("content-type"), type, where);
      await response.body?.cancel();
    }
  }
});

Deno.test("HEAD asks for the same key as GET", async () => {
  await using app = await openKeyedApp();
  for (const { method, path, needed } of routes) {
    if (method !== "GET" || needed === "anyone") continue;
    assert.equal((await app.request(path, { method: "HEAD" })).status, 401, path);
  }
});

Deno.test("a key that is revoked elsewhere is refused when what was known of it is old, here at once", async () => {
  await using app = await openKeyedApp();
  for (const isHere of [false, true]) {
    const key = await makeKey(app.keys);
    const id = key.split("_")[1] ?? "";
    const ask = async () =>
      (await app.request("/check_task?task_id=a", { headers: bearer(key) })).status;
    assert.equal(await ask(), 404);
    await app.keys.revoke(id, { actor: "test", nowMs: 1 });
    if (isHere) app.keyring.forget(id);
    else {
      await app.clock.advance(FRESH_MS - 1);
      assert.equal(await ask(), 404);
      await app.clock.advance(1);
    }
    assert.equal(await ask(), 401);
  }
});

Deno.test("a route that does not say who may use it stops the start", () => {
  const app = new OpenAPIHono();
  app.get("/open", permit("anyone"), (c) => c.text(""));
  seal(app);
  app.post("/forgotten", (c) => c.text(""));
  assert.throws(() => seal(app), /Cannot start: POST \/forgotten does not say who may use it/);
});

Deno.test("a permit after another handler is none", () => {
  const app = new OpenAPIHono();
  app.get("/late", (_, next) => next(), permit("read"), (c) => c.text(""));
  assert.throws(() => seal(app), /GET \/late/);
});

Deno.test("a guard over a path speaks for what lies below it, and for nothing else", () => {
  const app = new OpenAPIHono();
  app.use("/pages/*", permit("read"));
  app.get("/pages/one", (c) => c.text(""));
  assert.deepEqual(declaredRoutes(app).map(({ path, needed }) => [path, needed]), [
    ["/pages/one", "read"],
  ]);
  app.get("/pagesize", (c) => c.text(""));
  assert.throws(() => declaredRoutes(app), /GET \/pagesize/);
});

Deno.test("the OpenAPI document says what each operation needs", async () => {
  await using app = await openKeyedApp();
  const document = await (await app.request("/openapi.json")).json();
  assert.equal(document.components.securitySchemes.apiKey.scheme, "bearer");
  for (const { method, path, needed } of routes) {
    const operation = document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    if (operation === undefined) {
      assert.equal(needed, "anyone", `${method} ${path} is not documented`);
      continue;
    }
    const [needs] = operation.security as { apiKey: string[] }[];
    assert.equal(needs !== undefined, needed !== "anyone", path);
    if (needed === "anyone") continue;
    const [role] = needs?.apiKey ?? [];
    assert.ok(ROLE_NAMES.some((name) => name === role && mayDo(name, needed)), path);
    for (const status of ["401", "403", "429"]) {
      assert.ok(operation.responses[status], `${path} documents no ${status}`);
    }
  }
});
