import assert from "node:assert/strict";
import { GroupCommit } from "../../database/group_commit.ts";

function grouped(commit: (items: readonly number[]) => Promise<readonly number[]>, limit = 100) {
  const groups: number[][] = [];
  const group = new GroupCommit<number, number>({
    commit(items) {
      groups.push([...items]);
      return commit(items);
    },
    limit,
    waitingLimit: 5,
  });
  return { group, groups };
}

function double(items: readonly number[]): Promise<number[]> {
  return Promise.resolve(items.map((item) => item * 2));
}

Deno.test("GroupCommit shares one commit among callers that come together", async () => {
  const { group, groups } = grouped(double);
  assert.deepEqual(await Promise.all([1, 2, 3].map((item) => group.add(item))), [2, 4, 6]);
  assert.deepEqual(groups, [[1, 2, 3]]);
});

Deno.test("GroupCommit puts what comes during a commit into the next", async () => {
  const { group, groups } = grouped(async (items) => {
    if (items.includes(1)) late.push(group.add(2), group.add(3));
    return await double(items);
  });
  const late: Promise<number>[] = [];
  assert.equal(await group.add(1), 2);
  assert.deepEqual(await Promise.all(late), [4, 6]);
  assert.deepEqual(groups, [[1], [2, 3]]);
});

Deno.test("GroupCommit keeps groups within the limit", async () => {
  const { group, groups } = grouped(double, 2);
  await Promise.all([1, 2, 3, 4, 5].map((item) => group.add(item)));
  assert.deepEqual(groups, [[1, 2], [3, 4], [5]]);
});

Deno.test("GroupCommit refuses more than may wait", async () => {
  const { group } = grouped(double);
  const answers = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((item) => group.add(item)));
  assert.deepEqual(answers.map(({ status }) => status), [
    ...Array(5).fill("fulfilled"),
    "rejected",
  ]);
  assert.equal(await group.add(7), 14);
});

Deno.test("GroupCommit rejects the whole group of a failed commit, and goes on", async () => {
  let failing = true;
  const { group } = grouped((items) =>
    failing ? Promise.reject(new Error("disk full")) : double(items)
  );
  const [first, second] = await Promise.allSettled([group.add(1), group.add(2)]);
  assert.equal(first?.status, "rejected");
  assert.equal(second?.status, "rejected");
  failing = false;
  assert.equal(await group.add(3), 6);
});
