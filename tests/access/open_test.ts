import assert from "node:assert/strict";
import { isLoopback, needsNoKey, refuseToStandOpen } from "../../access/mod.ts";
import { OPEN_TO_EVERYONE } from "../../configs/mod.ts";

const without = { areThereKeys: () => false };
const withKeys = { areThereKeys: () => Promise.resolve(true) };

Deno.test("isLoopback knows this machine's own addresses, and takes no name for one", () => {
  for (const host of ["127.0.0.1", "127.8.9.1", "::1", "localhost"]) assert.ok(isLoopback(host));
  for (
    const host of [
      "0.0.0.0",
      "::",
      "10.0.0.1",
      "127.0.0.1.example",
      "localhost.example",
      "1270.0.0.1",
    ]
  ) assert.ok(!isLoopback(host), host);
});

for (
  const [host, access, keys, starts, open] of [
    ["127.0.0.1", undefined, without, true, true],
    ["127.0.0.1", undefined, withKeys, true, false],
    ["127.0.0.1", "keys", without, false, false],
    ["127.0.0.1", "keys", withKeys, true, false],
    ["127.0.0.1", OPEN_TO_EVERYONE, withKeys, true, true],
    ["0.0.0.0", undefined, without, false, false],
    ["0.0.0.0", undefined, withKeys, true, false],
    ["0.0.0.0", "keys", without, false, false],
    ["0.0.0.0", "keys", withKeys, true, false],
    ["0.0.0.0", OPEN_TO_EVERYONE, without, true, true],
  ] as const
) {
  const what = `on ${host} with access ${access ?? "absent"} and ${
    keys === without ? "no" : "a"
  } key`;
  Deno.test(`a service ${what} ${starts ? "starts" : "does not start"}, and ${open ? "is open" : "asks for a key"}`, async () => {
    const asked = { host, access };
    if (starts) await refuseToStandOpen(asked, keys);
    else {
      await assert.rejects(refuseToStandOpen(asked, keys), {
        name: "ConfigError",
        message:
          /^Cannot listen on .*no API key yet.*deno task keys create.*PRESCORE_ADMIN_KEY.*everyone/s,
      });
    }
    assert.equal(await needsNoKey(asked, keys)(), open);
  });
}
