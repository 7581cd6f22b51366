// The board in a real browser, against a server that does what the program cannot be made to do on demand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Fake, boardOf, refusal, result } from "./support/fake.mjs";

const COLUMNS = [{ id: "todo", name: "To do" }, { id: "doing", name: "Doing", limit: 2 }, { id: "done", name: "Done", is_closed: true }];
let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

/** A page over a board of these cards. */
async function opened(t, cards, { columns = COLUMNS, limit, prepare } = {}) {
  const fake = await new Fake().begin();
  const view = boardOf(fake, { columns, cards, limit });
  prepare?.(fake, view);
  const tab = await openTab(browser.context, fake.address);
  t.after(async () => {
    await tab.close();
    await fake.end();
    assert.deepEqual(tab.complaints, []);
  });
  await tab.waitForSelector(".board");
  return { fake, tab, view };
}

const card = (id, status, more = {}) => ({ id, title: `Card ${id}`, status, ...more });
const inColumn = (tab, name) => tab.locator(`.column[aria-label="${name}"] .card-title`).allTextContents();
const moves = (fake) => fake.calls.filter((call) => call.name === "card_update");

test("an empty board shows its columns, and takes a first card", async (t) => {
  const { tab } = await opened(t, []);
  assert.deepEqual(await tab.locator(".column h3").allTextContents(), ["To do", "Doing", "Done"]);
  assert.equal(await tab.locator(".card").count(), 0);
  await tab.click("text=New");
  await tab.click("dialog button.main");
  await tab.waitForSelector("text=This is needed.");
  await tab.fill('dialog [name="title"]', "First");
  assert.deepEqual(await tab.locator('dialog [name="status"] option').allTextContents(), ["–", "To do", "Doing", "Done"]);
  await tab.click("dialog button.main");
  await tab.waitForSelector(".card");
  assert.deepEqual(await inColumn(tab, "To do"), ["First"]);
});

test("a card is dragged to a column, and the count and the limit follow", async (t) => {
  const { fake, tab } = await opened(t, [card("1", "todo"), card("2", "doing"), card("3", "doing")]);
  await tab.dragAndDrop('[data-key="id 1"]', '.column[aria-label="Doing"]');
  await tab.waitForSelector(".column.over");
  assert.deepEqual(await inColumn(tab, "Doing"), ["Card 1", "Card 2", "Card 3"]);
  assert.match(await tab.locator('.column[aria-label="Doing"] .count').textContent(), /^3 \/ 2 over its limit$/);
  await tab.waitForSelector(".card:not(.moving)");
  assert.deepEqual(moves(fake), [{ name: "card_update", arguments: { id: "1", status: "doing" } }]);
});

test("the keys go from card to card, move one, and say so", async (t) => {
  const { fake, tab } = await opened(t, [card("1", "todo"), card("2", "todo"), card("3", "done")]);
  const focused = () => tab.evaluate(() => document.activeElement.textContent.slice(0, 20));
  await tab.focus(".filter input");
  await tab.keyboard.press("Tab"); // New
  await tab.keyboard.press("Tab"); // Refresh
  await tab.keyboard.press("Tab");
  assert.equal(await focused(), "Card 1");
  await tab.keyboard.press("ArrowDown");
  assert.equal(await focused(), "Card 2");
  await tab.keyboard.press("ArrowRight"); // over the empty column
  assert.equal(await focused(), "Card 3");
  await tab.keyboard.press("Shift+ArrowLeft");
  await tab.waitForFunction(() => document.activeElement?.closest(".column")?.getAttribute("aria-label") === "Doing");
  assert.equal(await focused(), "Card 3");
  await tab.waitForFunction(() => /Card 3 moved to Doing/.test(document.querySelector('[role="status"].only-heard').textContent));
  await tab.keyboard.press("m");
  await tab.waitForSelector("dialog .choices");
  await tab.keyboard.press("ArrowDown");
  await tab.locator("dialog .choices button", { hasText: "Done" }).press("Enter");
  await tab.waitForFunction(() => document.activeElement?.closest(".column")?.getAttribute("aria-label") === "Done");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector("dialog .record");
  await tab.keyboard.press("Escape");
  await tab.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focused(), "Card 3");
  assert.deepEqual(moves(fake).map((call) => call.arguments.status), ["doing", "done"]);
});

