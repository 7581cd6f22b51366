//! A chart, drawn by hand as SVG: lines or bars, marks on the axis, and its numbers as a table.

import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import type { Json } from "../json.ts";
import { label, line, number } from "../view/shown.ts";
import { rowsOf, type View } from "../view/view.ts";
import { toRows } from "../view/rows.ts";
import { Table } from "../parts/table.tsx";
import { Value } from "../parts/text.tsx";
import { Bars, inRows, Lines, Marks, XAxis, YAxis, yTickCount } from "./drawn.tsx";
import { chartData, type ChartData } from "./series.ts";
import { scale } from "./scale.ts";

const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 20;
const BOTTOM = 36;
const TOP = 12;
const MARK_LINE = 16;

/** Where the drawing stands within its picture. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function Chart({ view, data }: { view: View; data: Json }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  const base = useId();
  const chart = useMemo(() => chartData(view, data), [view, data]);
  const rows = useMemo(() => toRows(view, (rowsOf(view, data) ?? []).slice(0, 5_000)), [view, data]);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => setWidth(Math.max(240, element.clientWidth)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const points = chart.series.flatMap((one) => one.points);
  const drawnMarks = chart.marks.filter((mark) => mark.x !== undefined);
  const top = TOP + drawnMarks.length * MARK_LINE;
  const frame: Frame = { left: LEFT, top, width: width - LEFT - RIGHT, height: HEIGHT - top - BOTTOM };
  const xScale =
    chart.xKind === "name"
      ? scale([-0.5, chart.names.length - 0.5])
      : scale([...points.map((point) => point.x), ...drawnMarks.flatMap((mark) => mark.x ?? [])]);
  const yScale = scale(
    points.map((point) => point.y),
    { fromZero: true, ticks: yTickCount(frame) },
  );
  return (
    <figure class="chart" ref={place}>
      <figcaption id={`${base}-title`} class="only-heard">
        {summary(view, chart)}
      </figcaption>
      {points.length === 0 ? (
        <p class="empty">There is nothing to draw yet.</p>
      ) : (
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} role="img" aria-labelledby={`${base}-title`}>
          <YAxis frame={frame} scale={yScale} />
          <XAxis frame={frame} scale={xScale} chart={chart} />
          {view.isLine ? (
            <Lines frame={frame} x={xScale} y={yScale} series={chart.series} />
          ) : (
            <Bars frame={frame} x={xScale} y={yScale} chart={chart} />
          )}
          <Marks frame={frame} scale={xScale} marks={inRows(drawnMarks, xScale)} lineHeight={MARK_LINE} top={TOP} />
        </svg>
      )}
      {points.length > 0 && (
        <ul class="legend">
          {chart.series.map((one, at) => (
            <li key={one.name} class={`series-${at % 4}`}>
              <bdi>{label(one.name)}</bdi>
            </li>
          ))}
        </ul>
      )}
      {chart.marks.length > 0 && (
        <dl class="marks">
          {chart.marks.map((mark) => (
            <div key={mark.name}>
              <dt>
                <bdi>{mark.name}</bdi>
              </dt>
              <dd>{mark.x === undefined && line(mark.value) === "" ? "none" : <Value value={mark.value} name={view.x} />}</dd>
            </div>
          ))}
        </dl>
      )}
      {chart.leftOut > 0 && (
        <p class="hint" role="note">
          {number(chart.leftOut)} of {number(rows.length)} points are no finite numbers and are not drawn.
        </p>
      )}
      <details class="numbers">
        <summary>The numbers</summary>
        <Table rows={rows} caption={`The numbers of ${view.title || view.name}`} />
      </details>
    </figure>
  );
}

/** What the picture says, for whoever does not see it. */
function summary(view: View, chart: ChartData): string {
  const parts = chart.series.map(({ name, points }) => {
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) return `${label(name)}: nothing to draw`;
    return `${label(name)}: ${number(points.length)} points, from ${number(first.y)} to ${number(last.y)}`;
  });
  const marks = chart.marks.map((mark) => `${mark.name}: ${line(mark.value) || "none"}`);
  return [view.title || label(view.name), ...parts, ...marks].join(". ");
}
