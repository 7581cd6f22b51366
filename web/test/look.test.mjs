// How the pages look, and whether everybody can read them: each scene is looked at by axe, light and dark, and compared with its picture.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Fake, boardOf, result } from "./support/fake.mjs";
import { Host, frameOf } from "./support/host.mjs";
import { picture, readable } from "./support/pictures.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

const COLUMNS = [{ id: "todo", name: "To do" }, { id: "doing", name: "Doing", limit: 2 }, { id: "done", name: "Done", is_closed: true }];
const CARDS = [
  { id: "1", title: "Order seeds for the spring", status: "todo", priority: "high", assignee: "ann", due_date: "2026-12-01", tags: ["shop"], description: "From the list of last year:\n\n- beans, **two** bags\n- peas\n- [the shop](https://example.org)" },
  { id: "2", title: "Repair the fence behind the apple trees", status: "todo", priority: "low" },
  { id: "3", title: "Plant the garlic", status: "doing", assignee: "codex-2", due_date: "2026-11-30" },
  { id: "4", title: "Turn the compost", status: "doing", priority: "medium" },
  { id: "5", title: "Cover the beds", status: "doing", tags: ["frost", "soon"] },
  { id: "6", title: "Rake the leaves", status: "done", assignee: "ann" },
  { id: "7", title: "Empty the rain barrel", status: "frozen" },
];
const CURVE = Array.from({ length: 60 }, (_, at) => ({ date: new Date(Date.UTC(2027, 0, 4 + at)).toISOString().slice(0, 10), probability: Number((1 / (1 + Math.exp((28 - at) / 5))).toFixed(4)) }));

function garden() {
  const fake = new Fake();
  boardOf(fake, { columns: COLUMNS, cards: structuredClone(CARDS) });
  fake.views.push(
    { name: "forecast", connector: "trueppm", title: "Forecast", kind: "chart", tool: "forecast", arguments: {}, required: {} },
    { name: "burndown", connector: "trueppm", title: "Burndown", kind: "chart", tool: "burndown", arguments: {}, required: {} },
  );
  fake.answers.set("forecast", () =>
    result({ curve: CURVE }, { kind: "chart", name: "forecast", connector: "trueppm", title: "Forecast", rows: "curve", x: "date", y: ["probability"], line: true, marks: { P50: "2027-02-01", P80: "2027-02-08", P95: "2027-02-16", Planned: "2027-01-25" } }),
  );
  fake.answers.set("burndown", () =>
    result(
      { days: Array.from({ length: 10 }, (_, day) => ({ day: `2027-01-${String(4 + day).padStart(2, "0")}`, open: [40, 40, 36, 33, 33, 25, 18, 18, 9, 4][day], ideal: 40 - day * 4.4 })) },
      { kind: "chart", name: "burndown", connector: "trueppm", title: "Burndown", rows: "days", x: "day", y: ["open", "ideal"], line: true, marks: {} },
    ),
  );
  fake.tools.push({ connector: "board", tool: "board_list", title: "Boards", kind: "table", arguments: {}, required: {} });
  fake.answers.set("board_list", () => result({ items: [{ id: "b1", name: "Garden", cards: 7, created_at: "2026-11-29T10:00:00Z" }, { id: "b2", name: "House", cards: 12_000, created_at: "2026-11-02T10:00:00Z" }] }));
  return fake;
}

async function opened(t, fake, { path = "", width = 1280, height = 720, scheme = "light" } = {}) {
  if (!fake.address) await fake.begin();
  const tab = await openTab(browser.context);
  await tab.setViewportSize({ width, height });
  await tab.emulateMedia({ colorScheme: scheme });
  await tab.goto(fake.address + path);
  t.after(async () => {
    await tab.close();
    await fake.end();
    assert.deepEqual(tab.complaints, []);
  });
  return tab;
}

for (const [name, options] of Object.entries({
  board: {},
  "board-dark": { scheme: "dark" },
  "board-narrow": { width: 360, height: 720, scheme: "dark" },
  "board-wide": { width: 1400, height: 720 },
})) {
  test(`the board: ${name}`, async (t) => {
    const tab = await opened(t, garden(), options);
    await tab.waitForSelector(".card");
    assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    await picture(tab, name);
    await readable(tab, name);
  });
}

