import assert from "node:assert/strict";
import { RequestLog } from "../../telemetry/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";

const REQUEST = {
  requestId: "r-1",
  method: "GET",
  route: "/v1/applications/:id",
  status: 200,
  milliseconds: 1.23456,
};

Deno.test("lines are JSON, written together a little later, and none is lost at the end", async () => {
  const clock = new FakeClock();
  const written: string[] = [];
  const log = new RequestLog({ clock, write: (text) => written.push(text) });
  log.add(REQUEST);
  log.add({ ...REQUEST, requestId: "r-2", status: 503 });
  assert.deepEqual(written, []);
  await clock.advance(100);
  const lines = written.join("").trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ requestId, level }) => [requestId, level]), [["r-1", "info"], [
    "r-2",
    "error",
  ]]);
  assert.deepEqual(Object.keys(lines[0]), [
    ...["time", "level", "message", "requestId", "method", "route", "status", "milliseconds"],
  ]);
  assert.equal(lines[0].milliseconds, 1.235);
  log.add(REQUEST);
  log.flush();
  assert.equal(written.length, 2);
  log.flush();
  assert.equal(written.length, 2, "nothing waits, nothing is written");
});

Deno.test("a flood is written before it takes much memory", () => {
  const written: string[] = [];
  const log = new RequestLog({ clock: new FakeClock(), write: (text) => written.push(text) });
  for (let count = 0; count < 2000; count++) log.add(REQUEST);
  assert.ok(written.length > 1);
  assert.ok(written.every((text) => text.length < 70_000 && text.endsWith("\n")));
});
