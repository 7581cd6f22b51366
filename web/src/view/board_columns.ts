//! Rows put into the columns of a board. No row is lost: what fits no column stands "elsewhere".

import { asObject, isObject, type Json } from "../json.ts";
import { inOrder } from "./order.ts";
import type { Row } from "./rows.ts";
import type { Column, View } from "./view.ts";

export interface BoardColumn {
  key: string;
  column: Column;
  rows: Row[];
  /** Its rows have a value that is no column, so nothing can be put there. */
  isElsewhere: boolean;
}

export const ELSEWHERE = "elsewhere";

const NOWHERE: Column = { id: null, name: "Elsewhere", value: null, limit: undefined, isClosed: false };

export interface BoardShape {
  columns: BoardColumn[];
  /** Names that several columns have. */
  repeated: string[];
}

/**
 * `moved` says, by the key of a row, in which column a row stands that is on its way there, and `placed` its number in the order of the cards.
 */
export function boardShape(
  view: View,
  rows: readonly Row[],
  moved: ReadonlyMap<string, string> = new Map(),
  placed: ReadonlyMap<string, number> = new Map(),
): BoardShape {
  const columns = (view.columns ?? seenColumns(view, rows)).map((column, at) => ({
    key: `${at} ${plain(column.id)}`,
    column,
    rows: [] as Row[],
    isElsewhere: false,
  }));
  const byKey = new Map(columns.map((one) => [one.key, one]));
  const byId = new Map<string, BoardColumn>();
  const byName = new Map<string, BoardColumn>();
  const repeated = new Set<string>();
  for (const one of columns) {
    if (!byId.has(plain(one.column.id))) byId.set(plain(one.column.id), one);
    if (byName.has(one.column.name)) repeated.add(one.column.name);
    else byName.set(one.column.name, one);
  }
  const standing = (value: string) => {
    if (view.by === "id") return byId.get(value);
    return view.by === "name" ? byName.get(value) : (byId.get(value) ?? byName.get(value));
  };
  const elsewhere: BoardColumn = {
    key: ELSEWHERE,
    column: NOWHERE,
    rows: [],
    isElsewhere: true,
  };
  for (const row of rows) {
    const value = groupValue(view, row);
    const to = moved.get(row.key);
    const place = (to === undefined ? undefined : byKey.get(to)) ?? standing(value) ?? elsewhere;
    place.rows.push(row);
  }
  const order = view.move?.order;
  if (order !== undefined) for (const one of columns) one.rows = inOrder(one.rows, order, placed);
  return { columns: elsewhere.rows.length > 0 ? [...columns, elsewhere] : columns, repeated: [...repeated] };
}

/** The value of a row that says its column, as a text. */
export function groupValue(view: View, row: Row): string {
  const value = row.members[view.group];
  if (isObject(value)) return plain(value["id"] ?? value["key"] ?? value["name"] ?? null);
  return plain(value ?? null);
}

/** What a row holds once it stands in a column. */
export function valueIn(view: View, row: Row, column: Column): Json {
  if (view.by === "name") return column.name;
  return typeof row.members[view.group] === "number" ? Number(column.id) : column.id;
}

function seenColumns(view: View, rows: readonly Row[]): Column[] {
  const seen = new Map<string, Column>();
  for (const row of rows) {
    const id = groupValue(view, row);
    if (id === "" || seen.has(id)) continue;
    const name = asObject(row.members[view.group])["name"];
    seen.set(id, { id, name: typeof name === "string" ? name : id, value: id, limit: undefined, isClosed: false });
  }
  return [...seen.values()];
}

function plain(value: Json): string {
  return value === null ? "" : typeof value === "string" ? value : isObject(value) ? JSON.stringify(value) : String(value);
}
