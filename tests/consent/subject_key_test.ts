import assert from "node:assert/strict";
import { subjectHashOf } from "../../subject_key.ts";
import { temporaryFolder } from "../support/store.ts";

Deno.test("beside a database in a file a key is made once, for its owner alone, when a reference first comes", async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/test.db`;
  const file = `${folder.path}/test.db.subject-key`;
  const first = subjectHashOf({ databaseUrl });
  assert.ok(first);
  await assert.rejects(() => Deno.stat(file), Deno.errors.NotFound);
  const hash = first("shop", "client-4711");
  assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
  assert.equal(subjectHashOf({ databaseUrl })?.("shop", "client-4711"), hash);
  await Deno.writeTextFile(file, "no key");
  assert.throws(
    () => subjectHashOf({ databaseUrl })?.("shop", "client-4711"),
    /it must be 64 hexadecimal digits/,
  );
});

Deno.test("on a server there is no place for a key", () => {
  assert.equal(subjectHashOf({ databaseUrl: "libsql://db.example.org" }), undefined);
});
