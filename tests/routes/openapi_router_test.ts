/** The OpenAPI document and the router know the same routes. */
import assert from "node:assert/strict";
import { declaredRoutes } from "../../routes/access.ts";
import { createApp } from "../../routes/mod.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config } from "../support/app.ts";

/** Pages for people and what they load, and the document itself: no program asks for them. */
const LEFT_OUT = /^GET \/(docs(\/.*)?|openapi\.json)?$/;

const options = documentOptions(config);
const unasked = () => Promise.reject(new Error("the routes alone were wanted"));
const withConsole = {
  ...options,
  signIn: { sessions: { open: unasked, find: unasked, close: unasked }, record: unasked },
};

async function documentedRoutes(app: ReturnType<typeof createApp>): Promise<string[]> {
  const document = await (await app.request("/openapi.json")).json();
  return Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) =>
      `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`
    )
  ).toSorted();
}

function routed(app: ReturnType<typeof createApp>): string[] {
  return declaredRoutes(app).map(({ method, path }) => `${method} ${path}`).toSorted();
}

Deno.test("every route is documented, and everything documented is routed", async () => {
  const app = createApp(options);
  const documented = await documentedRoutes(app);
  assert.ok(documented.length > 20);
  assert.deepEqual(routed(app).filter((route) => !LEFT_OUT.test(route)), documented);
});

Deno.test("the console adds its own pages to the routes, and nothing to the document", async () => {
  const app = createApp(withConsole);
  const without = new Set(routed(createApp(options)));
  const added = routed(app).filter((route) => !without.has(route));
  assert.ok(added.length > 10);
  assert.deepEqual(added.filter((route) => !/^(GET|POST) \/console(\/|$)/.test(route)), []);
  assert.deepEqual(await documentedRoutes(app), await documentedRoutes(createApp(options)));
});
