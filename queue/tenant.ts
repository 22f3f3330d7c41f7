/**
 * The queue as one tenant sees it. What a client calls `X` is stored as `X@tenant`, and the default tenant's, whose name is empty, as
 * it is; so ids that are made of what a client sends, as the reference's are, meet only inside a tenant, and another tenant's id is
 * looked for where no row can be: it is answered as one that never was, and as fast.
 */
import type { Batch, BatchStore } from "./batches.ts";
import type { Waited, WaitOptions } from "./completions.ts";
import type { Enqueued, NewTask, Task, TaskStore } from "./store.ts";

const AT = "@";
/** What no id is. */
const NOTHING = AT;

/** The stored id of what a tenant calls so. */
export function storedId(tenant: string, id: string): string {
  if (id.includes(AT)) return NOTHING;
  return tenant === "" ? id : id + AT + tenant;
}

/** What its tenant calls a stored id. */
export function visibleId(stored: string): string {
  const at = stored.indexOf(AT);
  return at < 0 ? stored : stored.slice(0, at);
}

export function tenantOfId(stored: string): string {
  const at = stored.indexOf(AT);
  return at < 0 ? "" : stored.slice(at + 1);
}

type UploadedTask = Pick<NewTask, "id" | "payload" | "tenant" | "terms">;

/** What of the queue a request may touch. */
export interface QueueParts {
  readonly store: Pick<TaskStore, "find" | "findEach" | "payload" | "payloadEach">;
  readonly batches: BatchStore;
  readonly enqueue: (task: UploadedTask) => Promise<Enqueued>;
  readonly express: (task: UploadedTask, timeoutMs: number) => Promise<boolean>;
  readonly wait: (id: string, options: WaitOptions) => Promise<Waited>;
}

/** The same, in which a tenant finds what is its own and nothing else, under the ids that it knows. */
export function forTenant<P extends QueueParts>(parts: P, tenant: string): P {
  const { store, enqueue, express, wait } = parts;
  const stored = (id: string) => storedId(tenant, id);
  const own = <T extends { readonly id: string }>(thing: T): T =>
    tenant === "" ? thing : { ...thing, id: visibleId(thing.id) };
  const task = (uploaded: UploadedTask) => ({ ...uploaded, id: stored(uploaded.id), tenant });
  return {
    ...parts,
    store: {
      find: async (id): Promise<Task | undefined> => {
        const found = await store.find(stored(id));
        return found && own(found);
      },
      findEach: async (ids) => {
        const found = await store.findEach(ids.map(stored));
        return new Map([...found.values()].map(own).map((task) => [task.id, task]));
      },
      payload: (id) => store.payload(stored(id)),
      payloadEach: async (ids) => {
        const found = await store.payloadEach(ids.map(stored));
        return new Map([...found].map(([id, payload]) => [visibleId(id), payload]));
      },
    },
    batches: batchesOf(parts.batches, { stored, own }),
    enqueue: (uploaded) => enqueue(task(uploaded)),
    express: (uploaded, timeoutMs) => express(task(uploaded), timeoutMs),
    wait: (id, options) => wait(stored(id), options),
  };
}

function batchesOf(
  batches: BatchStore,
  { stored, own }: {
    readonly stored: (id: string) => string;
    readonly own: (batch: Batch) => Batch;
  },
): BatchStore {
  return {
    open: ({ id, detail }, nowMs) => batches.open({ id: stored(id), detail }, nowMs),
    async find(id) {
      const found = await batches.find(stored(id));
      return found && own(found);
    },
    append: (chunk, nowMs) => batches.append({ ...chunk, batchId: stored(chunk.batchId) }, nowMs),
    receive: (id, end) => batches.receive(stored(id), end),
    breakOff: (id, cause) => batches.breakOff(stored(id), cause),
    chunkFrom: (id, row) => batches.chunkFrom(stored(id), row),
  };
}
