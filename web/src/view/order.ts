//! The order of cards in a column, where the backend keeps one: a number of each, the least first, and cards without one before all.

import type { Row } from "./rows.ts";

/** In the place of the key of a card: the end of a column. */
export const BEHIND_ALL = "";

/** Cards that get a number so that one can stand before them. */
const MOST_RENUMBERED = 100;

/** The number of a card; `placed` says those that are on their way. */
export function numberOf(row: Row, order: string, placed: ReadonlyMap<string, number>): number | undefined {
  const value = placed.get(row.key) ?? row.members[order];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Rows in their order; those of one number stay as they came. */
export function inOrder(rows: readonly Row[], order: string, placed: ReadonlyMap<string, number>): Row[] {
  const number = (row: Row) => numberOf(row, order, placed) ?? Number.NEGATIVE_INFINITY;
  return rows.map((row, at) => ({ row, at, number: number(row) })).sort((one, other) => (one.number === other.number ? one.at - other.at : one.number < other.number ? -1 : 1)).map(({ row }) => row);
}

/**
 * What is to be set, in this order, so that a card stands before another one of a column, or behind all: its own number first, then those of cards
 * behind it that have none, or one that is too small. None where that would be too many.
 */
export function numbersFor(card: Row, others: readonly Row[], before: string, order: string): { row: Row; number: number }[] | undefined {
  const none: ReadonlyMap<string, number> = new Map();
  const found = others.findIndex((row) => row.key === before);
  const at = found < 0 ? others.length : found;
  const number = (row: Row | undefined) => (row === undefined ? undefined : numberOf(row, order, none));
  const [above, below] = [number(others[at - 1]), number(others[at])];
  const numbers = [{ row: card, number: between(above, below) }];
  let last = numbers[0]?.number ?? 0;
  for (const row of others.slice(at)) {
    const own = number(row);
    if (own !== undefined && own > last) break;
    last += 1;
    numbers.push({ row, number: last });
  }
  return numbers.length > MOST_RENUMBERED + 1 ? undefined : numbers;
}

function between(above: number | undefined, below: number | undefined): number {
  if (above !== undefined && below !== undefined && above < below) {
    const middle = above + (below - above) / 2;
    if (above < middle && middle < below) return middle;
  }
  if (above !== undefined) return above + 1;
  return below === undefined ? 0 : below - 1;
}
