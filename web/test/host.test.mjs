// Both pages in a host of a conversation that nobody here wrote.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./support/chromium.mjs";
import { Host, frameOf, heard } from "./support/host.mjs";
import { Fake, boardOf, result } from "./support/fake.mjs";

let browser;
let host;
before(async () => {
  browser = await openBrowser();
  host = await new Host().begin();
});
after(async () => {
  await browser.end();
  await host.end();
});

const tool = (name, more = {}) => ({ id: 1, tool: { name, title: "List cards", inputSchema: { type: "object" }, annotations: { readOnlyHint: true }, ...more } });
const CONTEXT = { theme: "dark", locale: "de-DE", timeZone: "Europe/Berlin", displayMode: "inline", availableDisplayModes: ["inline", "fullscreen"], toolInfo: tool("card_list") };

/** A board and the tools on it, without a server. */
function board() {
  const tools = new Fake();
  const cards = [
    { id: "1", title: "Plant", status: "todo", due_date: "2026-12-01" },
    { id: "2", title: "Water", status: "doing" },
  ];
  const view = boardOf(tools, { columns: [{ id: "todo", name: "To do" }, { id: "doing", name: "Doing" }, { id: "done", name: "Done" }], cards });
  return { view, cards, answer: ({ name, arguments: args }) => tools.answers.get(name)(args ?? {}) };
}

async function opened(t, page, answers, options) {
  const tab = await host.open(browser.context, page, answers, options);
  t.after(async () => {
    await tab.close();
    assert.deepEqual(tab.complaints, []);
  });
  return tab;
}

test("the page initialises, shows its result, calls a tool, tells the model, and tears down", async (t) => {
  const { answer, cards } = board();
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, input: {}, result: answer({ name: "card_list" }) });
  const frame = frameOf(tab);
  await frame.waitForSelector(".card");
  assert.equal(await frame.locator("h1").textContent(), "Garden");
  assert.equal(await frame.locator("time").textContent(), "01.12.2026");
  assert.equal(await frame.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
  await frame.dragAndDrop('[data-key="id 1"]', '.column[aria-label="Done"]');
  await frame.waitForSelector('.column[aria-label="Done"] .card:not(.moving)');
  assert.equal(cards[0].status, "done");
  await tab.waitForFunction(() => window.host.heard.model.length > 0);
  const { calls, model, sizes, initialized } = await heard(tab);
  assert.equal(initialized, 1);
  assert.deepEqual(calls[0], { name: "card_update", arguments: { id: "1", status: "done" } });
  assert.match(model[0].content[0].text, /The user moved “Plant” from “To do” to “Done” on the page/);
  assert.ok(sizes.at(-1).height > 100);
  await frame.click('[aria-label="Show it larger"]');
  await frame.waitForSelector("main.whole");
  assert.deepEqual(await tab.evaluate(() => window.host.bridge.teardownResource({})), {});
});

test("a host that drops structuredContent and the view gets the board by the page's own call", async (t) => {
  const { answer } = board();
  const bare = { content: answer({ name: "card_list" }).content };
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, input: {}, result: bare });
  await frameOf(tab).waitForSelector(".board .card");
});

test("a host that drops it and refuses calls, reads and the model's context shows the table of the text", async (t) => {
  const { answer } = board();
  const bare = { content: answer({ name: "card_list" }).content };
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, refuses: ["tools/call", "resources/read", "ui/update-model-context"], input: {}, result: bare });
  const frame = frameOf(tab);
  await frame.waitForSelector("tbody tr");
  assert.deepEqual(await frame.locator("tbody td:nth-child(3)").allTextContents(), ["Plant", "Water"]);
});

test("a host without server tools shows a text that is no JSON", async (t) => {
  const tab = await opened(t, "work", {}, { context: { toolInfo: tool("x") }, capabilities: {}, input: {}, result: { content: [{ type: "text", text: "Only <i>words</i>" }] } });
  assert.equal(await frameOf(tab).locator(".plain").textContent(), "Only <i>words</i>");
});

