//! The rows of a view: each with an id, the same object as long as it says the same, and all pages
//! of them up to a number.

import { asObject, asText, isObject, isSame, type Json, type JsonObject } from "../json.ts";
import { sentence, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { rowsOf, type View } from "./view.ts";

/** Rows that a page draws at most. */
export const MOST_ROWS = 1_000;

export interface Row {
  /** Unique on the page, even where ids of the backend are missing or stand twice. */
  key: string;
  /** As the backend has it; undefined where the row has none. */
  id: Json | undefined;
  members: JsonObject;
}

export function toRows(view: View, list: Json[], before: readonly Row[] = []): Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  const taken = new Set<string>();
  return list.map((item, at) => {
    const members = isObject(item) ? item : { value: item };
    const id = members[view.id];
    const isId = typeof id === "string" || typeof id === "number";
    let key = isId ? `id ${id}` : `at ${at}`;
    if (taken.has(key)) key = `${key} at ${at}`;
    taken.add(key);
    const old = known.get(key);
    return old !== undefined && isSame(old.members, members) ? old : { key, id: isId ? id : undefined, members };
  });
}

export interface Pages {
  list: Json[];
  /** A sentence where not all rows are there. */
  isCutBecause: string | undefined;
}

/** The rows of the first page, and of those after it. */
export async function allPages(connection: Connection, view: View, first: Json): Promise<Pages> {
  const list = [...(rowsOf(view, first) ?? [])];
  let cursor = nextCursor(first);
  const seen = new Set<string>();
  while (cursor !== undefined && view.tool !== undefined) {
    if (list.length >= MOST_ROWS) return cut(list);
    if (seen.has(cursor)) break; // it would go in a circle
    seen.add(cursor);
    try {
      const answer = await connection.call(view.tool, { ...view.args, cursor });
      if (answer.isError) return { list, isCutBecause: `Not all rows could be read: ${plainText(answer)}` };
      const page = data(answer) ?? null;
      list.push(...(rowsOf(view, page) ?? []));
      cursor = nextCursor(page);
    } catch (error) {
      return { list, isCutBecause: `Not all rows could be read: ${sentence(error)}` };
    }
  }
  return list.length > MOST_ROWS ? cut(list) : { list, isCutBecause: undefined };
}

function cut(list: Json[]): Pages {
  return { list: list.slice(0, MOST_ROWS), isCutBecause: `These are the first ${MOST_ROWS} rows; there are more.` };
}

export function hasMore(first: Json): boolean {
  return nextCursor(first) !== undefined;
}

function nextCursor(page: Json): string | undefined {
  const cursor = asText(asObject(page)["next_cursor"]);
  return cursor === "" ? undefined : cursor;
}
