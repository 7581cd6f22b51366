//! The parts of a chart's picture.

import { number } from "../view/shown.ts";
import type { Frame } from "./chart.tsx";
import { dayTicks, tickText, ticks, type Scale } from "./scale.ts";
import { thinned, type ChartData, type Mark, type Series } from "./series.ts";

const TICK_WIDTH = 96;
const TICK_HEIGHT = 48;
/** What is free beside the drawing. */
const EDGE = 18;

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function yTickCount(frame: Frame): number {
  return Math.max(2, Math.floor(frame.height / TICK_HEIGHT));
}

export function YAxis({ frame, scale }: { frame: Frame; scale: Scale }) {
  return (
    <g class="axis">
      {ticks(scale, yTickCount(frame)).map((tick) => {
        const y = round(frame.top + frame.height * (1 - scale.place(tick)));
        return (
          <g key={tick}>
            <line class="grid" x1={frame.left} x2={frame.left + frame.width} y1={y} y2={y} />
            <text x={frame.left - 8} y={y + 4} text-anchor="end">
              {shortNumber(tick)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

/** A number of an axis: long ones are told by their power. */
function shortNumber(value: number): string {
  return Math.abs(value) >= 1e7 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(1) : number(value);
}

export function XAxis({ frame, scale, chart }: { frame: Frame; scale: Scale; chart: ChartData }) {
  const about = Math.max(2, Math.floor(frame.width / TICK_WIDTH));
  const y = frame.top + frame.height;
  return (
    <g class="axis">
      <line class="base" x1={frame.left} x2={frame.left + frame.width} y1={y} y2={y} />
      {xTicks(scale, chart, about).map((tick) => {
        const place = scale.place(tick);
        // the last one ends within the picture
        const isAtEnd = place > 0.97 && chart.xKind !== "name";
        return (
          <text key={tick} x={round(frame.left + frame.width * place) + (isAtEnd ? EDGE : 0)} y={y + 20} text-anchor={isAtEnd ? "end" : "middle"}>
            {shortened(tickText(chart.xKind, tick, chart.names))}
          </text>
        );
      })}
    </g>
  );
}

function xTicks(scale: Scale, chart: ChartData, about: number): number[] {
  if (chart.xKind === "time") return dayTicks(scale, about);
  if (chart.xKind === "number") return ticks(scale, about);
  const step = Math.max(1, Math.ceil(chart.names.length / about));
  return chart.names.map((_, at) => at).filter((at) => at % step === 0);
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > 14 ? `${characters.slice(0, 13).join("")}…` : text;
}

export function Lines({ frame, x, y, series }: { frame: Frame; x: Scale; y: Scale; series: readonly Series[] }) {
  return (
    <g>
      {series.map((one, at) => {
        const points = thinned(one.points, Math.max(50, Math.floor(frame.width)));
        const path = points.map((point) => {
          const left = round(frame.left + frame.width * x.place(point.x));
          const top = round(frame.top + frame.height * (1 - y.place(point.y)));
          return `${left},${top}`;
        });
        const [first] = path;
        const isDot = path.length === 1 && first !== undefined;
        return (
          <g key={one.name} class={`series-${at % 4}`}>
            <polyline class="line" points={path.join(" ")} />
            {isDot && <circle class="dot" cx={first.split(",")[0]} cy={first.split(",")[1]} r={4} />}
          </g>
        );
      })}
    </g>
  );
}

export function Bars({ frame, x, y, chart }: { frame: Frame; x: Scale; y: Scale; chart: ChartData }) {
  const count = Math.max(1, chart.names.length, ...chart.series.map((one) => one.points.length));
  const width = Math.max(1, (frame.width / count) * 0.8);
  const zero = y.place(0);
  return (
    <g>
      {chart.series.map((one, at) => (
        <g key={one.name} class={`series-${at % 4}`}>
          {thinned(one.points, Math.max(50, Math.floor(frame.width))).map((point) => {
            const place = y.place(point.y);
            const part = width / chart.series.length;
            const left = frame.left + frame.width * x.place(point.x) - width / 2 + part * at;
            const [low, high] = place < zero ? [place, zero] : [zero, place];
            return (
              <rect
                key={point.x}
                class="bar"
                x={round(Math.max(frame.left, left))}
                y={round(frame.top + frame.height * (1 - high))}
                width={round(part)}
                height={round(Math.max(0.5, frame.height * (high - low)))}
              />
            );
          })}
        </g>
      ))}
    </g>
  );
}

interface MarksProps {
  frame: Frame;
  scale: Scale;
  marks: readonly Mark[];
  lineHeight: number;
  top: number;
}

/** Where the name of a mark stands to the left of it. */
const LEFT_FROM = 0.7;

/** Marks from the top row to the bottom, so that no line of one goes through the name of another: a line begins at its own row. */
export function inRows(marks: readonly Mark[], scale: Scale): Mark[] {
  const place = (mark: Mark) => scale.place(mark.x ?? 0);
  const isLeft = (mark: Mark) => place(mark) > LEFT_FROM;
  const left = marks.filter(isLeft).sort((one, other) => place(other) - place(one));
  const right = marks.filter((mark) => !isLeft(mark)).sort((one, other) => place(one) - place(other));
  return [...left, ...right];
}

/** Each mark's name has a line of its own, so that close ones do not cover each other. */
export function Marks({ frame, scale, marks, lineHeight, top }: MarksProps) {
  return (
    <g class="marks">
      {marks.map((mark, at) => {
        const place = scale.place(mark.x ?? 0);
        const x = round(frame.left + frame.width * place);
        const y = top + lineHeight * at + 10;
        const isLeft = place > LEFT_FROM;
        return (
          <g key={mark.name} class="mark">
            <line x1={x} x2={x} y1={y - 8} y2={frame.top + frame.height} />
            <text x={isLeft ? x - 4 : x + 4} y={y} text-anchor={isLeft ? "end" : "start"}>
              {mark.name}
            </text>
          </g>
        );
      })}
    </g>
  );
}
