//! Changes as the program tells them, by the tools `changes_list` and `changes_show` or by the
//! routes of approvals, in one shape.

import { withoutFences } from "../fence.ts";
import { asList, asObject, asText, isObject, isSame, type Json, type JsonObject } from "../json.ts";

export interface Change {
  id: number;
  at: string;
  tool: string;
  state: string;
  connector: string | undefined;
  /** What it is about, as a text. */
  record: string | undefined;
  undoes: number | undefined;
  client: string | undefined;
  caller: string | undefined;
  message: string | undefined;
  expiresAt: string | undefined;
}

export interface Difference {
  field: string;
  before: Json | undefined;
  after: Json | undefined;
}

export interface ChangedRecord {
  name: string;
  how: "made" | "changed" | "deleted" | "touched";
  differences: Difference[];
  notKept: string | undefined;
}

export interface Detail {
  change: Change;
  records: ChangedRecord[];
  args: JsonObject;
}

export function readChange(told: Json): Change[] {
  const members = asObject(withoutFences(told));
  const { id } = members;
  if (typeof id !== "number") return [];
  const records = asList(members["records"]);
  const [first] = records;
  const own = asText(members["record"]) ?? asText(first) ?? (isObject(first) ? recordName(first) : undefined);
  const undoes = members["undoes"];
  return [
    {
      id,
      at: asText(members["at"]) ?? "",
      tool: asText(members["tool"]) ?? "",
      state: asText(members["state"]) ?? "done",
      connector: asText(members["connector"]),
      record: own === undefined || records.length < 2 ? own : `${own} and ${records.length - 1} more`,
      undoes: typeof undoes === "number" ? undoes : undefined,
      client: asText(members["client"]),
      caller: asText(members["caller"]),
      message: asText(members["message"]),
      expiresAt: asText(members["expires_at"]),
    },
  ];
}

export function readDetail(told: Json): Detail | undefined {
  const members = asObject(withoutFences(told));
  const [change] = readChange(members);
  if (change === undefined) return undefined;
  const records = asList(members["records"]).flatMap((record) => (isObject(record) ? [readRecord(record)] : []));
  return { change, records, args: asObject(members["arguments"]) };
}

function readRecord(told: JsonObject): ChangedRecord {
  const [before, after] = [fields(told["before"]), fields(told["after"])];
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const all = names.map((field) => ({ field, before: before?.[field], after: after?.[field] }));
  return {
    name: recordName(told),
    how: before !== undefined && after !== undefined ? "changed" : after !== undefined ? "made" : before !== undefined ? "deleted" : "touched",
    differences: all.filter((one) => !isSame(one.before ?? null, one.after ?? null)),
    notKept: asText(told["not_kept"]),
  };
}

function recordName(told: JsonObject): string {
  const [kind, id] = [asText(told["kind"]), asText(told["id"])];
  const record = asText(told["record"]) ?? [kind, id].filter((part) => part !== undefined).join(":");
  const name = asText(told["name"]);
  return name === undefined ? record : `${record.split(":")[0] ?? record} ${name}`;
}

/** The fields of an image, whether or not its version stands beside them. */
function fields(image: Json | undefined): JsonObject | undefined {
  if (!isObject(image)) return undefined;
  return isObject(image["fields"]) ? image["fields"] : image;
}

const STATES: { [state: string]: string } = {
  proposed: "waits",
  sent: "under way",
  done: "done",
  failed: "failed",
  unknown: "not known",
  withdrawn: "declined",
  expired: "expired",
};

export function stateText(state: string): string {
  return STATES[state] ?? state;
}
