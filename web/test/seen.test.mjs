// The board of the program in real browsers, with agents over HTTP and over stdio on the same file.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Program, StdioAgent } from "./support/program.mjs";
import { readable } from "./support/pictures.mjs";

const COLUMNS = [{ key: "todo", title: "To do" }, { key: "doing", title: "Doing", wip_limit: 2 }, { key: "done", title: "Done" }];

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

async function started(t, words = []) {
  const program = await Program.begin({ words });
  t.after(() => program.end());
  const { id } = await program.call("board_create", { name: "Garden", columns: COLUMNS });
  return { program, board: id };
}

async function opened(t, program, context = browser.context) {
  const tab = await openTab(context, program.address);
  t.after(async () => {
    await tab.close();
    assert.deepEqual(tab.complaints, []);
  });
  await tab.waitForSelector(".board");
  return tab;
}

const inColumn = (tab, name) => tab.locator(`.column[aria-label="${name}"] .card-title`).allTextContents();
/** By the title of each card, the column that it stands in. */
const places = (tab) =>
  tab.evaluate(() =>
    Object.fromEntries([...document.querySelectorAll(".column")].flatMap((column) => [...column.querySelectorAll(".card-title")].map((title) => [title.textContent, column.getAttribute("aria-label")]))),
  );

test("an empty board takes a card, that is moved, edited, and seen by agents", async (t) => {
  const { program, board } = await started(t);
  const tab = await opened(t, program);
  assert.deepEqual(await tab.locator(".column h3").allTextContents(), ["To do", "Doing", "Done"]);
  await tab.click("text=New");
  await tab.fill('dialog [name="title"]', "Plant <img src=x onerror=alert(1)>");
  await tab.click("dialog button.main");
  await tab.waitForSelector(".card");
  assert.deepEqual(await inColumn(tab, "To do"), ["Plant <img src=x onerror=alert(1)>"]);
  await tab.dragAndDrop(".card", '.column[aria-label="Doing"]');
  await tab.waitForSelector('.column[aria-label="Doing"] .card:not(.moving)');
  assert.match(await tab.locator('.column[aria-label="Doing"] .count').textContent(), /^1 \/ 2/);
  await tab.focus(".card-title");
  await tab.keyboard.press("Shift+ArrowRight");
  await tab.waitForSelector('.column[aria-label="Done"] .card:not(.moving)');
  await tab.keyboard.press("Enter");
  await tab.click("dialog >> text=Edit");
  await tab.fill('dialog [name="description"]', "With **care**");
  await tab.click("dialog >> text=Save");
  await tab.waitForSelector("dialog .markdown strong");
  const { items } = await program.call("card_list", { filter: { board_id: [board] } });
  assert.deepEqual(items.map(({ title, status, description }) => ({ title, status, description })), [{ title: "Plant <img src=x onerror=alert(1)>", status: "done", description: "With **care**" }]);
  await tab.keyboard.press("Escape");
  await readable(tab, "the board of the program");
});

test("an agent's change appears without reload, and a card of no column stands elsewhere", async (t) => {
  const { program, board } = await started(t);
  const made = [];
  for (const [title, status] of [["One", "todo"], ["Two", "todo"], ["Three", "doing"]]) made.push(await program.call("card_create", { title, status, board_id: board }));
  await program.call("board_update", { id: board, columns: COLUMNS.filter((column) => column.key !== "doing") });
  const tab = await opened(t, program);
  await tab.waitForFunction(() => document.querySelectorAll(".card").length === 3);
  assert.deepEqual(await inColumn(tab, "Elsewhere"), ["Three"]);
  const agent = new StdioAgent(program.data);
  t.after(() => agent.end());
  await agent.call("card_update", { id: made[1].id, status: "done" });
  await tab.locator('.column[aria-label="Done"] .card-title', { hasText: "Two" }).waitFor();
  await program.call("card_update", { id: made[0].id, title: "One of them" });
  await tab.locator(".card-title", { hasText: "One of them" }).waitFor();
});

test("a column that an agent adds is there at once, and one that it renames has its new name", async (t) => {
  const { program, board } = await started(t);
  await program.call("card_create", { title: "One", status: "todo", board_id: board });
  const tab = await opened(t, program);
  await tab.waitForSelector(".card");
  const review = { key: "review", title: "Review", wip_limit: 1 };
  await program.call("board_update", { id: board, columns: [...COLUMNS.slice(0, 2), review, COLUMNS[2]] });
  await tab.waitForSelector('.column[aria-label="Review"]');
  await tab.dragAndDrop(".card", '.column[aria-label="Review"]');
  await tab.waitForSelector('.column[aria-label="Review"] .card:not(.moving)');
  await program.call("board_update", { id: board, columns: [...COLUMNS.slice(0, 2), { ...review, title: "Looked at" }, COLUMNS[2]] });
  await tab.waitForFunction(() => [...document.querySelectorAll(".column h3")].map((name) => name.textContent).join() === "To do,Doing,Looked at,Done");
});

