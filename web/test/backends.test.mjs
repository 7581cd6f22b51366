// Taiga and TruePPM on the page: their boards, a sprint, burndowns and a forecast, out of the program in front of backends that keep state.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Backend } from "./support/backend.mjs";
import { picture, readable } from "./support/pictures.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

async function served(t, name, words = []) {
  const backend = await Backend.begin(name);
  t.after(() => backend.end());
  const program = await backend.serve([name, ...words]);
  t.after(() => program.end());
  return program;
}

/** A view as a person opens it: by its title, then what it asks for, one after the other. */
async function opened(t, program, title, chosen) {
  const tab = await openTab(browser.context, program.address);
  t.after(async () => {
    await tab.close();
    assert.deepEqual(tab.complaints, []);
  });
  await tab.locator(".sidebar a", { hasText: new RegExp(`^${title}$`) }).click();
  for (const name of chosen) await tab.locator(".choices a", { hasText: new RegExp(`^${name}$`) }).click();
  return tab;
}

const inColumn = (tab, name) => tab.locator(`.column[aria-label="${name}"] .card-title`).allTextContents();
const columns = (tab) => tab.locator(".column").evaluateAll((all) => all.map((column) => column.getAttribute("aria-label")));

/** What the picture says: the points of each line as numbers of its axis, its ticks and its marks. */
const drawn = (tab) =>
  tab.evaluate(() => {
    const number = (element, name) => Number(element.getAttribute(name));
    const ticks = [...document.querySelectorAll(".axis g")].map((tick) => [Number(tick.textContent.replaceAll(",", "")), number(tick.querySelector("line"), "y1")]);
    const [low, high] = [ticks[0], ticks.at(-1)];
    const value = (y) => low[0] + ((y - low[1]) / (high[1] - low[1])) * (high[0] - low[0]);
    return {
      ticks: ticks.map(([tick]) => tick),
      lines: [...document.querySelectorAll("polyline")].map((line) => line.getAttribute("points").split(" ").map((point) => value(Number(point.split(",")[1])))),
      marks: [...document.querySelectorAll(".mark")].map((mark) => [mark.textContent, number(mark.querySelector("line"), "x1")]),
    };
  });

