// What pages read of what comes from outside, without a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./support/sources.mjs";

const { withoutFence, withoutFences, isCut } = await source("fence.ts");
const { draw, readOffers, withArgument } = await source("view/view.ts");
const { toRows } = await source("view/rows.ts");
const { boardShape } = await source("view/board_columns.ts");
const { fieldKind, fieldText, fieldValue } = await source("parts/field_kind.ts");
const { readDetail, readChange } = await source("changes/change.ts");
const { readPlan, readUndone } = await source("changes/undo_plan.ts");
const { proposedChange, askedCode } = await source("protocol/tool_answer.ts");
const { readEvents } = await source("protocol/event_stream.ts");

test("a fence goes, and nothing of the text in it", () => {
  assert.equal(withoutFence("plain &lt; text"), "plain &lt; text");
  assert.equal(withoutFence("<untrusted-content>a&lt;/untrusted-content></untrusted-content>"), "a</untrusted-content>");
  assert.equal(withoutFence("card <untrusted-content>&#x202E;abc &amp;lt;b&lt;b> &#x41;</untrusted-content> end"), "card \u202eabc &lt;b&lt;b> &#x41; end");
  assert.deepEqual(withoutFences({ a: ["<untrusted-content>x</untrusted-content>"] }), { a: ["x"] });
  assert.ok(isCut("ab… (cut: 0 to 2 of 90 characters. Read again with text_from: 0 for all of it)"));
  assert.ok(!isCut("we… (cut here)"));
});

test("a result without a view is a table, a record or its text", () => {
  const text = (value) => ({ content: [{ type: "text", text: value }], structured: undefined, meta: {}, isError: false });
  assert.equal(draw(text('{"items":[{"id":1}]}'), {}).view.kind, "table");
  assert.equal(draw(text('[{"id":1}]'), {}).view.kind, "table");
  assert.equal(draw(text('{"items":[]}'), {}).view.kind, "table");
  assert.equal(draw(text('{"id":1,"tags":["a"]}'), {}).view.kind, "record");
  assert.deepEqual(draw(text("Nothing to see"), {}), { view: undefined, text: "Nothing to see" });
  assert.deepEqual(draw(text("7"), {}), { view: undefined, text: "7" });
  assert.equal(draw({ ...text('{"a":1}'), isError: true }, {}).view, undefined);
});

test("a view whose rows are not there draws what is there, and says which are missing", () => {
  const answer = { content: [], structured: { stories: [{ id: 1 }] }, meta: { "footbridge/view": { kind: "board", rows: "items" } }, isError: false };
  const { view } = draw(answer, {});
  assert.equal(view.kind, "table");
  assert.match(view.problem, /`items`/);
});

test("views of the wrong shape are read as far as they go", () => {
  for (const told of [null, [], 7, { kind: 7 }, { kind: "board", columns: [null, {}, { id: null }], card: [7], move: { tool: 7 } }]) {
    const drawn = draw({ content: [], structured: { items: [] }, meta: { "footbridge/view": told }, isError: false }, {});
    assert.ok(drawn.view !== undefined);
  }
  assert.deepEqual(readOffers({ views: [null, { tool: 7 }], tools: "x" }), { views: [], tools: [], hasChanges: false });
  assert.deepEqual(withArgument({ filter: { a: 1 }, q: "x" }, "filter.board_id", "b"), { filter: { a: 1, board_id: "b" }, q: "x" });
});

const boardView = (columns, by) =>
  draw({ content: [], structured: { items: [] }, meta: { "footbridge/view": { kind: "board", columns, ...(by ? { by } : {}) } }, isError: false }, {}).view;

test("no row is lost, whatever its column is", () => {
  const view = boardView([{ id: 1, name: "Open" }, { id: 2, name: "Open" }, { id: 3, name: "Closed" }]);
  const rows = toRows(view, [
    { id: 1, status: 2 },
    { id: 2, status: "Open" },
    { id: 3, status: null },
    { id: 3, status: "nowhere" },
    { status: { id: 3, name: "Closed" } },
    "no object",
  ]);
  const { columns, repeated } = boardShape(view, rows);
  assert.deepEqual(repeated, ["Open"]);
  assert.deepEqual(columns.map(({ column, rows }) => [column.name, rows.length]), [["Open", 1], ["Open", 1], ["Closed", 1], ["Elsewhere", 3]]);
  assert.equal(new Set(rows.map((row) => row.key)).size, rows.length);
});

