/** Keys and slow clients against the whole service, over real sockets. */
import assert from "node:assert/strict";
import { startService } from "../../main.ts";
import { runTask } from "../support/process.ts";
import { bearer } from "../support/keys.ts";
import { EXAMPLE, readConfig, startTestService } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const config = readConfig();

async function keysTask(databaseUrl: string, ...args: string[]) {
  const { code, stdout, stderr } = await runTask(["-P=generate", "tasks/keys.ts", ...args], {
    env: { PRESCORE_DATABASE_URL: databaseUrl },
  });
  return { code, stdout: stdout.trim(), stderr };
}

Deno.test("a service that others can reach does not start without a key, and starts with one", async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/prescore.db`;
  const service = { ...config.service, host: "0.0.0.0", port: 0, databaseUrl, workers: 0 };
  await assert.rejects(startService({ ...config, service }), /Cannot listen on 0\.0\.0\.0/);
  const made = await keysTask(databaseUrl, "create", "--name", "till", "--role", "submit");
  assert.match(made.stdout, /^psk_[0-9a-f]{12}_[0-9a-f]{64}$/);
  const running = await startService({ ...config, service });
  try {
    const url = running.url.replace("0.0.0.0", "127.0.0.1");
    const upload = async (headers: Record<string, string>) => {
      const response = await fetch(`${url}/upload_features`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(EXAMPLE),
      });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await upload({}), 401);
    assert.equal(await upload(bearer(made.stdout)), 201);
  } finally {
    await running.stop();
  }
});

Deno.test("a service on a loopback address is open until a key is made, and then at once for nobody else", async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/prescore.db`;
  await using test = await startTestService(
    { ...config, service: { ...config.service, workers: 0 } },
    { databaseUrl },
  );
  const ask = async (key?: string) => {
    const response = await fetch(`${test.service.url}/v1/banks`, {
      headers: key === undefined ? {} : bearer(key),
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask(), 200);
  const { stdout: key } = await keysTask(databaseUrl, "create", "--name", "a", "--role", "read");
  const [, id = ""] = key.split("_");
  // Revoked by another process: noticed within seconds.
  const becomes = async (status: number, key?: string) => {
    const deadlineMs = Date.now() + 6000;
    while (await ask(key) !== status) {
      assert.ok(Date.now() < deadlineMs, `not ${status} within 6 s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await becomes(401);
  assert.equal(await ask(key), 200);
  const listed = await keysTask(databaseUrl, "list");
  assert.match(listed.stdout, new RegExp(`^${id}  read  default tenant  valid  .*  a$`));
  assert.ok(!listed.stdout.includes(key.split("_")[2] ?? ""));
  const rotated = await keysTask(databaseUrl, "rotate", id, "--hours", "1");
  assert.equal(await ask(rotated.stdout), 200);
  assert.equal((await keysTask(databaseUrl, "revoke", id)).stdout, "1 keys revoked");
  await becomes(401, key);
  assert.equal(await ask(rotated.stdout), 200);
});

for (
  const [args, expected] of [
    [["create", "--role", "submit"], /--name/],
    [["create", "--name", "a", "--role", "root"], /--role: current value is root, must be one of/],
    [["create", "--name", "a", "--role", "read", "--tenant", "A@b"], /--tenant.*lower case/],
    [["create", "--name", "a", "--role", "read", "--days", "soon"], /--days/],
    [["revoke", "0000"], /Not there, or revoked before: 0000/],
    [["rotate", "0000"], /Cannot rotate 0000/],
  ] as const
) {
  Deno.test(`deno task keys ${args.join(" ")} says what is wrong`, async () => {
    await using folder = await temporaryFolder();
    const { code, stderr } = await keysTask(`file:${folder.path}/prescore.db`, ...args);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  });
}

/** What a client that sends this, and then no more, is answered, and after how many seconds it is cut off. */
async function sendAndWait(
  url: string,
  text: string,
): Promise<{ answer: string; seconds: number }> {
  const { hostname, port } = new URL(url);
  const startedMs = performance.now();
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const decoder = new TextDecoder();
  let answer = "";
  for (const buffer = new Uint8Array(4096);;) {
    const length = await connection.read(buffer).catch(() => null);
    if (length === null) break;
    answer += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return { answer, seconds: (performance.now() - startedMs) / 1000 };
}

Deno.test({
  name: "slow clients are cut off: with no head, half a head, half a body, and unused",
  // Elsewhere the kernel cannot be asked.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const timeouts = { headMs: 500, bodyMs: 500, idleMs: 3000 };
    await using test = await startTestService({
      ...config,
      service: { ...config.service, workers: 0, timeouts },
    });
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    const cases = await Promise.all(
      ["", "GET /health HTTP/1.1\r\nHost: a\r\n", head("/upload_features"), head("/v1/what-if")]
        .map((text) => sendAndWait(test.service.url, text)),
    );
    const statuses = cases.map(({ answer }) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
    assert.deepEqual(statuses, [undefined, undefined, "408", "408"]);
    for (const { seconds } of cases) assert.ok(seconds < 10, `${seconds} s`);
    const idle = await sendAndWait(
      test.service.url,
      "GET /v1/banks HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert.match(idle.answer, /^HTTP\/1\.1 200/);
    assert.ok(idle.seconds >= 3 && idle.seconds < 15, `${idle.seconds} s`);
  },
});
