/** The console of the running service: a version is activated, refused and rolled back by its forms. */
import assert from "node:assert/strict";
import { startTestService } from "../support/service.ts";
import { copyVersions } from "../support/versions.ts";

Deno.test("the models are changed by the console's forms, and every step stays on record", async () => {
  await using versions = await copyVersions(["3"]);
  await versions.change("3", "golden.json", ({ probabilities }) => {
    probabilities.bank_a = probabilities.bank_a.map(() => 0.5);
  });
  await using test = await startTestService(versions.read());
  const { url } = test.service;
  async function step(path: string, form: Record<string, string> = {}) {
    const response = await fetch(`${url}/console/models/${path}`, {
      method: "POST",
      headers: { Origin: url, "Accept-Language": "en" },
      body: new URLSearchParams(form),
    });
    return { status: response.status, html: await response.text() };
  }
  const stateOf = (html: string, version: string) =>
    new RegExp(`id="version-${version}".*?class="badge[^"]*">([^<]*)<`, "s").exec(html)?.[1];

  assert.equal((await step("2/activate")).status, 409, "it is not on record yet");
  for (const version of ["2", "3"]) {
    assert.equal(stateOf((await step(`${version}/register`)).html, version), "on record");
  }
  const activated = await step("2/activate");
  assert.equal(activated.status, 200);
  assert.equal(stateOf(activated.html, "2"), "answers");
  assert.equal(stateOf(activated.html, "1"), "the one before");

  const refused = await step("3/activate");
  assert.equal(refused.status, 409);
  assert.match(refused.html, /role="alert">[^<]*golden/);
  assert.equal(stateOf(refused.html, "2"), "answers");

  const tried = await step("1/challenge", { share: "10" });
  assert.equal(stateOf(tried.html, "1"), "on trial");
  assert.match(tried.html, /Answers 10% of the applications/);
  assert.equal(stateOf((await step("end-trial")).html, "1"), "the one before");

  const back = await step("rollback");
  assert.equal(stateOf(back.html, "1"), "answers");
  for (const action of ["activate", "rollback"]) assert.match(back.html, new RegExp(`${action}`));
});
