//! Axes: which part of the numbers is drawn, where a value stands, and the ticks that people count by.

import { day, number } from "../view/shown.ts";
import type { XKind } from "./series.ts";

export interface Scale {
  least: number;
  most: number;
  /** From one tick to the next, where the scale begins and ends at ticks. */
  step: number | undefined;
  /** Where a value stands between 0 and 1. */
  place(value: number): number;
}

interface ScaleOptions {
  fromZero?: boolean;
  /** About so many ticks, of which the first and the last are the ends of the scale. */
  ticks?: number;
}

export function scale(values: Iterable<number>, options: ScaleOptions = {}): Scale {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (least > most) [least, most] = [0, 1];
  if (options.fromZero) [least, most] = [Math.min(least, 0), Math.max(most, 0)];
  if (least === most) [least, most] = least === 0 ? [0, 1] : [least - Math.abs(least) / 2, most + Math.abs(most) / 2];
  let step: number | undefined;
  if (options.ticks !== undefined) {
    const rounded = roundStep(least, most, options.ticks);
    const [low, high] = [Math.floor(exact(least / rounded)) * rounded, Math.ceil(exact(most / rounded)) * rounded];
    if (rounded > 0 && Number.isFinite(low) && Number.isFinite(high)) [least, most, step] = [exact(low), exact(high), rounded];
  }
  // halves, as the distance of two huge numbers is no finite one
  const span = most / 2 - least / 2;
  return { least, most, step, place: (value) => (span === 0 ? 0 : (value / 2 - least / 2) / span) };
}

/** Round values within a scale, about so many. */
export function ticks({ least, most, ...scale }: Scale, about: number): number[] {
  const step = scale.step ?? roundStep(least, most, about);
  if (!Number.isFinite(step) || step <= 0) return [least, most];
  const found: number[] = [];
  for (let at = Math.ceil(exact(least / step)); exact(at * step) <= most && found.length <= about * 2; at += 1) {
    found.push(exact(at * step));
  }
  return found;
}

/** The round distance of about so many values between two. */
function roundStep(least: number, most: number, about: number): number {
  const raw = most / about - least / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw) ?? raw;
}

/** Without what binary fractions leave behind. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}

const DAY_MS = 86_400_000;

/** Days that stand about evenly between two moments. */
export function dayTicks({ least, most }: Scale, about: number): number[] {
  const days = (most - least) / DAY_MS;
  const step = [1, 2, 7, 14, 30, 61, 91, 183, 365, 730, 1826, 3652].find((one) => days / one <= about) ?? Math.ceil(days / about);
  const found: number[] = [];
  for (let at = Math.ceil(least / DAY_MS); at * DAY_MS <= most && found.length <= about * 2; at += step) found.push(at * DAY_MS);
  return found.length > 0 ? found : [least, most];
}

export function tickText(kind: XKind, value: number, names: readonly string[]): string {
  if (kind === "name") return names[value] ?? "";
  return kind === "time" ? day(new Date(value)) : number(value);
}
