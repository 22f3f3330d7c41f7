/**
 * Every endpoint that takes a body, a query, a path's parameter or a header of its own, against the corpora: nothing fails, no object
 * is changed that is everybody's, and what is taken is stored as it was sent.
 */
import assert from "node:assert/strict";
import { decodePayload } from "../../scoring/handler.ts";
import { openApp, type TestApp } from "../support/app.ts";
import { BODIES, NUMBERS, POLLUTIONS, TEXTS } from "../support/corpora.ts";
import { EXAMPLE, PROJECT } from "../support/service.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

interface Media {
  readonly example?: Json;
  readonly examples?: Record<string, { readonly value: Json }>;
  readonly schema: { readonly $ref?: string; readonly example?: Json };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
}

const document = JSON.parse(Deno.readTextFileSync(new URL("client/openapi.json", PROJECT)));
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      ...operation,
    }))
  );

/** Sends a request and looks at what is promised of every answer. */
async function ask(app: TestApp, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await app.request(path, init);
  const told = `${init.method ?? "GET"} ${path.slice(0, 200)}`;
  assert.ok(response.status < 500, `${told} was answered ${response.status}`);
  if (response.status >= 400 && response.status !== 405) {
    const { title, detail } = JSON.parse(await response.clone().text());
    assert.ok(title ?? detail, `${told} was refused without a word`);
  }
  return response;
}

const commonNames = Object.getOwnPropertyNames(Object.prototype);

function assertUntouched(app: TestApp): void {
  assert.deepEqual(app.reported, []);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), commonNames);
  assert.ok(!("polluted" in {}), "every object has a member of a body");
}

function exampleOf({ example, examples, schema }: Media): Json {
  const name = schema.$ref?.split("/").at(-1) ?? "";
  return example ?? Object.values(examples ?? {})[0]?.value ?? schema.example ??
    document.components.schemas[name]?.example ?? EXAMPLE;
}

/** JSON texts with each value of a body in turn in another's place, and one member more. */
function* spoiled(body: Json, texts: readonly string[]): Generator<string> {
  for (const text of texts) yield text;
  if (Array.isArray(body)) {
    for (const [at, value] of body.entries()) {
      for (const inner of spoiled(value, texts)) {
        yield `[${body.map((other, i) => i === at ? inner : JSON.stringify(other)).join()}]`;
      }
    }
  } else if (typeof body === "object" && body !== null) {
    const members = Object.entries(body).map(([name, value]) => [
      JSON.stringify(name),
      JSON.stringify(value),
    ]);
    for (const [at, value] of Object.values(body).entries()) {
      for (const inner of spoiled(value, texts)) {
        yield `{${members.map(([n, v], i) => `${n}:${i === at ? inner : v}`).join()}}`;
      }
    }
    for (const text of texts) {
      const name = text.startsWith('"') ? text : JSON.stringify(text);
      yield `{${[...members.map((member) => member.join(":")), `${name}:{"polluted":1}`].join()}}`;
    }
  }
}

const JSON_TEXTS = [...TEXTS.map((text) => JSON.stringify(text)), ...NUMBERS, ...POLLUTIONS];

for (const { method, path, requestBody } of operations) {
  for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
    Deno.test(`${method} ${path} withstands every body of the corpora as ${type}`, async () => {
      await using app = await openApp();
      const headers = { "Content-Type": type };
      for (const bytes of BODIES) {
        const response = await ask(app, path, { method, headers, body: new Uint8Array(bytes) });
        await response.body?.cancel();
      }
      const example = exampleOf(media);
      const bodies = type === "application/json"
        ? spoiled(example, JSON_TEXTS)
        : TEXTS.map((text) => `${example}${text}\n`);
      for (const body of bodies) {
        const response = await ask(app, path, { method, headers, body });
        await response.body?.cancel();
      }
      assertUntouched(app);
    });
  }
}

/** As a URL has it; a lone surrogate as the bytes that it would be. */
function inUrl(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ED%A0%80";
}

function fitsHeader(text: string): boolean {
  try {
    new Headers({ a: text });
    return true;
  } catch {
    return false;
  }
}

Deno.test("every parameter of every operation withstands every text of the corpora", async () => {
  await using app = await openApp();
  let asked = 0;
  for (const { method, path, parameters = [], requestBody } of operations) {
    const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
    const body = media && { body: JSON.stringify(exampleOf(media)) };
    const plain = path.replaceAll(/\{\w+\}/g, "nothing");
    for (const { name, in: place } of parameters) {
      for (const text of [...TEXTS, ...NUMBERS]) {
        if (text.length > 6000) continue;
        if (place === "header" && !fitsHeader(text)) continue;
        const url = place === "query"
          ? `${plain}?${name}=${inUrl(text)}&${inUrl(text)}=1`
          : place === "path"
          ? path.replaceAll(/\{\w+\}/g, inUrl(text))
          : plain;
        const response = await ask(app, url, {
          method,
          headers: {
            ...type && { "Content-Type": type },
            ...place === "header" && { [name]: text },
          },
          ...body,
        });
        await response.body?.cancel();
        asked++;
      }
    }
  }
  assert.ok(asked > 1000);
  assertUntouched(app);
});

Deno.test("an answer of any text is stored as it was sent, by each way that takes one", async () => {
  await using app = await openApp();
  const stored = async (id: string) =>
    decodePayload(await app.stores.store.payload(id) ?? "{}").answers;
  for (const text of TEXTS) {
    const answers = { position: text, goods_category: "Furniture" };
    const v1 = await (await ask(app, "/v1/applications", json({ answers }))).json();
    assert.equal((await stored(v1.id)).position, text);
    const upload = await ask(app, "/upload_features", json(answers));
    const { task_id } = await upload.json();
    assert.equal((await stored(task_id)).position, text, `${upload.status} ${text.slice(0, 80)}`);
  }
  assertUntouched(app);
});

Deno.test("a number is stored as it was sent, or refused by its name", async () => {
  await using app = await openApp();
  for (const number of [...NUMBERS, "1e21", "137000.5"]) {
    const body = `{"answers":{"loan_amount":${number}}}`;
    const headers = { "Content-Type": "application/json" };
    const response = await ask(app, "/v1/applications", { method: "POST", headers, body });
    const told = await response.json();
    if (response.status === 202) {
      const { answers } = decodePayload(await app.stores.store.payload(told.id) ?? "{}");
      assert.ok(Number.isFinite(Number(number)));
      assert.equal(answers.loan_amount, Number(number) + 0);
    } else {
      assert.equal(response.status, 422);
      assert.equal(told.errors[0].pointer, "#/answers/loan_amount");
      assert.ok(!Number.isFinite(Number(number)), number);
    }
  }
});

function json(body: unknown): RequestInit {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
