import assert from "node:assert/strict";
import { PERMISSIONS, runTask } from "../support/process.ts";
import { EXAMPLE, PROJECT, readConfig, startTestService } from "../support/service.ts";
import { startService } from "../../main.ts";
import { temporaryFolder } from "../support/store.ts";

/** A copy of the small configuration and its models, to be spoilt. */
async function copySmall() {
  const folder = await temporaryFolder();
  for (const part of ["configs", "models"]) {
    await Deno.mkdir(`${folder.path}/${part}`);
    const source = new URL(`tests/fixtures/small/${part}/`, PROJECT);
    for await (const { name } of Deno.readDir(source)) {
      await Deno.copyFile(new URL(name, source), `${folder.path}/${part}/${name}`);
    }
  }
  return folder;
}

async function spoil(path: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array) {
  await Deno.writeFile(path, change(await Deno.readFile(path)));
}

function flipLast(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes;
}

for (
  const [what, file, change, expected] of [
    [
      "a forest with one bit changed",
      "models/trees.forest",
      flipLast,
      /trees\.forest: its SHA-256 is [0-9a-f]{64}, must be/,
    ],
    [
      "an ONNX with one bit changed",
      "models/network.onnx",
      flipLast,
      /network\.onnx: its SHA-256 is/,
    ],
    [
      "a truncated forest",
      "models/trees.forest",
      (bytes: Uint8Array) => bytes.slice(0, 50),
      /trees\.forest: its SHA-256 is/,
    ],
    [
      "a manifest that is no JSON",
      "models/manifest.json",
      (bytes: Uint8Array) => bytes.slice(0, 50),
      /manifest\.json: SyntaxError/,
    ],
  ] as const
) {
  Deno.test(`the service refuses to start with ${what}`, async () => {
    await using folder = await copySmall();
    await spoil(`${folder.path}/${file}`, change);
    await assert.rejects(startService(readConfig(`file://${folder.path}/configs`)), expected);
  });
}

Deno.test("the service refuses models that were trained on other features", async () => {
  await using folder = await copySmall();
  const path = `${folder.path}/configs/questionnaire.json`;
  const questionnaire = JSON.parse(await Deno.readTextFile(path));
  questionnaire.fields.reverse();
  await Deno.writeTextFile(path, JSON.stringify(questionnaire));
  await assert.rejects(
    startService(readConfig(`file://${folder.path}/configs`)),
    /trained on 4 features with age at position 0, and the questionnaire gives 4 with amount there/,
  );
});

Deno.test("the service refuses models whose features are computed otherwise now", async () => {
  await using folder = await copySmall();
  const path = `${folder.path}/configs/questionnaire.json`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"max": 110', '"max": 111'));
  await assert.rejects(
    startService(readConfig(`file://${folder.path}/configs`)),
    /definition of the features has fingerprint [0-9a-f]{64}, must be [0-9a-f]{64} as in training/,
  );
});

Deno.test("the service refuses a bank whose model is not in the version", async () => {
  const config = readConfig("tests/fixtures/small/configs");
  const [first] = config.banks.banks;
  assert.ok(first);
  const banks = { ...config.banks, banks: [{ ...first, model: "absent" }] };
  await assert.rejects(
    startService({ ...config, banks }),
    /Cannot use model absent: .*manifest\.json must name it, and names trees, network/,
  );
});

Deno.test("a wrong configuration ends the start with one sentence and status 1", async () => {
  const { code, stderr } = await runTask([...PERMISSIONS, "main.ts"], {
    env: { PRESCORE_PORT: "-1" },
  });
  assert.equal(code, 1);
  assert.match(stderr, /PRESCORE_PORT .*service\.json\): port: current value is "-1"/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("a model that cannot be used ends the start with one sentence and status 1", async () => {
  await using folder = await copySmall();
  await spoil(`${folder.path}/models/trees.forest`, flipLast);
  const { code, stderr } = await runTask([...PERMISSIONS, "main.ts"], {
    env: {
      PRESCORE_CONFIG: `${folder.path}/configs`,
      PRESCORE_DATABASE_URL: `file:${folder.path}/a.db`,
    },
  });
  assert.equal(code, 1);
  assert.match(stderr, /trees\.forest: its SHA-256/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("a database that cannot be opened ends the start with its reason", async () => {
  const { service, ...config } = readConfig();
  const databaseUrl = "file:/proc/nowhere/prescore.db";
  await assert.rejects(
    startService({ ...config, service: { ...service, port: 0, databaseUrl } }),
    /Cannot use the database file:\/proc\/nowhere\/prescore\.db: /,
  );
});

Deno.test("a client that never ends its request does not keep the service from stopping", async () => {
  const { service, ...config } = readConfig();
  const queue = { ...service.queue, drainMs: 200 };
  await using test = await startTestService({ ...config, service: { ...service, queue } });
  const { hostname, port } = new URL(test.service.url);
  const client = await Deno.connect({ hostname, port: Number(port) });
  try {
    const head = "POST /upload_features HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    await client.write(new TextEncoder().encode(head));
    await test.post(EXAMPLE);
    const startedMs = performance.now();
    await test.service.stop();
    assert.ok(performance.now() - startedMs < 5000);
  } finally {
    client.close();
  }
});

Deno.test("a port that is taken ends the start with its reason, and leaves nothing running", async () => {
  await using first = await startTestService(readConfig());
  const port = Number(new URL(first.service.url).port);
  await using folder = await temporaryFolder();
  const { service, ...config } = readConfig();
  await assert.rejects(
    startService({
      ...config,
      service: { ...service, port, databaseUrl: `file:${folder.path}/b.db` },
    }),
    /Cannot listen on 127\.0\.0\.1, port \d+: Address already in use/,
  );
  assert.equal((await first.post(EXAMPLE)).status, 201);
});
