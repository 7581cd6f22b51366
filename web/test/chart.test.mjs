// Charts as they are drawn, held against their numbers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Fake, result } from "./support/fake.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

/** A page with one chart; a text of JSON is sent as it is, as it may hold numbers that JavaScript does not write. */
async function drawn(t, rows, told = {}) {
  const fake = await new Fake().begin();
  fake.views.push({ name: "c", connector: "x", title: "Chart", kind: "chart", tool: "c", arguments: {} });
  const view = { kind: "chart", name: "c", connector: "x", title: "Chart", rows: "rows", x: "x", y: ["y"], line: true, marks: {}, ...told };
  fake.answers.set("c", () => (typeof rows === "string" ? { content: [{ type: "text", text: `{"rows":${rows}}` }], _meta: { "footbridge/view": view } } : result({ rows }, view)));
  const tab = await openTab(browser.context, fake.address);
  t.after(async () => {
    await tab.close();
    await fake.end();
    assert.deepEqual(tab.complaints, []);
  });
  await tab.waitForSelector(".chart");
  return tab;
}

/** By its text, the height of each tick of the y axis; and the points of each line. */
const seen = (tab) =>
  tab.evaluate(() => ({
    ticks: Object.fromEntries([...document.querySelectorAll(".axis g")].map((tick) => [tick.textContent, Number(tick.querySelector("line").getAttribute("y1"))])),
    lines: [...document.querySelectorAll("polyline")].map((line) => line.getAttribute("points").split(" ").map((point) => point.split(",").map(Number))),
    bars: [...document.querySelectorAll("rect.bar")].map((bar) => ["x", "y", "width", "height"].map((name) => Number(bar.getAttribute(name)))),
    marks: [...document.querySelectorAll(".mark")].map((mark) => [mark.textContent, Number(mark.querySelector("line").getAttribute("x1"))]),
  }));

const isNear = (one, other) => Math.abs(one - other) < 0.1;

test("each point of a line stands where its numbers say, and so do marks", async (t) => {
  const rows = [
    { x: "2027-01-01", y: 40 },
    { x: "2027-01-03", y: 10 },
    { x: "2027-01-05", y: 20 },
  ];
  const { ticks, lines, marks } = await seen(await drawn(t, rows, { marks: { P50: "2027-01-03", P80: "2027-01-05", none: null } }));
  const [line] = lines;
  rows.forEach(({ y }, at) => assert.ok(isNear(line[at][1], ticks[String(y)]), `${y}: ${line[at]} ${JSON.stringify(ticks)}`));
  assert.ok(isNear(line[1][0] - line[0][0], line[2][0] - line[1][0]));
  const places = Object.fromEntries(marks);
  assert.deepEqual(Object.keys(places).sort(), ["P50", "P80"]);
  assert.ok(isNear(places.P50, line[1][0]) && isNear(places.P80, line[2][0]));
});

test("bars stand on zero, up and down", async (t) => {
  const { ticks, bars } = await seen(await drawn(t, [{ x: "a", y: 4 }, { x: "b", y: -2 }], { line: false }));
  const zero = ticks["0"];
  const [up, down] = bars;
  assert.ok(isNear(up[1] + up[3], zero) && isNear(up[1], ticks["4"]));
  assert.ok(isNear(down[1], zero) && isNear(down[1] + down[3], ticks["-2"]));
  assert.ok(up[0] + up[2] < down[0]);
});

test("none, one, 5,000 points, and infinities", async (t) => {
  const none = await drawn(t, []);
  await none.waitForSelector("text=There is nothing to draw yet.");
  const one = await drawn(t, [{ x: 3, y: 4 }]);
  assert.equal(await one.locator(".dot").count(), 1);
  const many = await drawn(t, Array.from({ length: 5_000 }, (_, x) => ({ x, y: x === 777 ? 40 : Math.sin(x / 100) })));
  const { ticks, lines } = await seen(many);
  assert.ok(lines[0].length > 500 && lines[0].length < 3_000);
  assert.ok(lines[0].some(([, y]) => isNear(y, ticks["40"])), `the highest point is drawn: ${JSON.stringify(ticks)} ${Math.min(...lines[0].map(([, y]) => y))}`);
  await many.click("text=The numbers");
  await many.waitForSelector("text=200 of 5000 rows are drawn.");
  const odd = await drawn(t, '[{"x":1,"y":1e999},{"x":2,"y":2},{"x":3,"y":"Infinity"},{"x":4,"y":null},{"x":5,"y":5}]');
  await odd.waitForSelector("text=3 of 5 points are no finite numbers and are not drawn.");
  assert.equal((await seen(odd)).lines[0].length, 2);
});

test("a chart whose rows are not there is drawn as what is there, and says which", async (t) => {
  const fake = await new Fake().begin();
  fake.views.push({ name: "c", connector: "x", title: "Chart", kind: "chart", tool: "c", arguments: {} });
  fake.answers.set("c", () => result({ p50: "2027-01-03" }, { kind: "chart", rows: "confidence_curve", x: "date", y: ["probability"] }));
  const tab = await openTab(browser.context, fake.address);
  t.after(async () => {
    await tab.close();
    await fake.end();
  });
  await tab.waitForSelector("text=The rows of this view, `confidence_curve`, are not in the result.");
  await tab.waitForSelector("text=3 Jan 2027");
});

test("a view that lacks something is asked for again as it says, once", async (t) => {
  const fake = await new Fake().begin();
  fake.views.push({ name: "c", connector: "x", title: "Chart", kind: "chart", tool: "c", arguments: {} });
  fake.answers.set("c", ({ fields }) =>
    fields
      ? result({ rows: [{ x: 1, y: 1 }, { x: 2, y: 2 }] }, { kind: "chart", rows: "rows", x: "x", y: ["y"], line: true, title: "Chart" })
      : result({ p50: 1 }, { kind: "record", problem: "the curve was not asked for", again: { tool: "c", arguments: { fields: ["rows"] } } }),
  );
  const tab = await openTab(browser.context, fake.address);
  t.after(async () => {
    await tab.close();
    await fake.end();
  });
  await tab.waitForSelector("polyline");
  assert.equal(fake.calls.length, 2);
});