for (const scheme of ["light", "dark"]) {
  test(`a record, its form and a new one, ${scheme}`, async (t) => {
    const tab = await opened(t, garden(), { scheme });
    await tab.click('[data-key="id 1"] .card-title');
    await tab.waitForSelector("dialog .markdown");
    if (scheme === "light") await picture(tab, "record");
    await readable(tab, "a record");
    await tab.click("dialog button.main");
    await readable(tab, "its form");
    await tab.keyboard.press("Escape");
    await tab.click("text=New");
    await tab.click("dialog button.main");
    await readable(tab, "a new one, with a problem");
  });
  test(`charts and a table, ${scheme}`, async (t) => {
    const tab = await opened(t, garden(), { scheme });
    for (const title of ["Forecast", "Burndown"]) {
      await tab.click(`.sidebar >> text=${title}`);
      await tab.waitForFunction((told) => document.querySelector("svg[role=img]") && document.querySelector("h1").textContent === told, title);
      if (scheme === "light") await picture(tab, title.toLowerCase());
      await tab.click("summary >> text=The numbers");
      await readable(tab, title);
    }
    await tab.click("summary >> text=Lists and records");
    await tab.click(".sidebar >> text=Boards");
    await tab.waitForSelector("main table");
    if (scheme === "light") await picture(tab, "table");
    await readable(tab, "a table");
  });
  test(`the changes of an approver, ${scheme}`, async (t) => {
    const tab = await opened(t, changed(), { path: "changes", scheme });
    await tab.waitForSelector(".change.waiting .difference td");
    if (scheme === "light") await picture(tab, "changes");
    await readable(tab, "changes");
    await tab.click('[aria-label="Undo change 3"]');
    await tab.waitForSelector("dialog >> text=Undo it");
    if (scheme === "light") await picture(tab, "undo");
    await readable(tab, "an undo");
  });
}

function changed() {
  const fake = garden();
  fake.session = { signed_in: true, needs: "token", is_approver: true, takes: ["token", "approver"] };
  const row = (id, tool, record, more) => ({ id, at: `2026-11-29T16:0${id}:00Z`, tool, record, client: "codex", caller: "http", connector: "board", ...more });
  const records = [{ kind: "card", id: "3", name: "Plant the garlic", before: { version: "1", fields: { status: "doing", due_date: "2026-11-30" } }, after: { version: "1", fields: { status: "done", due_date: null } } }];
  fake.routes.set("/approvals", () => ({ approvals: [row(4, "card_update", undefined, { state: "proposed", records: ["card:3"], expires_at: "2026-12-06T16:04:00Z" })], has_more: false }));
  fake.routes.set("/approvals/4", () => ({ ...row(4, "card_update"), state: "proposed", records, arguments: {} }));
  fake.answers.set("changes_list", () => result({ items: [row(3, "card_create", "card Cover the beds"), row(2, "card_update", "card Rake the leaves", { client: "claude-code", caller: "stdio" }), row(1, "board_create", "board Garden", { state: "failed" })] }));
  fake.answers.set("changes_undo", () => result({ undo: [{ changes: [3], act: "delete", record: "card 5 Cover the beds" }], conflicts: [{ record: "card 6 Rake the leaves", field: "title", before: "Rake", ours: "Rake leaves", now: "Rake the leaves" }], digest: "d" }));
  fake.resources.set("footbridge://leases", { leases: [{ connector: "board", record: "card:3", holder: "codex-2", until: "2026-11-29T18:30:00Z" }] });
  return fake;
}

test("the sign-in, and an empty board", async (t) => {
  const fake = garden();
  fake.session = { signed_in: false, needs: "token", is_approver: false, takes: ["token", "account"] };
  const tab = await opened(t, fake);
  await tab.waitForSelector(".sign-in");
  await picture(tab, "sign-in");
  await readable(tab, "the sign-in");
  fake.session = { ...fake.session, signed_in: true };
  fake.answers.set("card_list", () => result({ items: [] }, { kind: "board", columns: COLUMNS, connector: "board", title: "Garden" }));
  await tab.reload();
  await tab.waitForSelector(".board");
  await readable(tab, "an empty board");
});

test("inside a conversation", async (t) => {
  const host = await new Host().begin();
  const fake = garden();
  const answer = ({ name, arguments: args }) => fake.answers.get(name)(args ?? {});
  const tab = await host.open(browser.context, "work", { tool: answer }, { width: 700, context: { theme: "light", displayMode: "inline", availableDisplayModes: ["inline"] }, input: {}, result: answer({ name: "card_list" }) });
  t.after(async () => {
    await tab.close();
    await host.end();
    assert.deepEqual(tab.complaints, []);
  });
  await frameOf(tab).waitForSelector(".card");
  await tab.setViewportSize({ width: 720, height: 460 });
  await tab.waitForFunction(() => window.host.heard.sizes.length > 0);
  await picture(tab, "conversation");
  await readable(frameOf(tab), "inside a conversation");
});
