import assert from "node:assert/strict";
import { systemClock } from "../../clock.ts";
import { WorkerPool } from "../../queue/pool.ts";

/** A real worker that does what it is told, the worst included. */
const SCRIPT = `
  self.onmessage = ({ data }) => {
    if (data === "throw") throw new Error("boom");
    if (data === "reject") return void Promise.reject(new Error("left alone"));
    if (data === "exit") return self.close();
    if (data === "spin") for (;;);
    if (data === "trap") {
      const trapping = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11];
      return new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(trapping))).exports.t();
    }
    self.postMessage({ kind: "done", response: data + "!" });
  };
  self.postMessage({ kind: "ready" });
`;

const url = URL.createObjectURL(new Blob([SCRIPT], { type: "text/javascript" }));

/** A machine that is busy with other tests may take a second for an answer. */
const PATIENCE_MS = 3000;

function startPool(timeoutMs: number) {
  return WorkerPool.start<string, string>({
    size: 2,
    spawn: () => new Worker(url, { type: "module" }),
    timeoutMs,
    clock: systemClock,
  });
}

for (
  const [what, message, cause] of [
    ["throws", "throw", /the worker died: .*boom/],
    ["leaves a rejection alone", "reject", /the worker died: .*left alone/],
    ["traps in WebAssembly", "trap", /the worker died: .*unreachable/],
    ["never returns", "spin", /no answer within 3000 ms/],
    ["closes itself", "exit", /no answer within 3000 ms/],
  ] as const
) {
  Deno.test(`WorkerPool outlives a real worker that ${what}`, async () => {
    const pool = await startPool(PATIENCE_MS);
    try {
      const answers = [pool.run("a"), assert.rejects(pool.run(message), cause), pool.run("b")];
      assert.deepEqual(await Promise.all(answers), ["a!", undefined, "b!"]);
      assert.deepEqual(await Promise.all(["c", "d", "e"].map((text) => pool.run(text))), [
        "c!",
        "d!",
        "e!",
      ]);
    } finally {
      pool.close();
    }
  });
}
