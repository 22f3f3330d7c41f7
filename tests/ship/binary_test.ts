/**
 * The compiled service in an empty root. Runs where `PRESCORE_BINARY` names the executable, and needs root; `run.sh` makes both.
 */
import assert from "node:assert/strict";
import { EXAMPLE, EXAMPLE_ID, PROJECT } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const BINARY = Deno.env.get("PRESCORE_BINARY");
const SCRIPT = new URL("empty_root.sh", import.meta.url).pathname;
const WAIT_MS = 10_000;

/** Deno's runtime is 92 MB; a package that the service does not import would show. */
const MOST_MB = 125;
const MOST_RESIDENT_MB = 200;
/** With the making of the root, on a machine that has other work; the target of one that has none is 250 ms. */
const FIRST_RESULT_WITHIN_MS = 5000;

interface Run extends AsyncDisposable {
  readonly pid: number;
  /** Waits for what the pattern finds in the standard output. */
  said(pattern: RegExp): Promise<string>;
  end(signal: Deno.Signal): Promise<number>;
}

function command(root: string, args: readonly string[], env: Record<string, string> = {}) {
  assert.ok(BINARY);
  return new Deno.Command(SCRIPT, {
    args: [root, BINARY, ...args],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", PRESCORE_DATABASE_URL: DATABASE, ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

const DATABASE = "file:/data/prescore.db";

function start(root: string, env: Record<string, string> = {}): Run {
  const child = command(root, [], { PRESCORE_PORT: "0", ...env }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const errors = new Response(child.stderr).text();
  let output = "";
  async function end(signal: Deno.Signal): Promise<number> {
    child.kill(signal);
    await reader.cancel();
    await errors;
    return (await child.status).code;
  }
  return {
    pid: child.pid,
    async said(pattern) {
      for (;;) {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) return found;
        const { done, value } = await reader.read();
        if (done) throw new Error(`the service ended: ${output} ${await errors}`);
        output += value;
      }
    },
    end,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL").catch(() => {});
    },
  };
}

async function score(url: string): Promise<Record<string, string>> {
  const response = await fetch(`${url}/upload_features`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(EXAMPLE),
  });
  assert.equal(response.status, 201);
  assert.equal((await response.json()).task_id, EXAMPLE_ID);
  const deadlineMs = Date.now() + WAIT_MS;
  while (await (await fetch(`${url}/check_task?task_id=${EXAMPLE_ID}`)).json() !== true) {
    assert.ok(Date.now() < deadlineMs, "no result");
  }
  return await (await fetch(`${url}/get_result?task_id=${EXAMPLE_ID}`)).json();
}

const LISTENS = /listens on (http:\S+)/;

function binaryTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: `the binary in an empty root ${name}`, ignore: BINARY === undefined, fn: run });
}

Deno.test({
  name: "the binary holds nothing but the service",
  ignore: BINARY === undefined,
  async fn() {
    const mb = (await Deno.stat(BINARY ?? "")).size / 1e6;
    console.log(`${Math.round(mb)} MB`);
    assert.ok(mb <= MOST_MB, `${mb} MB`);
  },
});

binaryTest("scores the example, shows its documentation, and keeps the result", async () => {
  await using folder = await temporaryFolder();
  const startedMs = performance.now();
  let first: Record<string, string>;
  {
    await using service = start(folder.path);
    const url = await service.said(LISTENS);
    first = await score(url);
    const firstMs = Math.round(performance.now() - startedMs);
    console.log(`first result after ${firstMs} ms`);
    assert.ok(firstMs <= FIRST_RESULT_WITHIN_MS);
    assert.ok(Number(first.bank_a) > 0 && Number(first.bank_a) < 1);
    assert.equal(await service.said(/(\d+) scoring workers/), "2");
    for (const path of ["/docs", "/docs/swagger-ui-bundle.js", "/openapi.json", "/health"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200, path);
      await response.body?.cancel();
    }
    const status = await Deno.readTextFile(`/proc/${service.pid}/status`);
    const residentMb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    console.log(`${Math.round(residentMb)} MB resident with two workers`);
    assert.ok(residentMb <= MOST_RESIDENT_MB, `${residentMb} MB`);
    assert.equal(await service.end("SIGTERM"), 0);
  }
  await using again = start(folder.path);
  const url = await again.said(LISTENS);
  const kept = await (await fetch(`${url}/get_result?task_id=${EXAMPLE_ID}`)).json();
  assert.deepEqual(kept, first);
});

binaryTest("takes its configuration and its models from outside", async () => {
  await using folder = await temporaryFolder();
  const outside = `${folder.path}/data/small`;
  for (const part of ["configs", "models"]) {
    await Deno.mkdir(`${outside}/${part}`, { recursive: true });
    const source = new URL(`tests/fixtures/small/${part}/`, PROJECT);
    for await (const { name } of Deno.readDir(source)) {
      await Deno.copyFile(new URL(name, source), `${outside}/${part}/${name}`);
    }
  }
  await using service = start(folder.path, { PRESCORE_CONFIG: "/data/small/configs" });
  const url = await service.said(LISTENS);
  const { components } = await (await fetch(`${url}/openapi.json`)).json();
  assert.deepEqual(Object.keys(components.schemas.FeaturesStructure.properties), [
    "born",
    "income",
    "amount",
  ]);
});

binaryTest("backs up its database while it runs, and says whether it is well", async () => {
  await using folder = await temporaryFolder();
  const port = "18479";
  {
    await using service = start(folder.path, { PRESCORE_PORT: port });
    await score(await service.said(LISTENS));
    const healthy = await command(folder.path, ["health"], { PRESCORE_PORT: port }).output();
    assert.equal(healthy.code, 0, new TextDecoder().decode(healthy.stderr));
    const copies = ["--to", "/data/backup.db", "--keys-to", "/data/backup.db.keys.db"];
    const backup = await command(folder.path, ["backup", ...copies]).output();
    assert.equal(backup.code, 0, new TextDecoder().decode(backup.stderr));
  }
  const ill = await command(folder.path, ["health"], { PRESCORE_PORT: port }).output();
  assert.equal(ill.code, 1);
  await using restored = start(folder.path, {
    PRESCORE_DATABASE_URL: "file:/data/backup.db",
    PRESCORE_MASTER_KEY_FILE: "/data/prescore.db.master-key",
  });
  const url = await restored.said(LISTENS);
  const result = await fetch(`${url}/get_result?task_id=${EXAMPLE_ID}`);
  assert.equal(result.status, 200);
  await result.body?.cancel();
});
