import assert from "node:assert/strict";
import { QueueAdmin } from "../../queue/admin.ts";
import type { NewChunk } from "../../queue/batches.ts";
import { LibsqlBatches } from "../../queue/libsql_batches.ts";
import { openRemoteStore } from "../support/remote_store.ts";
import { LIMITS, openStore, type TestStore } from "../support/store.ts";

const NOW = 1_700_000_000_000;
const ID = "bat_1";

type Opened = Pick<TestStore, "store" | "connection" | "vault"> & (AsyncDisposable | Disposable);

async function rig(open: () => Promise<Opened>) {
  await using resources = new AsyncDisposableStack();
  const { store, connection, vault }: Opened = resources.use(await open());
  const batches = new LibsqlBatches(connection, { limits: LIMITS, vault });
  await batches.open({ id: ID, detail: "probabilities" }, NOW);
  const running = resources.move();
  return {
    store,
    connection,
    batches,
    admin: new QueueAdmin(connection),
    /** Ends every chunk that waits, one attempt each. */
    async work(error?: string) {
      const claim = { leaseMs: 1000, limit: 10, retryHorizonMs: 1000 };
      const { claimed } = await store.settle({ nowMs: NOW + 1, claim });
      await store.settle({
        nowMs: NOW + 2,
        ...error === undefined
          ? { completed: claimed.map((task) => ({ ...task, result: "[1,2]" })) }
          : { failed: claimed.map((task) => ({ ...task, error, retryAtMs: null })) },
      });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function chunk(position: number, payload = "[1,2]"): NewChunk {
  const firstRow = 1 + 2 * position;
  return { batchId: ID, position, firstRow, rows: 2, refusedRows: 1, payload, revision: "1" };
}

const KINDS: [string, () => Promise<Opened>][] = [
  ["in memory", openStore],
  ["over Hrana", openRemoteStore],
];

for (const [where, open] of KINDS) {
  Deno.test(`${where}: append() stores a chunk once, in its place, and tells another from it`, async () => {
    await using test = await rig(open);
    const { batches } = test;
    assert.equal(await batches.append(chunk(0), NOW), "appended");
    assert.equal(await batches.append(chunk(0), NOW), "appended");
    assert.equal(await batches.append(chunk(0, "[3]"), NOW), "conflict");
    assert.equal(await batches.append(chunk(2), NOW), "conflict");
    assert.equal(await batches.append(chunk(1), NOW + 5), "appended");
    assert.deepEqual(await batches.find(ID), {
      ...{ id: ID, detail: "probabilities", createdAtMs: NOW, changedAtMs: NOW + 5 },
      ...{ receivedAtMs: null, finishedAtMs: null, broken: null },
      ...{ chunks: 2, rows: 4, refusedRows: 2, endedRows: 0 },
    });
  });

  Deno.test(`${where}: append() leaves no task of a chunk that it did not add`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.batches.append(chunk(2), NOW);
    await test.batches.receive(ID, { chunks: 1, nowMs: NOW });
    await test.batches.append(chunk(1), NOW);
    assert.deepEqual([...await test.admin.count()], [["queued", 1]]);
    const { rows } = await test.connection.read("SELECT count(*) AS n FROM payloads");
    assert.deepEqual(rows.map(({ n }) => Number(n)), [1]);
  });

  Deno.test(`${where}: a chunk whose task had ended before it was added counts as ended`, async () => {
    await using test = await rig(open);
    await test.store.enqueue([{ id: "chk_1", payload: "[1,2]", revision: "1" }], NOW);
    await test.work();
    await test.connection.write([
      `INSERT INTO batch_chunks VALUES ('${ID}', 0, 'chk_1', 1, 2, 0, ${NOW + 3})`,
    ]);
    await test.batches.receive(ID, { chunks: 1, nowMs: NOW + 4 });
    const batch = await test.batches.find(ID);
    assert.deepEqual([batch?.endedRows, batch?.finishedAtMs], [2, NOW + 4]);
  });

  Deno.test(`${where}: a batch is finished when it was received and all of it has ended`, async () => {
    await using test = await rig(open);
    const { batches } = test;
    await batches.append(chunk(0), NOW);
    await test.work();
    assert.equal((await batches.find(ID))?.endedRows, 2);
    assert.equal(await batches.receive(ID, { chunks: 2, nowMs: NOW + 3 }), false);
    await batches.append(chunk(1), NOW);
    assert.equal(await batches.receive(ID, { chunks: 2, nowMs: NOW + 3 }), true);
    assert.equal((await batches.find(ID))?.finishedAtMs, null);
    assert.equal(await batches.append(chunk(2), NOW), "conflict");
    await test.work("no luck");
    const finished = await batches.find(ID);
    assert.deepEqual([finished?.finishedAtMs, finished?.endedRows], [NOW + 2, 4]);
    assert.equal(await batches.receive(ID, { chunks: 2, nowMs: NOW + 9 }), true);
    assert.deepEqual(await batches.find(ID), finished);
    assert.deepEqual(await batches.chunkFrom(ID, 2), {
      ...{ firstRow: 1, rows: 2, state: "done", error: null, result: "[1,2]" },
    });
    assert.deepEqual(await batches.chunkFrom(ID, 3), {
      ...{ firstRow: 3, rows: 2, state: "dead", error: "no luck", result: null },
    });
    assert.equal(await batches.chunkFrom(ID, 5), undefined);
  });

  Deno.test(`${where}: a chunk that gets another life opens its batch again`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.batches.receive(ID, { chunks: 1, nowMs: NOW });
    await test.work("no luck");
    assert.equal((await test.admin.requeue("all", NOW + 5)).length, 1);
    const reopened = await test.batches.find(ID);
    assert.deepEqual([reopened?.finishedAtMs, reopened?.endedRows], [null, 0]);
    await test.work();
    const done = await test.batches.find(ID);
    assert.deepEqual([done?.finishedAtMs, done?.endedRows], [NOW + 2, 2]);
  });

  Deno.test(`${where}: a batch goes with the last of its tasks`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.work();
    await test.batches.append(chunk(1), NOW);
    await test.admin.purge("done", NOW + 100);
    assert.equal((await test.batches.find(ID))?.chunks, 2);
    await test.batches.receive(ID, { chunks: 2, nowMs: NOW });
    await test.work();
    await test.admin.purge("done", NOW + 100);
    assert.equal(await test.batches.find(ID), undefined);
  });

  Deno.test(`${where}: a batch whose upload goes on stays when the tasks that it has are removed`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.work();
    await test.admin.purge("done", NOW + 100);
    assert.equal(await test.batches.append(chunk(1), NOW), "appended");
    assert.equal(await test.batches.receive(ID, { chunks: 2, nowMs: NOW }), true);
    await test.work();
    const batch = await test.batches.find(ID);
    assert.deepEqual([batch?.endedRows, batch?.finishedAtMs], [4, NOW + 2]);
  });

  Deno.test(`${where}: a batch whose upload broke off goes, and can be sent again from its start`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.batches.breakOff(ID, "the connection was reset");
    await test.work();
    await test.admin.purge("done", NOW + 100);
    assert.equal(await test.batches.find(ID), undefined);
    await test.batches.open({ id: ID, detail: "probabilities" }, NOW);
    assert.equal(await test.batches.append(chunk(0), NOW), "appended");
  });

  Deno.test(`${where}: a batch whose upload vanished can be sent again from its start, or go on`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.batches.open({ id: ID, detail: "probabilities" }, NOW);
    assert.equal((await test.batches.find(ID))?.chunks, 1);
    await test.work();
    await test.admin.purge("done", NOW + 100);
    await test.batches.open({ id: ID, detail: "probabilities" }, NOW);
    for (const position of [0, 1]) {
      assert.equal(await test.batches.append(chunk(position), NOW), "appended");
    }
    assert.equal(await test.batches.receive(ID, { chunks: 2, nowMs: NOW }), true);
    await test.work();
    const batch = await test.batches.find(ID);
    assert.deepEqual([batch?.chunks, batch?.rows, batch?.endedRows], [2, 4, 4]);
    // What was received stays as it was.
    await test.batches.open({ id: ID, detail: "probabilities" }, NOW);
    assert.deepEqual(await test.batches.find(ID), batch);
  });

  Deno.test(`${where}: a batch whose upload vanished and of which a part was removed can be sent again from its start`, async () => {
    await using test = await rig(open);
    await test.batches.append(chunk(0), NOW);
    await test.work();
    for (const position of [1, 2]) await test.batches.append(chunk(position), NOW + 1000);
    await test.admin.purge("done", NOW + 100);
    await test.batches.open({ id: ID, detail: "probabilities" }, NOW);
    for (const position of [0, 1, 2]) {
      assert.equal(await test.batches.append(chunk(position), NOW), "appended");
    }
    assert.equal(await test.batches.receive(ID, { chunks: 3, nowMs: NOW }), true);
    await test.work();
    const batch = await test.batches.find(ID);
    assert.deepEqual([batch?.chunks, batch?.rows, batch?.endedRows], [3, 6, 6]);
    assert.ok(batch?.finishedAtMs);
  });

  Deno.test(`${where}: breakOff() says why an upload ended too soon, until it goes on`, async () => {
    await using test = await rig(open);
    const { batches } = test;
    await batches.append(chunk(0), NOW);
    await batches.breakOff(ID, "the connection was reset");
    assert.equal((await batches.find(ID))?.broken, "the connection was reset");
    await batches.append(chunk(1), NOW);
    assert.equal((await batches.find(ID))?.broken, null);
    await batches.receive(ID, { chunks: 2, nowMs: NOW });
    await batches.breakOff(ID, "too late");
    assert.equal((await batches.find(ID))?.broken, null);
  });
}