test("a move that the host refuses is taken back; one that does not know the model's context is asked once", async (t) => {
  const { answer } = board();
  const refusing = await opened(t, "work", {}, { context: CONTEXT, refuses: ["tools/call"], input: {}, result: answer({ name: "card_list" }) });
  await frameOf(refusing).dragAndDrop('[data-key="id 1"]', '.column[aria-label="Done"]');
  await frameOf(refusing).locator(".notice.bad", { hasText: "“Plant” is back in “To do”. this host lets pages call nothing" }).waitFor();

  const { answer: other } = board();
  const tab = await opened(t, "work", { tool: other }, { context: CONTEXT, refuses: ["ui/update-model-context"], input: {}, result: other({ name: "card_list" }) });
  const frame = frameOf(tab);
  for (const column of ["Done", "Doing"]) {
    await frame.dragAndDrop('[data-key="id 1"]', `.column[aria-label="${column}"]`);
    await frame.waitForSelector(`.column[aria-label="${column}"] [data-key="id 1"]:not(.moving)`);
  }
  assert.equal(await frame.locator(".notice").count(), 0);
});

test("themes, colours, sizes and locales change while it is shown; what would fetch is not taken", async (t) => {
  const { answer } = board();
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, width: 350, input: {}, result: answer({ name: "card_list" }) });
  const frame = frameOf(tab);
  await frame.waitForSelector(".card");
  assert.equal(await frame.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  await tab.evaluate((context) => window.host.bridge.setHostContext({ ...context, theme: "light", locale: "en-US", styles: { variables: { "--color-background-primary": "rgb(1, 2, 3)", "--font-sans": "url(https://example.org/x)" } } }), CONTEXT);
  await frame.waitForFunction(() => getComputedStyle(document.body).backgroundColor === "rgb(1, 2, 3)");
  assert.equal(await frame.evaluate(() => document.documentElement.style.getPropertyValue("--font-sans")), "");
  assert.equal(await frame.evaluate(() => document.documentElement.style.colorScheme), "light");
  await tab.evaluate((context) => window.host.bridge.setHostContext({ ...context, locale: "nonsense-locale-that-is-none", timeZone: "Nowhere/None" }), CONTEXT);
  await frame.click('[data-key="id 1"] .card-title');
  await frame.waitForSelector("dialog");
});

test("messages in the wrong order, twice and of nobody do no harm", async (t) => {
  const { answer } = board();
  const tab = await opened(t, "work", {}, null);
  await tab.evaluate(() => window.host.bare());
  const post = (message) => tab.evaluate((told) => window.host.post(told), message);
  const frame = frameOf(tab);
  await post({ method: "ui/notifications/host-context-changed", params: { theme: "dark" } });
  await post({ method: "ui/notifications/tool-result", params: answer({ name: "card_list" }) });
  await frame.waitForSelector(".card");
  await post({ method: "ui/notifications/tool-input", params: { arguments: {} } });
  for (const odd of [{ id: 999, result: {} }, { id: "x", error: 7 }, { method: 7 }, { method: "ui/notifications/tool-result" }, { method: "ui/notifications/nothing", params: [] }, { id: 5, method: "no/such" }]) await post(odd);
  await post({ method: "ui/notifications/tool-result", params: answer({ name: "card_list" }) });
  await post({ method: "ui/notifications/tool-result", params: answer({ name: "card_list" }) });
  await frame.waitForSelector(".card");
  const { refused } = await heard(tab);
  const first = refused.find((message) => message.method === "ui/initialize");
  await post({ id: first.id, result: { protocolVersion: "2026-01-26", hostInfo: { name: "h", version: "1" }, hostCapabilities: {}, hostContext: { locale: "fr-FR" } } });
  await post({ id: first.id, result: {} });
  await tab.waitForFunction(() => window.host.heard.refused.some((message) => message.method === "ui/notifications/initialized"));
  await tab.waitForFunction(() => window.host.heard.refused.some((message) => message.id === 5 && message.error?.code === -32601));
  assert.equal(await frame.locator(".card").count(), 2);
  // a message of another window than the parent is not heard
  await frame.evaluate((told) => window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: told }, "*"), { content: [{ type: "text", text: "from elsewhere" }] });
  await frame.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
  assert.equal(await frame.locator("text=from elsewhere").count(), 0);
});

