/** The OpenAPI document and the router know the same routes. */
import assert from "node:assert/strict";
import { declaredRoutes } from "../../routes/access.ts";
import { createApp } from "../../routes/mod.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config } from "../support/app.ts";

/** Pages for people and what they load, and the document itself: no program asks for them. */
const LEFT_OUT = /^GET \/(docs(\/.*)?|openapi\.json|problems\/:name)?$/;

const app = createApp(documentOptions(config));
const document = await (await app.request("/openapi.json")).json();

Deno.test("every route is documented, and everything documented is routed", () => {
  const routed = declaredRoutes(app)
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => !LEFT_OUT.test(route));
  const documented = Object.entries(document.paths as Record<string, object>)
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) =>
        `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`
      )
    )
    .filter((route) => !LEFT_OUT.test(route));
  assert.ok(routed.length > 20);
  assert.deepEqual(routed.toSorted(), documented.toSorted());
});
