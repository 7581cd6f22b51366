//! The numbers of a chart, out of the rows of a view. What cannot be drawn is counted, never guessed.

import { atPath, isObject, type Json } from "../json.ts";
import { moment } from "../view/shown.ts";
import { rowsOf, type View } from "../view/view.ts";

export type XKind = "number" | "time" | "name";

export interface Point {
  x: number;
  y: number;
}

export interface Series {
  name: string;
  points: Point[];
}

export interface Mark {
  name: string;
  /** Undefined where it has no place on the axis. */
  x: number | undefined;
  value: Json;
}

export interface ChartData {
  xKind: XKind;
  /** The names on the axis, where it is one of names. */
  names: string[];
  series: Series[];
  marks: Mark[];
  /** Rows whose value is no finite number, or that have no place. */
  leftOut: number;
}

export function chartData(view: View, found: Json): ChartData {
  const rows = rowsOf(view, found) ?? [];
  const at = (row: Json, path: string): Json | undefined => (isObject(row) ? atPath(row, path) : undefined);
  const xs = rows.map((row) => at(row, view.x));
  const xKind = kindOf(xs, view.isLine);
  const names = xKind === "name" ? [...new Set(xs.map((x) => (x === null || x === undefined ? "" : String(x))))] : [];
  const places = new Map(names.map((name, index) => [name, index]));
  const place = (x: Json | undefined): number | undefined => {
    if (xKind === "name") return places.get(x === null || x === undefined ? "" : String(x));
    if (xKind === "time") return typeof x === "string" ? moment(x)?.getTime() : undefined;
    return finite(x);
  };
  const left = new Set<number>();
  const series = view.y.map((name) => {
    const points: Point[] = [];
    rows.forEach((row, index) => {
      const [x, y] = [place(xs[index]), finite(at(row, name))];
      if (x === undefined || y === undefined) left.add(index);
      else points.push({ x, y });
    });
    if (view.isLine && xKind !== "name") points.sort((one, other) => one.x - other.x);
    return { name, points };
  });
  const marks = Object.entries(view.marks).map(([name, value]) => ({ name, x: place(value), value }));
  return { xKind, names, series, marks, leftOut: left.size };
}

function kindOf(xs: (Json | undefined)[], isLine: boolean): XKind {
  const told = xs.filter((x) => x !== null && x !== undefined);
  if (told.length > 0 && told.every((x) => typeof x === "number" || isSpelledNumber(x))) return "number";
  if (isLine && told.length > 0 && told.every((x) => typeof x === "string" && moment(x) !== undefined)) return "time";
  return "name";
}

/** JSON has no infinity; a backend writes it as a word. */
function isSpelledNumber(x: Json | undefined): boolean {
  return typeof x === "string" && /^(-?inf(inity)?|nan)$/i.test(x);
}

function finite(value: Json | undefined): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const read = Number(value);
  return Number.isFinite(read) ? read : undefined;
}

/** At most two points of a series for each step of the axis: its least and its most. */
export function thinned(points: readonly Point[], steps: number): Point[] {
  if (points.length <= steps * 2) return [...points];
  const out: Point[] = [];
  const size = points.length / steps;
  for (let step = 0; step < steps; step += 1) {
    const part = points.slice(Math.floor(step * size), Math.floor((step + 1) * size));
    const [first] = part;
    if (first === undefined) continue;
    let [least, most] = [first, first];
    for (const point of part) {
      if (point.y < least.y) least = point;
      if (point.y > most.y) most = point;
    }
    out.push(...(least === most ? [least] : least.x <= most.x ? [least, most] : [most, least]));
  }
  const last = points.at(-1);
  if (last !== undefined && out.at(-1) !== last) out.push(last);
  return out;
}
