/** The service runs with the permissions of deno.json and no others, and says which one it misses, and what for. */
import assert from "node:assert/strict";
import { PERMISSIONS, runTask, spawnService } from "../support/process.ts";
import { PROJECT } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

type Given = true | readonly string[];

const { permissions: { start } } = JSON.parse(
  Deno.readTextFileSync(new URL("deno.json", PROJECT)),
) as { permissions: { start: Readonly<Record<string, Given>> } };

/** The flags that give the set, but for one kind. */
function flagsWithout(missing: string, folder: string): string[] {
  return Object.entries(start).filter(([kind]) => kind !== missing).map(([kind, given]) => {
    if (given === true) return `--allow-${kind}`;
    return `--allow-${kind}=${kind === "write" ? folder : given.join(",")}`;
  });
}

for (const kind of Object.keys(start)) {
  Deno.test(`a start without the permission ${kind} ends with a sentence that says what for`, async () => {
    await using folder = await temporaryFolder();
    const { code, stderr } = await runTask([...flagsWithout(kind, folder.path), "main.ts"], {
      env: {
        PRESCORE_PORT: "0",
        PRESCORE_DATABASE_URL: `file:${folder.path}/data/prescore.db`,
      },
    });
    assert.equal(code, 1, stderr);
    const [sentence = "", ...more] = stderr.trim().split("\n").filter((line) =>
      !/^Warning/.test(line)
    );
    assert.match(
      sentence,
      new RegExp(`^Cannot run without the permission --allow-${kind}\\b.*: \\S`),
    );
    assert.deepEqual(more, []);
  });
}

Deno.test("the service runs with its permission set, and serves its documentation page", async () => {
  await using folder = await temporaryFolder();
  const service = await spawnService({
    PRESCORE_PORT: "0",
    PRESCORE_DATABASE_URL: `file:${folder.path}/prescore.db`,
  });
  try {
    for (const path of ["/readyz", "/docs", "/docs/swagger-ui.css"]) {
      const answer = await fetch(`${service.url}${path}`);
      await answer.body?.cancel();
      assert.equal(answer.status, 200, path);
    }
  } finally {
    await service.end("SIGTERM");
  }
});

Deno.test("the permission set gives no program, and nothing but the database to write", () => {
  assert.deepEqual(Object.keys(start).toSorted(), ["env", "ffi", "net", "read", "sys", "write"]);
  assert.deepEqual(start.write, ["data"]);
  assert.deepEqual(start.net, ["127.0.0.1"]);
  assert.equal(PERMISSIONS[0], "-P=start");
});
