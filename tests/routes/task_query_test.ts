import assert from "node:assert/strict";
import fc from "fast-check";
import { readTaskQuery } from "../../routes/task_query.ts";

const text = fc.string({ unit: "grapheme" });

Deno.test("readTaskQuery gives the last id, whatever stands around it", () => {
  fc.assert(fc.property(fc.array(fc.tuple(text, text)), text, (others, id) => {
    const query = new URLSearchParams([...others, ["task_id", id]]);
    assert.deepEqual(readTaskQuery(`http://a/check_task?${query}#task_id=x`), {
      ok: true,
      taskId: id,
    });
  }));
});

Deno.test("readTaskQuery says of any URL without an id that it is missing", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (url) => {
    const read = readTaskQuery(url);
    if (read.ok) assert.match(url, /\?/);
    else {
      const { detail } = JSON.parse(read.body);
      assert.equal(detail[0].type, "missing");
      assert.deepEqual(detail[0].loc, ["query", "task_id"]);
    }
  }));
});
