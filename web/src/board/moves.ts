//! Moves of cards that are under way: a card stands where it was put at once, and goes back where
//! it was, with a sentence, when the move is refused or no answer comes.

import type { JsonObject } from "../json.ts";
import { sentence, SignInNeeded, Unreachable, type Connection } from "../protocol/connection.ts";
import { askedCode, plainText, proposedChange } from "../protocol/tool_answer.ts";
import { valueIn, type BoardColumn } from "../view/board_columns.ts";
import type { Row } from "../view/rows.ts";
import type { Column, View } from "../view/view.ts";

/** How a write ended, as a page goes on with it. */
export type Ended =
  | { is: "done"; text: string; data: unknown }
  | { is: "waits"; change: string }
  | { is: "refused"; why: string }
  | { is: "unknown"; why: string }
  | { is: "signed out" };

/** Calls a tool that writes. Where the program asks that a person agrees, `agree` asks them. */
export async function write(
  connection: Connection,
  tool: string,
  args: JsonObject,
  options: { key?: string; agree?: (question: string) => boolean } = {},
): Promise<Ended> {
  const meta: JsonObject | undefined =
    options.key === undefined || connection.where === "host" ? undefined : { "footbridge/idempotency_key": options.key };
  try {
    let answer = await connection.call(tool, args, meta);
    const asked = askedCode(answer);
    if (asked !== undefined && options.agree?.(plainText(answer)) === true) {
      answer = await connection.call(tool, { ...args, [asked.argument]: asked.code }, meta);
    }
    const change = proposedChange(answer);
    if (change !== undefined) return { is: "waits", change };
    if (answer.isError || askedCode(answer) !== undefined) return { is: "refused", why: plainText(answer) || "It was refused without a reason." };
    return { is: "done", text: plainText(answer), data: answer.structured };
  } catch (error) {
    if (error instanceof SignInNeeded) return { is: "signed out" };
    if (error instanceof Unreachable) return { is: "unknown", why: sentence(error) };
    return { is: "refused", why: sentence(error) };
  }
}

/** The arguments that put a card into a column, or give it its number in the order of the cards, or both. */
export function moveArguments(view: View, row: Row, column: Column | undefined, number: number | undefined): JsonObject | undefined {
  if (view.move === undefined || row.id === undefined) return undefined;
  return {
    [view.move.id]: row.id,
    ...(column === undefined ? {} : { [view.move.column]: column.value }),
    ...(view.move.order === undefined || number === undefined ? {} : { [view.move.order]: number }),
  };
}

/** A row as it is once it was moved so. */
export function movedRow(view: View, row: Row, column: Column | undefined, number: number | undefined): Row {
  const members = { ...row.members };
  if (column !== undefined) members[view.group] = valueIn(view, row, column);
  if (view.move?.order !== undefined && number !== undefined) members[view.move.order] = number;
  return { ...row, members };
}

export function refusalOf(title: string, from: BoardColumn, ended: Ended): string | undefined {
  const back = `“${title}” is back in “${from.column.name}”.`;
  switch (ended.is) {
    case "done":
      return undefined;
    case "waits":
      return `${back} The move waits for a person, as change ${ended.change}.`;
    case "refused":
      return `${back} ${ended.why}`;
    case "unknown":
      return `${back} ${ended.why} Whether the move was made is seen when the board is read again.`;
    case "signed out":
      return `${back} You are signed out: sign in, and move it again.`;
  }
}
