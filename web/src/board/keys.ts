//! Where the arrow keys lead on a board.

import type { BoardColumn } from "../view/board_columns.ts";
import type { Row } from "../view/rows.ts";

export interface Neighbour {
  row: Row;
  /** The card that the key leads to. */
  next: string | undefined;
  /** The column beside that of the card, where the key is left or right. */
  column: BoardColumn | undefined;
  isSideways: boolean;
}

export function neighbour(columns: readonly BoardColumn[], key: string, pressed: string): Neighbour | undefined {
  const at = columns.findIndex((column) => column.rows.some((row) => row.key === key));
  const here = columns[at];
  const index = here?.rows.findIndex((row) => row.key === key) ?? -1;
  const row = here?.rows[index];
  if (here === undefined || row === undefined) return undefined;
  switch (pressed) {
    case "ArrowDown":
    case "ArrowUp": {
      const next = here.rows[index + (pressed === "ArrowDown" ? 1 : -1)];
      return { row, next: next?.key, column: undefined, isSideways: false };
    }
    case "Home":
      return { row, next: here.rows[0]?.key, column: undefined, isSideways: false };
    case "End":
      return { row, next: here.rows.at(-1)?.key, column: undefined, isSideways: false };
    case "ArrowLeft":
    case "ArrowRight": {
      const step = pressed === "ArrowRight" ? 1 : -1;
      let other = at + step;
      while (columns[other] !== undefined && columns[other]?.rows.length === 0) other += step;
      const rows = columns[other]?.rows ?? [];
      const next = rows[Math.min(index, rows.length - 1)];
      return { row, next: next?.key, column: columns[at + step], isSideways: true };
    }
    default:
      return undefined;
  }
}