test("cards that have no place yet are put into an order, which agents and other browsers see", async (t) => {
  const { program, board } = await started(t);
  for (const title of ["One", "Two", "Three"]) await program.call("card_create", { title, status: "todo", board_id: board });
  const tab = await opened(t, program);
  await tab.waitForFunction(() => document.querySelectorAll(".card").length === 3);
  const [first, , last] = await inColumn(tab, "To do");
  const key = async (title) => `[data-key="${await tab.locator(".card", { hasText: title }).getAttribute("data-key")}"]`;
  await tab.dragAndDrop(await key(last), await key(first), { targetPosition: { x: 20, y: 3 } });
  await tab.waitForFunction(() => document.querySelector(".moving") === null);
  const now = await inColumn(tab, "To do");
  assert.equal(now[0], last);
  const { items } = await program.call("card_list", { filter: { board_id: [board] } });
  assert.deepEqual(items.map(({ title }) => title), now);
  const other = await opened(t, program);
  await other.waitForFunction(() => document.querySelectorAll(".card").length === 3);
  assert.deepEqual(await inColumn(other, "To do"), now);
});

test("500 cards, all read and drawn", async (t) => {
  const { program, board } = await started(t);
  await Promise.all(
    Array.from({ length: 10 }, async (_, part) => {
      for (let at = 0; at < 50; at += 1) await program.call("card_create", { title: `Card ${part * 50 + at}`, status: COLUMNS[at % 3].key, board_id: board });
    }),
  );
  const tab = await opened(t, program);
  await tab.waitForFunction(() => document.querySelectorAll(".card").length === 500);
  await tab.focus(".card-title");
  await tab.keyboard.press("Shift+ArrowRight");
  await tab.waitForFunction(() => document.querySelector(".moving") === null && document.activeElement.closest(".column").getAttribute("aria-label") === "Doing");
});

test("two browsers, an agent over HTTP and one over stdio on one file: every card is right everywhere at the end", async (t) => {
  const { program, board } = await started(t);
  const cards = [];
  for (let at = 0; at < 12; at += 1) cards.push(await program.call("card_create", { title: `Card ${at}`, status: "todo", board_id: board }));
  const other = await openBrowser();
  t.after(() => other.end());
  const tabs = [await opened(t, program), await opened(t, program, other.context)];
  const stdio = new StdioAgent(program.data);
  t.after(() => stdio.end());
  for (const tab of tabs) await tab.waitForFunction(() => document.querySelectorAll(".card").length === 12);

  const delays = [];
  for (const [agent, title] of [[program, "by HTTP"], [stdio, "by stdio"], [program, "by HTTP again"], [stdio, "by stdio again"]]) {
    const since = performance.now();
    await agent.call("card_update", { id: cards[0].id, title });
    await Promise.all(tabs.map((tab) => tab.waitForFunction((told) => document.querySelector(".card-title").textContent === told, title, { polling: "raf" })));
    delays.push(`${title}: ${(performance.now() - since).toFixed(0)} ms`);
  }
  t.diagnostic(`from the call of an agent to both browsers: ${delays.join(", ")}`);

  const byAgent = async (agent, from) => {
    for (let at = 0; at < 12; at += 1) await agent.call("card_update", { id: cards[(from + at) % 12].id, status: COLUMNS[(from + at) % 3].key });
  };
  const byHand = async (tab, first) => {
    for (let at = 0; at < 6; at += 1) {
      const key = `id ${cards[first + at].id}`;
      await tab.focus(`[data-key="${key}"] .card-title`);
      await tab.keyboard.press("m");
      await tab.locator("dialog .choices button:not(:disabled)").nth(at % 2).click();
      await tab.waitForFunction((told) => !document.querySelector(`[data-key="${told}"]`).classList.contains("moving"), key);
    }
  };
  await Promise.all([byAgent(program, 0), byAgent(stdio, 5), byHand(tabs[0], 0), byHand(tabs[1], 6)]);

  const { items } = await program.call("card_list", { filter: { board_id: [board] } });
  const right = Object.fromEntries(items.map(({ title, status }) => [title, COLUMNS.find((column) => column.key === status).title]));
  assert.equal(Object.keys(right).length, 12);
  for (const tab of tabs) {
    await tab.waitForFunction((told) => Object.entries(told).every(([title, column]) => [...document.querySelectorAll(`.column[aria-label="${column}"] .card-title`)].some((card) => card.textContent === title)), right);
    assert.deepEqual(await places(tab), right);
    assert.equal(await tab.locator(".notice").count(), 0);
  }
});
