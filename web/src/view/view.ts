//! What a page is told to draw: a *view* over the result of a tool, and the offer of what may be
//! opened. Both come from outside and are read defensively.

import { asList, asObject, asText, atPath, isObject, type Json, type JsonObject } from "../json.ts";
import { withoutFences } from "../fence.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import type { ToolAnswer } from "../protocol/connection.ts";

export type Kind = "board" | "chart" | "table" | "record";

export interface Column {
  id: Json;
  name: string;
  /** What a tool takes for it. */
  value: Json;
  limit: number | undefined;
  isClosed: boolean;
}

/** A tool that writes, and what it takes. */
export interface WriteTool {
  tool: string;
  id: string | undefined;
  fields: JsonObject;
  required: string[];
  /** What goes along with every call, such as the board of a new card. */
  args: JsonObject;
  /** The argument that says the column. */
  column: string | undefined;
}

export interface MoveTool {
  tool: string;
  id: string;
  column: string;
  /** The field by whose number cards stand in a column, and the argument that sets it. */
  order: string | undefined;
}

export interface ReadTool {
  tool: string;
  id: string;
  args: JsonObject;
}

export interface View {
  kind: Kind;
  name: string;
  connector: string;
  title: string;
  tool: string | undefined;
  args: JsonObject;
  problem: string | undefined;
  rows: string | undefined;
  id: string;
  group: string;
  /** Whether a row says its column by id or by name; undefined where that is not told. */
  by: "id" | "name" | undefined;
  columns: Column[] | undefined;
  card: string[];
  move: MoveTool | undefined;
  read: ReadTool | undefined;
  edit: WriteTool | undefined;
  create: WriteTool | undefined;
  x: string;
  y: string[];
  isLine: boolean;
  marks: JsonObject;
  /** The call that gives the whole view, where this one lacks something of it. */
  again: { tool: string; args: JsonObject } | undefined;
}

/** An answer, as it is drawn: a view with its data, or a text alone. */
export type Drawn = { view: View; data: Json } | { view: undefined; text: string };

export function draw(answer: ToolAnswer, called: { tool?: string | undefined; args?: JsonObject }): Drawn {
  const found = data(answer);
  if (answer.isError || found === undefined || (!isObject(found) && !Array.isArray(found))) {
    return { view: undefined, text: plainText(answer) || (found === undefined ? "" : String(found)) };
  }
  const told = answer.meta["footbridge/view"];
  const view = isObject(told) ? readView(asObject(withoutFences(told))) : viewOf(found);
  view.tool ??= called.tool;
  if (Object.keys(view.args).length === 0) view.args = called.args ?? {};
  return { view: checked(view, found), data: found };
}

/** The view of a result that came without one: a list is a table, anything else a record. */
function viewOf(found: Json): View {
  const rows = Array.isArray(found)
    ? ""
    : Object.keys(asObject(found)).find((name) => {
        const list = asObject(found)[name];
        return Array.isArray(list) && list.every(isObject) && (list.length > 0 || name === "items");
      });
  return readView(rows === undefined ? { kind: "record" } : { kind: "table", rows });
}

/** A view whose rows are not there is drawn as what is there. */
function checked(view: View, found: Json): View {
  if (view.kind === "record" || rowsOf(view, found) !== undefined) return view;
  const other = viewOf(found);
  const problem = view.problem ?? `The rows of this view, \`${view.rows ?? "items"}\`, are not in the result.`;
  return { ...view, kind: other.kind, rows: other.rows, problem };
}

/** The rows of a result; undefined where there are none at the place that the view says. */
export function rowsOf(view: View, found: Json): Json[] | undefined {
  const list = atPath(found, view.rows ?? "items");
  return Array.isArray(list) ? list : undefined;
}

function readView(told: JsonObject): View {
  const kind = told["kind"];
  const y = told["y"];
  return {
    kind: kind === "board" || kind === "chart" || kind === "table" ? kind : "record",
    name: asText(told["name"]) ?? "",
    connector: asText(told["connector"]) ?? "",
    title: asText(told["title"]) ?? "",
    tool: asText(told["tool"]),
    args: asObject(told["arguments"]),
    problem: asText(told["problem"]),
    rows: asText(told["rows"]),
    id: asText(told["id"]) ?? "id",
    group: asText(told["group"]) ?? "status",
    by: told["by"] === "id" || told["by"] === "name" ? told["by"] : undefined,
    columns: Array.isArray(told["columns"]) ? told["columns"].flatMap(readColumn) : undefined,
    card: asList(told["card"]).flatMap((name) => asText(name) ?? []),
    move: readMove(told["move"]),
    read: readRead(told["read"]),
    edit: readWrite(told["edit"]),
    create: readWrite(told["create"]),
    x: asText(told["x"]) ?? "x",
    y: typeof y === "string" ? [y] : asList(y).flatMap((name) => asText(name) ?? []),
    isLine: told["line"] !== false,
    marks: asObject(told["marks"]),
    again: readAgain(told["again"]),
  };
}