test("a move that is refused is taken back, with the sentence", async (t) => {
  const { tab } = await opened(t, [card("1", "todo")], {
    prepare: (fake) => fake.answers.set("card_update", () => refusal("card 1 is leased by codex-2 until 14:05 UTC")),
  });
  await tab.dragAndDrop('[data-key="id 1"]', '.column[aria-label="Done"]');
  const notice = await tab.waitForSelector('.notice.bad');
  assert.match(await notice.textContent(), /“Card 1” is back in “To do”\. card 1 is leased by codex-2/);
  assert.deepEqual(await inColumn(tab, "To do"), ["Card 1"]);
  await tab.click('.notice [aria-label="Dismiss"]');
  await tab.waitForSelector(".notice", { state: "detached" });
});

test("a move that became a proposal is taken back, and says where it waits", async (t) => {
  const { tab } = await opened(t, [card("1", "todo")], {
    prepare: (fake) => fake.answers.set("card_update", () => ({ content: [{ type: "text", text: "Nothing was changed yet: this is proposed as change 14, and a person decides it." }] })),
  });
  await tab.dragAndDrop('[data-key="id 1"]', '.column[aria-label="Done"]');
  const notice = await tab.waitForSelector(".notice.bad");
  assert.match(await notice.textContent(), /is back in “To do”\. The move waits for a person, as change 14/);
});

test("the server goes while a card is in the air, and comes back with what happened meanwhile", async (t) => {
  const cards = [card("1", "todo"), card("2", "todo")];
  const { fake, tab } = await opened(t, cards);
  const from = await tab.locator('[data-key="id 1"]').boundingBox();
  const to = await tab.locator('.column[aria-label="Done"]').boundingBox();
  await tab.mouse.move(from.x + 20, from.y + 12);
  await tab.mouse.down();
  await tab.mouse.move(to.x + 30, to.y + 60, { steps: 5 });
  await fake.end();
  await tab.mouse.up();
  await tab.locator(".notice.bad", { hasText: "is back in “To do”" }).waitFor();
  assert.deepEqual(await inColumn(tab, "To do"), ["Card 1", "Card 2"]);
  cards[1].status = "doing"; // somebody else, meanwhile
  await fake.begin();
  await tab.waitForSelector('.column[aria-label="Doing"] .card');
  assert.deepEqual(await inColumn(tab, "To do"), ["Card 1"]);
});

test("a slow move is shown at once, and an older answer does not bring the card back", async (t) => {
  const cards = [card("1", "todo")];
  let release;
  const { fake, tab } = await opened(t, cards, {
    prepare: (fake) => {
      const update = fake.answers.get("card_update");
      fake.answers.set("card_update", async (args) => {
        await new Promise((resolve) => (release = resolve));
        return update(args);
      });
    },
  });
  await tab.dragAndDrop('[data-key="id 1"]', '.column[aria-label="Done"]');
  await tab.waitForSelector('.column[aria-label="Done"] .card.moving');
  fake.changed();
  await tab.click("text=Refresh");
  await tab.waitForFunction(() => document.querySelector(".tools [aria-busy]").getAttribute("aria-busy") === "false");
  assert.deepEqual(await inColumn(tab, "Done"), ["Card 1"]);
  release();
  await tab.waitForSelector('.column[aria-label="Done"] .card:not(.moving)');
  assert.deepEqual(await inColumn(tab, "To do"), []);
});