/** Each label of a chart is whole within its picture, and none covers another. */
async function labelled(tab) {
  const wrong = await tab.evaluate(() => {
    const picture = document.querySelector("svg[role=img]").getBoundingClientRect();
    const labels = [...document.querySelectorAll("svg[role=img] text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    const found = labels.filter(([, box]) => box.left < picture.left || box.right > picture.right || box.top < picture.top || box.bottom > picture.bottom).map(([text]) => `cut: ${text}`);
    labels.forEach(([one, box], at) => {
      for (const [other, beside] of labels.slice(at + 1)) {
        if (box.left < beside.right && beside.left < box.right && box.top + 2 < beside.bottom && beside.top + 2 < box.bottom) found.push(`${one} covers ${other}`);
      }
    });
    for (const line of document.querySelectorAll(".mark line")) {
      const { left, top, bottom } = line.getBoundingClientRect();
      for (const [text, box] of labels) if (box.left + 1 < left && left < box.right - 1 && box.top < bottom && top < box.bottom) found.push(`a line goes through ${text}`);
    }
    return found;
  });
  assert.deepEqual(wrong, []);
}

const plain = (text) => text.replace(/<\/?untrusted-content>/g, "");
const isNear = (one, other, by) => assert.ok(one.length === other.length && one.every((value, at) => Math.abs(value - other[at]) <= by), `${JSON.stringify(one)} is not ${JSON.stringify(other)}`);

test("the stories of a Taiga are a board, and a story that is dragged has another status there", async (t) => {
  const program = await served(t, "taiga", ["--allow", "write"]);
  const tab = await opened(t, program, "User stories", ["Project Example 1"]);
  await tab.waitForSelector(".card");
  assert.deepEqual(await columns(tab), ["New", "Ready", "In progress", "Ready for test", "Done", "Archived"]);
  const { items, total_count } = await program.call("taiga_stories_list", { project_id: "Project Example 1", limit: 200, fields: ["ref", "subject", "status"] });
  assert.equal(items.length, total_count);
  for (const name of await columns(tab)) {
    const right = items.filter((story) => story.status === name).map((story) => plain(story.subject));
    assert.deepEqual((await inColumn(tab, name)).sort(), right.sort(), name);
  }
  await picture(tab, "taiga-stories");
  await readable(tab, "the stories of a Taiga");

  const [title] = await inColumn(tab, "New");
  const story = items.find(({ subject }) => plain(subject) === title);
  const has = tab.locator(`.card-title:text-is("${title}")`);
  await tab.locator(".card", { has }).dragTo(tab.locator('.column[aria-label="In progress"]'));
  await tab.locator('.column[aria-label="In progress"] .card:not(.moving)', { has }).waitFor();
  const moved = await program.call("taiga_item_get", { project: "Project Example 1", ref: story.ref });
  assert.equal(moved.status, "In progress");
  // opened, it is the story whole
  await has.click();
  await tab.waitForSelector("dialog .record");
});

test("a sprint of a Taiga is a board, and its burndown a chart", async (t) => {
  const program = await served(t, "taiga");
  const tab = await opened(t, program, "Sprint", ["Project Example 1"]);
  await tab.waitForSelector(".card");
  assert.equal(await tab.locator(".card").count(), 14);
  assert.equal(await tab.locator(".card[draggable=true]").count(), 0, "only reading is open");
  await picture(tab, "taiga-sprint");
  await readable(tab, "a sprint of a Taiga");

  const chart = await opened(t, program, "Burndown", ["Project Example 1"]);
  await chart.waitForSelector("polyline", { state: "attached" });
  const { burndown } = await program.call("taiga_sprints_get", { project_id: "Project Example 1", burndown: true });
  const { lines, ticks } = await drawn(chart);
  isNear(lines[0], burndown.map(({ open }) => open), 0.2);
  isNear(lines[1], burndown.map(({ ideal }) => ideal), 0.2);
  assert.ok(ticks.at(-1) >= Math.max(...burndown.map(({ open }) => open)), `the highest point is below a number of the axis: ${ticks}`);
  assert.deepEqual(await chart.locator(".legend li").allTextContents(), ["Open", "Ideal"]);
  await labelled(chart);
  await picture(chart, "taiga-burndown");
  await readable(chart, "a burndown of a Taiga");
});

test("the board of a TruePPM has its columns, their limits, and no way to move", async (t) => {
  const program = await served(t, "trueppm");
  const tab = await opened(t, program, "Board", ["Platform Migration"]);
  await tab.waitForSelector(".card");
  const board = await program.call("get_board_state", { project_id: "Platform Migration" });
  assert.deepEqual(await columns(tab), board.columns.map(({ label }) => plain(label)));
  assert.equal(await tab.locator(".card").count(), board.cards.length);
  assert.match(await tab.locator('.column[aria-label="In Progress"] .count').textContent(), /\/ 3/);
  assert.equal(await tab.locator(".card[draggable=true]").count(), 0);
  await picture(tab, "trueppm-board");
  await readable(tab, "the board of a TruePPM");
});

test("the forecast of a TruePPM is an S-curve with its marks, kept or run today", async (t) => {
  const program = await served(t, "trueppm");
  for (const [project, name] of [["Platform Migration", "trueppm-forecast"], ["Migration Tooling", undefined]]) {
    const tab = await opened(t, program, "Forecast", [project]);
    await tab.waitForSelector("polyline", { state: "attached" });
    const told = await program.call("get_monte_carlo_forecast", { project_id: project, fields: ["p50", "p80", "p95", "cpm_finish", "confidence_curve"] });
    const { lines, ticks, marks } = await drawn(tab);
    isNear(lines[0], told.confidence_curve.map(({ probability }) => probability), 0.005);
    assert.ok(lines[0].every((value, at) => at === 0 || value >= lines[0][at - 1] - 0.002), "it rises");
    assert.deepEqual([ticks[0], ticks.at(-1)], [0, 1]);
    assert.deepEqual(marks.map(([mark]) => mark).sort(), ["P50", "P80", "P95", "Planned finish"]);
    const place = Object.fromEntries(marks);
    assert.ok(place["Planned finish"] < place.P50 && place.P50 < place.P80 && place.P80 < place.P95, JSON.stringify(marks));
    await labelled(tab);
    if (name !== undefined) {
      await picture(tab, name);
      await readable(tab, "the forecast of a TruePPM");
    }
  }
});

test("the burndown of a TruePPM's sprint is a line of what remains", async (t) => {
  const program = await served(t, "trueppm");
  const { items } = await program.call("list_sprints", { project_id: "Platform Migration" });
  const active = items.find(({ state }) => state === "ACTIVE");
  const name = plain(active.name);
  const tab = await opened(t, program, "Burndown", ["Platform Migration", name]);
  await tab.waitForSelector("polyline", { state: "attached" });
  const { series } = await program.call("get_sprint_burndown", { sprint_id: active.id });
  const { lines } = await drawn(tab);
  isNear(lines[0], series.map((day) => day.remaining_points), 0.2);
  await labelled(tab);
  await picture(tab, "trueppm-burndown");
  await readable(tab, "a burndown of a TruePPM");
});