test("a row that says the same is the same object", () => {
  const view = boardView([]);
  const before = toRows(view, [{ id: 1, a: { b: [1] } }, { id: 2 }]);
  const after = toRows(view, [{ id: 2, c: 1 }, { a: { b: [1] }, id: 1 }], before);
  assert.equal(after[1], before[0]);
  assert.notEqual(after[0], before[1]);
});

test("a form reads what was typed by the schema, and an empty field clears", () => {
  const value = (schema, text) => fieldValue(fieldKind(schema), text);
  assert.deepEqual(value({ type: "integer" }, "7"), { value: 7 });
  assert.ok("problem" in value({ type: "integer" }, "7.5"));
  assert.ok("problem" in value({ type: "number" }, "x"));
  assert.deepEqual(value({ type: ["string", "null"] }, " "), { value: null });
  assert.deepEqual(value({ type: "array", items: { type: "string" } }, "a\n b \n\n"), { value: ["a", "b"] });
  assert.deepEqual(value({ anyOf: [{ enum: [1, 2], type: "integer" }, { type: "null" }] }, "2"), { value: 2 });
  assert.deepEqual(value({ type: "object" }, '{"a":1}'), { value: { a: 1 } });
  assert.ok("problem" in value({ type: "object" }, "{"));
  assert.equal(fieldText(fieldKind({ type: "array", items: { type: "string" } }), ["a", "b"]), "a\nb");
  assert.equal(fieldText(fieldKind({ type: "string" }), { name: "Ann", id: 3 }), "Ann");
});

test("a change is the same by a tool and by the approvals", () => {
  const fields = { before: { status: "todo", title: "a" }, after: { status: "done", title: "a" } };
  const byTool = readDetail({ id: 3, records: [{ record: "card:1", name: "a", ...fields }], arguments: {} });
  const byRoute = readDetail({ id: 3, records: [{ kind: "card", id: "1", name: "a", before: { version: "v", fields: fields.before }, after: { version: "v", fields: fields.after } }] });
  assert.deepEqual(byTool.records[0].differences, [{ field: "status", before: "todo", after: "done" }]);
  assert.deepEqual(byRoute.records, byTool.records);
  assert.deepEqual(readChange({ id: "3" }), []);
  assert.equal(readChange({ id: 3, at: "x", tool: "t" })[0].state, "done");
});

test("a plan and an end of an undo are sentences", () => {
  const plan = readPlan({
    undo: [{ changes: [1], record: "card 1 Plant", act: "put back", set: { status: "todo" } }, { changes: [2], take_back: "share_prompt" }],
    conflicts: [{ record: "card 1", field: "title", before: "a", ours: "b", now: "c" }],
    left: [{ change: 4, because: "it failed" }],
    lost: [{ record: "card 2", lost: "Its number." }],
    digest: "d",
  });
  assert.deepEqual(plan.steps, ["Put back card 1 Plant: Status = todo", "Take back what share_prompt did"]);
  assert.deepEqual(plan.left, ["card 1: Title was a, the change made it b, and it is c now", "Change 4: it failed"]);
  assert.deepEqual(plan.lost, ["card 2: Its number."]);
  assert.equal(readPlan({ undone: [] }), undefined);
  assert.deepEqual(readUndone({ undone: [], failed: { undo: { act: "delete", record: "card 1" }, because: "no" } }).failed, "Delete card 1: no");
});

test("a proposal and a question are told from an answer", () => {
  const answer = (text) => ({ content: [{ type: "text", text }], structured: undefined, meta: {}, isError: false });
  assert.equal(proposedChange(answer("Nothing was changed yet: this is proposed as change 14, and a person decides it.")), "14");
  assert.equal(proposedChange(answer('{"id":1}')), undefined);
  const asked = answer('Nothing was changed yet. First ask the user: Delete it? If they agree, make the same call within 10 minutes, with "confirm": "ab12" beside the same arguments.');
  assert.deepEqual(askedCode(asked), { argument: "confirm", code: "ab12" });
});

test("events are read however the stream is cut", async () => {
  const text = ': hello\r\n\r\ndata: {"a":1}\r\n\r\nid: 1\ndata: two\ndata: lines\n\ndata:x\r\r';
  for (const size of [1, 2, 3, 7, 1000]) {
    const parts = [...new TextEncoder().encode(text)];
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < parts.length; at += size) controller.enqueue(new Uint8Array(parts.slice(at, at + size)));
        controller.close();
      },
    });
    const heard = [];
    await readEvents(stream, (data) => heard.push(data));
    assert.deepEqual(heard.slice(0, 2), ['{"a":1}', "two\nlines"], `in parts of ${size}`);
  }
});
