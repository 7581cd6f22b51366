// The order of cards in a column: as numbers, and by hand and by keys in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Fake, boardOf, refusal } from "./support/fake.mjs";
import { source } from "./support/sources.mjs";

const { inOrder, numbersFor } = await source("view/order.ts");
const COLUMNS = [{ id: "todo", name: "To do" }, { id: "done", name: "Done" }];

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

const row = (key, position) => ({ key, id: key, members: position === undefined ? {} : { position } });
const numbers = (others, before) => numbersFor(row("x", 5), others, before, "position")?.map(({ row, number }) => [row.key, number]);

test("a card gets a number between its neighbours, and those behind it only where they need one", () => {
  const others = [row("a", 1), row("b", 2), row("c", 3)];
  assert.deepEqual(numbers(others, "b"), [["x", 1.5]]);
  assert.deepEqual(numbers(others, "a"), [["x", 0]]);
  assert.deepEqual(numbers(others, ""), [["x", 4]]);
  assert.deepEqual(numbers([], ""), [["x", 0]]);
  // without numbers, or with one number for all
  assert.deepEqual(numbers([row("a"), row("b"), row("c")], "b"), [["x", 0], ["b", 1], ["c", 2]]);
  assert.deepEqual(numbers([row("a", 7), row("b", 7), row("c", 9)], "b"), [["x", 8], ["b", 9], ["c", 10]]);
  assert.deepEqual(numbers([row("a"), row("b", 3)], "b"), [["x", 2]]);
  // no number stands between these two
  assert.deepEqual(numbers([row("a", 1), row("b", 1 + Number.EPSILON)], "b"), [["x", 2], ["b", 3]]);
  assert.equal(numbers(Array.from({ length: 200 }, (_, at) => row(String(at))), "3"), undefined);
});

test("the rows stand by their numbers, those without one first, however often they are moved", () => {
  let cards = Array.from({ length: 12 }, (_, at) => row(String(at)));
  const keys = (rows) => rows.map(({ key }) => key);
  let random = 7;
  const next = (below) => (random = (random * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let time = 0; time < 500; time += 1) {
    const shown = inOrder(cards, "position", new Map());
    const card = shown[next(shown.length)];
    const others = shown.filter((one) => one !== card);
    const at = next(others.length + 1);
    const wanted = [...keys(others.slice(0, at)), card.key, ...keys(others.slice(at))];
    const found = numbersFor(card, others, others[at]?.key ?? "", "position");
    const byKey = new Map(found.map(({ row, number }) => [row.key, number]));
    cards = cards.map((one) => (byKey.has(one.key) ? row(one.key, byKey.get(one.key)) : one));
    assert.deepEqual(keys(inOrder(cards, "position", new Map())), wanted, `time ${time}`);
  }
});

async function opened(t, cards, prepare) {
  const fake = await new Fake().begin();
  const view = boardOf(fake, { columns: COLUMNS, cards });
  view.move.order = "position";
  prepare?.(fake);
  const tab = await openTab(browser.context, fake.address);
  t.after(async () => {
    await tab.close();
    await fake.end();
    assert.deepEqual(tab.complaints, []);
  });
  await tab.waitForSelector(".board");
  return { fake, tab };
}

const card = (id, status, position) => ({ id, title: `Card ${id}`, status, position });
const inColumn = (tab, name) => tab.locator(`.column[aria-label="${name}"] .card-title`).allTextContents();
const settled = (tab) => tab.waitForFunction(() => document.querySelector(".moving") === null);
const moves = (fake) => fake.calls.filter((call) => call.name === "card_update").map((call) => call.arguments);

test("a card is dragged before another one, in its column and in the next, and by keys", async (t) => {
  const { fake, tab } = await opened(t, [card("1", "todo", 1), card("2", "todo", 2), card("3", "todo", 3), card("4", "done", 10), card("5", "done", 20)]);
  await tab.dragAndDrop('[data-key="id 3"]', '[data-key="id 1"]', { targetPosition: { x: 20, y: 3 } });
  await settled(tab);
  assert.deepEqual(await inColumn(tab, "To do"), ["Card 3", "Card 1", "Card 2"]);
  assert.deepEqual(moves(fake), [{ id: "3", position: 0 }]);
  await tab.dragAndDrop('[data-key="id 1"]', '[data-key="id 5"]', { targetPosition: { x: 20, y: 3 } });
  await settled(tab);
  assert.deepEqual(await inColumn(tab, "Done"), ["Card 4", "Card 1", "Card 5"]);
  assert.deepEqual(moves(fake).at(-1), { id: "1", status: "done", position: 15 });
  // where it is already, nothing is sent
  await tab.dragAndDrop('[data-key="id 4"]', '[data-key="id 1"]', { targetPosition: { x: 20, y: 3 } });
  assert.equal(moves(fake).length, 2);
  await tab.focus('[data-key="id 5"] .card-title');
  await tab.keyboard.press("Shift+ArrowUp");
  await settled(tab);
  assert.deepEqual(await inColumn(tab, "Done"), ["Card 4", "Card 5", "Card 1"]);
  await tab.waitForFunction(() => document.activeElement.textContent.startsWith("Card 5"));
  await tab.keyboard.press("Shift+ArrowDown");
  await settled(tab);
  assert.deepEqual(await inColumn(tab, "Done"), ["Card 4", "Card 1", "Card 5"]);
});

test("a place that is refused is given back", async (t) => {
  const { tab } = await opened(t, [card("1", "todo", 1), card("2", "todo", 2)], (fake) => fake.answers.set("card_update", () => refusal("card 2 is leased by codex-2 until 14:05 UTC")));
  await tab.dragAndDrop('[data-key="id 2"]', '[data-key="id 1"]', { targetPosition: { x: 20, y: 3 } });
  await tab.locator(".notice.bad", { hasText: "card 2 is leased" }).waitFor();
  assert.deepEqual(await inColumn(tab, "To do"), ["Card 1", "Card 2"]);
});