test("somebody else's change appears, and what is being typed stays", async (t) => {
  const cards = [card("1", "todo", { description: "old" })];
  const { fake, tab } = await opened(t, cards);
  while (fake.listeners === 0) await new Promise((resolve) => setImmediate(resolve));
  await tab.click(".card-title");
  await tab.click("dialog button.main");
  await tab.fill('dialog [name="description"]', "what I am writing");
  cards[0].title = "Renamed elsewhere";
  cards.push(card("2", "done"));
  fake.changed();
  await tab.waitForSelector('.column[aria-label="Done"] .card');
  assert.equal(await tab.inputValue('dialog [name="description"]'), "what I am writing");
  await fake.end();
  await tab.click("dialog button.main");
  await tab.locator("dialog .notice.bad", { hasText: "What you typed is still here" }).waitFor();
  await tab.keyboard.press("Escape");
  await fake.begin();
  await tab.reload();
  await tab.click(".card-title");
  await tab.click("dialog button.main");
  assert.equal(await tab.inputValue('dialog [name="description"]'), "what I am writing");
  await tab.click("dialog button.main");
  await tab.waitForSelector("dialog form", { state: "detached" });
  assert.deepEqual(moves(fake).at(-1).arguments, { description: "what I am writing", id: "1" });
});

test("texts of a backend are texts, however they are written", async (t) => {
  const titles = ["<img src=x onerror=alert(1)>", "\u202eevil \u2066x", "🌻".repeat(200), "x".repeat(4_000), "</script><script>alert(1)</script>"];
  const long = "# Title\n\n<img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) [b](https://example.org) ![p](https://example.org/p.png)\n\n<form action=x><input name=attributes></form>";
  const { tab } = await opened(t, titles.map((title, at) => card(String(at), "todo", { title, description: long, assignee: titles[0], tags: titles })));
  assert.deepEqual(await inColumn(tab, "To do"), titles);
  await tab.locator(".card-title").first().click();
  await tab.waitForSelector("dialog .markdown");
  assert.equal(await tab.locator("img, form:not(.form), dialog script").count(), 0);
  assert.deepEqual(await tab.locator("dialog .markdown a").evaluateAll((links) => links.map((link) => [link.textContent, link.getAttribute("href")])), [
    ["a", null],
    ["b", "https://example.org"],
  ]);
  assert.match(await tab.locator("dialog .markdown").textContent(), /<img src=x onerror=alert\(1\)> bold/);
  const isWider = await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(isWider, false);
});

test("a text of which a part came is not edited as the whole", async (t) => {
  const part = "abc… (cut: 0 to 3 of 9000 characters)";
  const { tab } = await opened(t, [card("1", "todo", { description: part })]);
  await tab.click(".card-title");
  await tab.click("dialog button.main");
  assert.equal(await tab.locator('dialog [name="description"]').isDisabled(), true);
});

test("60 columns, two of one name, and values that are none of them", async (t) => {
  const columns = Array.from({ length: 60 }, (_, at) => ({ id: `c${at}`, name: at === 7 ? "Column 6" : `Column ${at}` }));
  const { tab } = await opened(t, [card("1", "c7"), card("2", "Column 6"), card("3", "tood"), card("4", undefined)], { columns });
  assert.equal(await tab.locator(".column").count(), 61);
  assert.deepEqual(await inColumn(tab, "Elsewhere"), ["Card 2", "Card 3", "Card 4"]);
  assert.equal(await tab.locator(".column").nth(7).locator(".card").count(), 1);
  await tab.waitForSelector("text=Several columns are called");
});

test("all pages are read, up to a number, and the page says when that is not all", async (t) => {
  const cards = Array.from({ length: 1_200 }, (_, at) => card(String(at), "todo"));
  const { tab } = await opened(t, cards, { limit: 200 });
  await tab.waitForSelector("text=These are the first 1000 rows; there are more.");
  assert.match(await tab.locator('.column[aria-label="To do"] .count').textContent(), /^1000/);
  await tab.fill(".filter input", "card 99");
  await tab.waitForFunction(() => document.querySelector(".count").textContent.startsWith("19 of 1000"));
});

