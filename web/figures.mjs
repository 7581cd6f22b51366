// Figures of the pages, printed: their size, how long a board of 500 cards takes to be drawn after its data came, and the longest task while cards
// are moved. Usage: node figures.mjs [--json]
import { gzipSync } from "node:zlib";
import { openBrowser, openTab } from "./test/support/chromium.mjs";
import { Fake, boardOf, documentOf } from "./test/support/fake.mjs";

const CARDS = 500;
const MOVES = 20;
const TIMES = 5;
const COLUMNS = ["todo", "doing", "review", "done"].map((id) => ({ id, name: id }));

const pages = Object.fromEntries(
  ["work", "changes"].map((name) => {
    const html = documentOf(name);
    return [name, { bytes: Buffer.byteLength(html), compressed: gzipSync(html, { level: 9 }).length }];
  }),
);

const browser = await openBrowser();
const drawn = [];
const longest = [];
for (let time = 0; time < TIMES; time += 1) {
  const fake = await new Fake().begin();
  const cards = Array.from({ length: CARDS }, (_, at) => ({
    id: String(at),
    title: `Card ${at} about something that somebody has to do`,
    status: COLUMNS[at % COLUMNS.length].id,
    priority: "high",
    assignee: "ann",
    due_date: "2026-12-01",
    tags: ["a", "b"],
  }));
  boardOf(fake, { columns: COLUMNS, cards });
  const tab = await openTab(browser.context);
  // from the end of the answer's body to the frame in which the cards stand
  await tab.addInitScript(() => {
    window.measured = { came: 0, drawn: 0, tasks: [] };
    const read = Response.prototype.text;
    Response.prototype.text = async function () {
      const text = await read.call(this);
      if (text.includes("Card 499")) window.measured.came ||= performance.now();
      return text;
    };
    new MutationObserver(() => {
      if (window.measured.drawn === 0 && document.querySelectorAll(".card").length >= 500) {
        requestAnimationFrame(() => setTimeout(() => (window.measured.drawn ||= performance.now())));
      }
    }).observe(document, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.measured.tasks.push(task.duration);
    }).observe({ entryTypes: ["longtask"] });
  });
  await tab.goto(fake.address);
  await tab.waitForFunction(() => window.measured.drawn > 0);
  drawn.push(await tab.evaluate(() => window.measured.drawn - window.measured.came));
  await tab.evaluate(() => (window.measured.tasks = []));
  await tab.focus(".card-title");
  for (let move = 0; move < MOVES; move += 1) {
    await tab.keyboard.press(move % 2 === 0 ? "Shift+ArrowRight" : "Shift+ArrowLeft");
    await tab.waitForFunction(() => document.querySelector(".moving") === null);
  }
  longest.push(await tab.evaluate(() => Math.max(0, ...window.measured.tasks)));
  await tab.close();
  await fake.end();
}
await browser.end();
const middle = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
const rounded = (value) => Number(value.toFixed(0));
const figures = { pages, drawn_ms: rounded(middle(drawn)), longest_task_ms: rounded(middle(longest)) };
if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
else {
  for (const [name, { bytes, compressed }] of Object.entries(pages)) console.log(`${name}.html: ${rounded(bytes / 1000)} KB, ${rounded(compressed / 1000)} KB compressed`);
  console.log(`a board of ${CARDS} cards: drawn ${figures.drawn_ms} ms after its data came (${drawn.map(rounded).join(", ")})`);
  console.log(`${MOVES} moves on it: the longest task ${figures.longest_task_ms} ms, 0 where none is over 50 (${longest.map(rounded).join(", ")})`);
}
