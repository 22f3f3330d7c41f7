import assert from "node:assert/strict";
import { createFront, createHealthFront } from "../../routes/front.ts";
import { createApp } from "../../routes/mod.ts";
import { documentOptions } from "../../tasks/schemas.ts";
import { config } from "../support/app.ts";

const options = {
  ...documentOptions(config),
  report: (error: unknown) => assert.fail(String(error)),
};

const REQUESTS: readonly [string, RequestInit?][] = [
  ["/check_task"],
  ["/check_task", { method: "POST" }],
  ["/check_task/"],
  ["/get_result", { method: "HEAD" }],
  ["/upload_features", { method: "PUT" }],
  ["/upload_features", { method: "POST", body: "{" }],
  ["/v1/banks"],
  ["/v1/banks", { method: "DELETE" }],
  ["/v1/none"],
  ["/none"],
  ["/problems/not-found"],
  ["/openapi.json"],
  ["/docs"],
];

for (const [path, init] of REQUESTS) {
  Deno.test(`the front answers ${init?.method ?? "GET"} ${path} as the whole surface does`, async () => {
    const headers = { "X-Request-Id": "the-same" };
    const request = () => new Request(`http://localhost${path}`, { headers, ...init });
    const [front, whole] = [
      await createFront(options).fetch(request()),
      await createApp(options).fetch(request()),
    ];
    assert.equal(front.status, whole.status);
    assert.deepEqual([...front.headers], [...whole.headers]);
    assert.equal(await front.text(), await whole.text());
  });
}

Deno.test("requests that come while the rest loads wait for it", async () => {
  const front = createFront(options);
  const answers = await Promise.all(
    ["/v1/banks", "/v1/questionnaire", "/openapi.json"].map((path) =>
      front.fetch(new Request(`http://localhost${path}`))
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
  await front.load();
  await Promise.all(answers.map((answer) => answer.text()));
});

Deno.test("the front of a process that only scores says whether it is well, and nothing else", async () => {
  const front = createHealthFront({
    ...options,
    store: { find: () => Promise.resolve(undefined) },
  });
  const statuses = ["/health", "/check_task?task_id=x", "/v1/banks"].map(async (path) =>
    (await front.fetch(new Request(`http://localhost${path}`))).status
  );
  assert.deepEqual(await Promise.all(statuses), [200, 404, 404]);
});