test("a call that was cancelled says so, and a result that comes all the same is shown", async (t) => {
  const { answer } = board();
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, input: {} });
  const frame = frameOf(tab);
  await frame.waitForSelector("text=The result has not come yet.");
  await tab.evaluate(() => window.host.bridge.sendToolCancelled({ reason: "the user stopped it" }));
  await frame.waitForSelector("text=the user stopped it");
  await tab.evaluate((told) => window.host.bridge.sendToolResult(told), answer({ name: "card_list" }));
  await frame.waitForSelector(".card");
});

test("a result that never comes can be asked for", async (t) => {
  const { answer } = board();
  const tab = await opened(t, "work", { tool: answer }, { context: CONTEXT, input: {} });
  await frameOf(tab).click("text=Ask for it");
  await frameOf(tab).waitForSelector(".card");
});

test("inside the conversation changes are shown and undone by their plan, and nothing approves", async (t) => {
  const list = { items: [{ id: 3, at: "2026-11-29T17:00:00", tool: "card_update", state: "proposed", record: "card Plant", client: "codex", caller: "http" }, { id: 2, at: "2026-11-29T16:00:00", tool: "card_create", record: "card Plant", client: "codex" }] };
  const shown = { id: 3, tool: "card_update", state: "proposed", arguments: {}, records: [{ record: "card:1", name: "Plant", before: { status: "todo" }, after: { status: "done" } }] };
  const asked = [];
  const answers = {
    tool: ({ name, arguments: args }) => {
      asked.push([name, args]);
      if (name === "changes_list") return result(args.state === "proposed" ? { items: [list.items[0]] } : list);
      if (name === "changes_show") return result(shown);
      return result(args.digest === undefined ? { undo: [{ changes: [2], act: "delete", record: "card 1 Plant" }], digest: "d1" } : { undone: [{ changes: [2], act: "delete", record: "card 1 Plant", change: 4 }] });
    },
  };
  const tab = await opened(t, "changes", answers, { context: { ...CONTEXT, toolInfo: tool("changes_list") }, input: {}, result: result(list) });
  const frame = frameOf(tab);
  await frame.waitForSelector(".change.waiting .difference td");
  assert.equal(await frame.locator("button", { hasText: /approve/i }).count(), 0);
  await frame.waitForSelector("text=footbridge changes approve NUMBER");
  assert.match(await frame.locator(".change.waiting").textContent(), /codex/);
  await frame.click('[aria-label="Undo change 2"]');
  await frame.waitForSelector("text=Delete card 1 Plant");
  await frame.click("text=Undo it");
  await frame.waitForSelector("dialog >> text=Close");
  assert.deepEqual(asked.filter(([name]) => name === "changes_undo"), [["changes_undo", { ids: [2], dry_run: true }], ["changes_undo", { ids: [2], digest: "d1" }]]);
  await tab.waitForFunction(() => window.host.heard.model.length > 0);
});

test("the plan of an undo is drawn, and a host that lets nothing be called gets the list alone", async (t) => {
  const plan = { undo: [{ changes: [2], act: "put back", record: "card 1 Plant", set: { status: "todo" } }], digest: "d" };
  const tab = await opened(t, "changes", {}, { context: { toolInfo: tool("changes_undo") }, input: { ids: [2] }, result: result(plan) });
  await frameOf(tab).waitForSelector("text=Put back card 1 Plant: Status = todo");
  const bare = await opened(t, "changes", {}, { capabilities: {}, context: {}, input: {}, result: { content: [{ type: "text", text: '{"items":[{"id":2,"at":"2026-11-29T16:00:00","tool":"card_create"}]}' }] } });
  await frameOf(bare).waitForSelector(".change");
});