function readColumn(told: Json): Column[] {
  if (!isObject(told) || told["id"] === undefined || told["id"] === null) return [];
  const limit = told["limit"];
  return [
    {
      id: told["id"],
      name: asText(told["name"]) ?? String(told["id"]),
      value: told["value"] ?? told["id"],
      limit: typeof limit === "number" && limit > 0 ? limit : undefined,
      isClosed: told["is_closed"] === true,
    },
  ];
}

function readMove(told: Json | undefined): MoveTool | undefined {
  const { tool, id, column, order } = asObject(told);
  if (typeof tool !== "string" || typeof id !== "string" || typeof column !== "string") return undefined;
  return { tool, id, column, order: typeof order === "string" ? order : undefined };
}

function readRead(told: Json | undefined): ReadTool | undefined {
  const { tool, id, arguments: args } = asObject(told);
  return typeof tool === "string" && typeof id === "string" ? { tool, id, args: asObject(args) } : undefined;
}

function readAgain(told: Json | undefined): View["again"] {
  const { tool, arguments: args } = asObject(told);
  return typeof tool === "string" ? { tool, args: asObject(args) } : undefined;
}

function readWrite(told: Json | undefined): WriteTool | undefined {
  const { tool, id, fields, required, arguments: args, column } = asObject(told);
  if (typeof tool !== "string") return undefined;
  const needed = asList(required).flatMap((name) => asText(name) ?? []);
  return { tool, id: asText(id), fields: asObject(fields), required: needed, args: asObject(args), column: asText(column) };
}

/** What a browser may open: a view, or a tool that has none. */
export interface Offer {
  key: string;
  connector: string;
  title: string;
  kind: Kind;
  tool: string;
  args: JsonObject;
  /** By the path of an argument, the schema of what a person must say. */
  required: JsonObject;
  /** What a person chooses first, in this order. */
  choices: Choice[];
}

/** A tool whose rows are what an argument is one of. */
export interface Choice {
  /** The path of the argument. */
  argument: string;
  /** Whether it goes to the tool of the offer, or to the lists that are chosen from after it alone. */
  isArgument: boolean;
  tool: string;
  /** Arguments chosen before that the list takes, too. */
  takes: string[];
  id: string;
  name: string;
}

export interface Offers {
  views: Offer[];
  tools: Offer[];
  hasChanges: boolean;
}

export function readOffers(told: Json | undefined): Offers {
  const members = asObject(told);
  const read = (list: Json | undefined, of: string) =>
    asList(list).flatMap((item) => {
      const { name, connector, title, kind, tool, arguments: args, required, choices } = asObject(item);
      if (typeof tool !== "string") return [];
      const place = asText(connector) ?? "";
      const called = asText(name) ?? tool;
      return [
        {
          key: `${of}/${place}/${called}`,
          connector: place,
          title: asText(title) ?? called,
          kind: (kind === "board" || kind === "chart" || kind === "record" ? kind : "table") as Kind,
          tool,
          args: asObject(args),
          required: asObject(required),
          choices: readChoices(choices),
        },
      ];
    });
  return { views: read(members["views"], "view"), tools: read(members["tools"], "tool"), hasChanges: members["has_changes"] === true };
}

function readChoices(told: Json | undefined): Choice[] {
  return asList(told).flatMap((choice) => {
    const { argument, is_argument: isArgument, tool, takes, id, name } = asObject(choice);
    if (typeof argument !== "string" || typeof tool !== "string" || typeof id !== "string") return [];
    const taken = asList(takes).flatMap((one) => asText(one) ?? []);
    return [{ argument, isArgument: isArgument !== false, tool, takes: taken, id, name: asText(name) ?? id }];
  });
}

/** What a person must still say: the next choice, or else the fields that are left. */
export function missing(offer: Offer, args: JsonObject): { choice: Choice | undefined; fields: JsonObject } {
  const choice = offer.choices.find(({ argument }) => !(argument in args));
  const chosen = new Set(offer.choices.map(({ argument }) => argument));
  const left = Object.entries(offer.required).filter(([path]) => !(path in args) && !chosen.has(path));
  return { choice, fields: Object.fromEntries(left) };
}

/** The arguments of the tool of an offer, with what was said. */
export function wholeArguments(offer: Offer, args: JsonObject): JsonObject {
  const hidden = new Set(offer.choices.filter((choice) => !choice.isArgument).map(({ argument }) => argument));
  return Object.entries(args).reduce<JsonObject>((all, [path, value]) => (hidden.has(path) ? all : withArgument(all, path, value)), offer.args);
}

/** Arguments with a value put at a path such as `filter.board_id`. */
export function withArgument(args: JsonObject, path: string, value: Json): JsonObject {
  const [name = "", ...rest] = path.split(".");
  return { ...args, [name]: rest.length === 0 ? value : withArgument(asObject(args[name]), rest.join("."), value) };
}