test("500 cards are all there, and one of them moves", async (t) => {
  const cards = Array.from({ length: 500 }, (_, at) => card(String(at), COLUMNS[at % 3].id, { priority: "high", tags: ["a", "b"], due_date: "2026-12-01" }));
  const { tab } = await opened(t, cards);
  assert.equal(await tab.locator(".card").count(), 500);
  await tab.dragAndDrop('[data-key="id 0"]', '.column[aria-label="Done"]');
  await tab.waitForSelector('.column[aria-label="Done"] [data-key="id 0"]:not(.moving)');
  assert.equal(await tab.locator(".card").count(), 500);
});

test("a tool that answers by a text, a record and a table is drawn as such", async (t) => {
  const rows = Array.from({ length: 250 }, (_, at) => ({ id: at, name: `n${(at * 7) % 250}`, size: at % 3 === 0 ? null : at * 1000.5, made: "2026-11-29T10:00:00Z" }));
  const { tab } = await opened(t, [], {
    prepare: (fake) => {
      fake.tools.push(
        { connector: "board", tool: "listed", title: "Listed", kind: "table", required: {} },
        { connector: "board", tool: "one", title: "One", kind: "record", required: { id: { type: "integer", description: "Which one" } } },
        { connector: "board", tool: "words", title: "Words", kind: "record", required: {} },
      );
      fake.answers.set("listed", () => result({ items: rows }));
      fake.answers.set("one", ({ id }) => result({ id, inner: { a: [{ b: 1 }] } }));
      fake.answers.set("words", () => ({ content: [{ type: "text", text: "Only <b>words</b>" }] }));
    },
  });
  await tab.click("summary");
  await tab.click("text=Listed");
  await tab.waitForSelector("table");
  assert.equal(await tab.locator("tbody tr").count(), 200);
  await tab.click("th >> text=Name");
  assert.equal(await tab.locator('th[aria-sort="ascending"]').textContent(), "Name ▲");
  assert.deepEqual(await tab.locator("tbody tr td:nth-child(3)").evaluateAll((cells) => cells.slice(0, 3).map((cell) => cell.textContent)), ["n0", "n1", "n2"]);
  await tab.click("th >> text=Size");
  await tab.click("th >> text=Size");
  assert.equal(await tab.locator("tbody tr td:nth-child(4)").first().textContent(), "248,124");
  await tab.click("text=Draw more");
  assert.equal(await tab.locator("tbody tr").count(), 250);
  await tab.click("text=Words");
  assert.equal(await tab.locator(".plain").textContent(), "Only <b>words</b>");
  await tab.click("text=One");
  await tab.fill('[name="id"]', "7");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".record .record");
  assert.match(await tab.locator(".record").first().textContent(), /Id7/);
});

test("what has to be chosen first is chosen from its list", async (t) => {
  const { tab, fake } = await opened(t, [card("1", "todo")], {
    prepare: (fake) => {
      Object.assign(fake.views[0], {
        required: { "filter.status": { type: "string" } },
        choices: [
          { argument: "house", is_argument: false, tool: "house_list", takes: [], id: "id", name: "name" },
          { argument: "filter.board_id", tool: "board_list", takes: ["house"], id: "id", name: "name" },
        ],
      });
      fake.views.unshift({ name: "other", connector: "board", title: "Other", kind: "record", tool: "other", arguments: {}, required: {} });
      fake.answers.set("other", () => result({ items: [] }, { kind: "board", columns: [], rows: "items" }));
      fake.answers.set("house_list", () => result({ items: [{ id: 7, name: "The only one" }] }));
      fake.answers.set("board_list", ({ house }) => result({ items: house === 7 ? [{ id: "b1", name: "Garden" }, { id: "b2", name: "House" }] : [] }));
    },
  });
  await tab.click(".sidebar >> text=Garden");
  await tab.click("main .choices >> text=House");
  await tab.fill('[name="filter.status"]', "todo");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".card");
  assert.deepEqual(fake.calls.find((call) => call.name === "card_list").arguments, { filter: { board_id: "b2", status: "todo" } });
  await tab.reload();
  await tab.waitForSelector(".card");
  await tab.click("text=Another…");
  await tab.waitForSelector("main .choices");
});
