// Charts, held against their numbers, without a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./support/sources.mjs";

const { chartData, thinned } = await source("chart/series.ts");
const { scale, ticks, dayTicks } = await source("chart/scale.ts");

const view = (told) => ({ rows: "curve", x: "x", y: ["y"], isLine: true, marks: {}, ...told });

test("none, one and what is no finite number", () => {
  assert.equal(chartData(view({}), { curve: [] }).series[0].points.length, 0);
  assert.deepEqual(chartData(view({}), { curve: [{ x: 3, y: 4 }] }).series[0].points, [{ x: 3, y: 4 }]);
  const odd = JSON.parse('[{"x":1,"y":1e999},{"x":2,"y":-1e999},{"x":3,"y":null},{"x":4,"y":"Infinity"},{"x":5,"y":"NaN"},{"x":6,"y":7},{"x":1e999,"y":1},{"x":"inf","y":2},7]');
  const chart = chartData(view({}), { curve: odd });
  assert.deepEqual(chart.series[0].points, [{ x: 6, y: 7 }]);
  assert.equal(chart.leftOut, 8);
});

test("dates are moments, marks stand among them, and a mark without a value has no place", () => {
  const chart = chartData(view({ marks: { P50: "2026-12-02", CPM: null, odd: "soon" } }), {
    curve: [{ x: "2026-12-03", y: 1 }, { x: "2026-12-01", y: 0 }],
  });
  assert.equal(chart.xKind, "time");
  assert.deepEqual(chart.series[0].points.map((point) => point.y), [0, 1]);
  assert.deepEqual(chart.marks.map((mark) => mark.x), [Date.parse("2026-12-02"), undefined, undefined]);
});

test("5,000 points keep their least and their most", () => {
  const points = Array.from({ length: 5_000 }, (_, x) => ({ x, y: x === 2_500 ? 99 : x === 2_501 ? -99 : Math.sin(x) }));
  const thin = thinned(points, 600);
  assert.ok(thin.length <= 1_201);
  assert.equal(Math.max(...thin.map((point) => point.y)), 99);
  assert.equal(Math.min(...thin.map((point) => point.y)), -99);
  assert.deepEqual([thin[0].x <= 8, thin.at(-1).x], [true, 4_999]);
  assert.ok(thin.every((point, at) => at === 0 || point.x >= thin[at - 1].x));
});

test("scales and ticks hold huge, tiny, equal and no values", () => {
  for (const values of [[], [0], [5, 5], [-1e308, 1e308], [1e-12, 2e-12], [-3, -3]]) {
    const axis = scale(values, { fromZero: true });
    assert.ok(Number.isFinite(axis.place(axis.least)) && Number.isFinite(axis.place(axis.most)), String(values));
    assert.equal(axis.place(axis.least), 0);
    assert.equal(axis.place(axis.most), 1);
    const found = ticks(axis, 5);
    assert.ok(found.length >= 1 && found.length <= 12, `${values}: ${found}`);
    assert.ok(found.every(Number.isFinite));
  }
  const year = scale([Date.parse("2026-01-01"), Date.parse("2027-01-01")]);
  assert.ok(dayTicks(year, 6).length <= 13);
});
