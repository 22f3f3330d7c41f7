/** The OpenAPI document: complete, with an example in every body, and true: real answers fit it. */
import assert from "node:assert/strict";
import { z } from "zod";
import { problemSchema } from "../../../routes/v1/problem_schema.ts";
import { PROBLEMS } from "../../../routes/v1/problems.ts";
import { decisionView } from "../../../routes/v1/application_view.ts";
import decisionExample from "../../../routes/v1/examples/decision.json" with { type: "json" };
import { openApp } from "../../support/app.ts";
import { EXAMPLE, PROJECT } from "../../support/service.ts";

type Json = Record<string, unknown>;

const document = JSON.parse(
  Deno.readTextFileSync(new URL("client/openapi.json", PROJECT)),
);

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: string[];
  readonly requestBody?: { readonly content: Record<string, Json> };
  readonly responses: Record<string, { readonly content?: Record<string, Json> }>;
}

/** The operations of the v1 API: `get /v1/banks` -> what the document says of it. */
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>)
  .filter(([path]) => path.startsWith("/v1/"))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const)
  );

Deno.test("the committed OpenAPI document is the one that the service gives", async () => {
  await using app = await openApp();
  assert.deepEqual(await (await app.request("/openapi.json")).json(), document);
});

for (const [name, operation] of operations) {
  Deno.test(`OpenAPI describes ${name}, with an example of every body`, () => {
    assert.ok(operation.operationId && operation.summary && operation.tags?.length === 1);
    const bodies = [operation.requestBody, ...Object.values(operation.responses)]
      .flatMap((body) => Object.entries(body?.content ?? {}));
    assert.ok(bodies.length > 0);
    for (const [type, media] of bodies) {
      assert.ok(media.example ?? media.examples ?? exampleOf(media.schema), `${name}: ${type}`);
    }
  });

  Deno.test(`OpenAPI lists the problems of ${name}, each with its example`, () => {
    const problems = Object.values(operation.responses)
      .flatMap(({ content = {} }) => Object.entries(content))
      .filter(([type]) => type === "application/problem+json")
      .flatMap(([, { examples }]) =>
        Object.entries(examples as Record<string, { value: unknown }>)
      );
    assert.ok(problems.length >= 2);
    for (const [problem, { value }] of problems) {
      assert.ok(Object.hasOwn(PROBLEMS, problem));
      assert.equal(problemSchema.strict().parse(value).type, `/problems/${problem}`);
    }
  });
}

/** The example that a schema has, or those of all its parts together. */
function exampleOf(schema: unknown): boolean {
  const { $ref, example, properties } = schema as {
    $ref?: string;
    example?: unknown;
    properties?: Json;
  };
  if (example !== undefined) return true;
  if ($ref) return exampleOf(document.components.schemas[$ref.split("/").at(-1) ?? ""]);
  return properties !== undefined && Object.values(properties).every(exampleOf);
}

Deno.test("the example of a decision is one", () => {
  decisionView.strict().parse(decisionExample);
});

Deno.test("answers fit the document's schemas", async () => {
  await using app = await openApp({ expressLanes: 1 });
  const answers = { answers: EXAMPLE };
  const calls: [string, () => Promise<Response>][] = [
    ["get /v1/banks", () => app.request("/v1/banks")],
    ["get /v1/questionnaire", () => app.request("/v1/questionnaire")],
    ["post /v1/what-if", () => app.post("/v1/what-if", answers)],
    ["post /v1/applications", () => app.post("/v1/applications", answers)],
    ["post /v1/applications", () => app.post("/v1/applications", answers, { Prefer: "wait=5" })],
    ["post /v1/applications", () => app.post("/v1/applications", { answers: { x: 1 } })],
    ["post /v1/batches", () => app.post("/v1/batches", [answers])],
    ["get /v1/batches/{id}", () => app.request("/v1/batches/bat_0")],
  ];
  for (const [name, call] of calls) {
    const response = await call();
    const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
    const operation = operations.find(([each]) => each === name)?.[1];
    const schema = operation?.responses[response.status]?.content?.[type]?.schema;
    assert.ok(schema, `${name} answered ${response.status} ${type}, which it should not`);
    const whole = { ...schema, $defs: document.components.schemas };
    const text = JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/");
    // Patterns are left out: zod reads them without the flag that makes them Unicode's.
    const read = JSON.parse(text, (key, value) => key === "pattern" ? undefined : value);
    z.fromJSONSchema(read).parse(await response.json());
  }
});
