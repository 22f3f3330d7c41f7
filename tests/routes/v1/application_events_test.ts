import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { openApp, type TestApp } from "../../support/app.ts";
import { EXAMPLE } from "../../support/service.ts";

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

async function create(app: TestApp): Promise<string> {
  return (await (await app.post("/v1/applications", { answers: EXAMPLE })).json()).id;
}

function follow(app: TestApp, id: string, lastEventId?: string): Promise<Response> {
  return app.request(`/v1/applications/${id}/events`, {
    headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
  });
}

/** Reads a stream as a browser does; a comment is an event without a name. */
async function* events(response: Response): AsyncGenerator<Partial<Event>> {
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      yield Object.fromEntries(
        block.split("\n").map((line) => {
          const at = line.indexOf(": ");
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
    }
  }
  assert.equal(text, "");
}

Deno.test("the events of an application end with its decision", async () => {
  await using app = await openApp();
  const id = await create(app);
  const stream = events(await follow(app, id));
  const { value: queued } = await stream.next();
  assert.deepEqual([queued?.event, queued?.id], ["queued", "0-queued"]);
  assert.equal(JSON.parse(queued?.data ?? "").id, id);
  app.startQueue();
  const rest = await Array.fromAsync(stream);
  assert.equal(rest.at(-1)?.event, "decided");
  const { decision, status } = JSON.parse(rest.at(-1)?.data ?? "");
  assert.equal(status, "decided");
  assert.equal(decision.banks.length, 5);
});

Deno.test("one who comes back is told only what is new, and nothing after the end", async () => {
  await using app = await openApp();
  const id = await create(app);
  const coming = events(await follow(app, id, "0-queued"));
  app.startQueue();
  const seen = await Array.fromAsync(coming);
  assert.ok(seen.length > 0 && seen.every(({ event }) => event !== "queued"), JSON.stringify(seen));
  const last = seen.at(-1)?.id ?? "";
  assert.equal((await follow(app, id, last)).status, 204);
  const again = await Array.fromAsync(events(await follow(app, id, "0-queued")));
  assert.deepEqual(again.map(({ id }) => id), [last]);
});

Deno.test("a stream in which nothing happens says so, so that no proxy closes it", async () => {
  await using app = await openApp();
  const stream = events(await follow(app, await create(app)));
  assert.equal((await stream.next()).value?.event, "queued");
  const next = stream.next();
  let heard = false;
  void next.then(() => heard = true);
  let waitedMs = 0;
  for (; !heard; waitedMs += 250) {
    assert.ok(waitedMs <= 30_000, "no heartbeat");
    await app.clock.advance(250);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.deepEqual((await next).value, { "": "nothing new" });
  assert.ok(waitedMs >= 14_000, `${waitedMs} ms`);
  await stream.return(undefined);
});

Deno.test("the events end when the service stops, for the client to come back elsewhere", async () => {
  await using app = await openApp();
  const stream = events(await follow(app, await create(app)));
  assert.equal((await stream.next()).value?.event, "queued");
  app.completions.close();
  assert.deepEqual(await Array.fromAsync(stream), []);
});
