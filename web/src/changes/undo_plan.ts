//! The plan of an undo, and how far one came, as `changes_undo` tells them.

import { asList, asObject, asText, isObject, type Json, type JsonObject } from "../json.ts";
import { label, line } from "../view/shown.ts";

export interface UndoPlan {
  digest: string | undefined;
  /** What is done, one sentence each. */
  steps: string[];
  /** What is left as it is, and why. */
  left: string[];
  /** What is not brought back. */
  lost: string[];
  note: string | undefined;
}

export function readPlan(told: Json): UndoPlan | undefined {
  if (!isObject(told) || !Array.isArray(told["undo"])) return undefined;
  return {
    digest: asText(told["digest"]),
    steps: asList(told["undo"]).map((step) => stepText(asObject(step))),
    left: [...asList(told["conflicts"]).map((one) => conflictText(asObject(one))), ...asList(told["left"]).map((one) => leftText(asObject(one)))],
    lost: asList(told["lost"]).map((one) => `${place(asObject(one))}: ${asText(asObject(one)["lost"]) ?? ""}`),
    note: asText(told["note"]),
  };
}

/** How far an undo came; undefined for an answer that is none. */
export function readUndone(told: Json): { done: string[]; failed: string | undefined; notTried: string[] } | undefined {
  if (!isObject(told) || !Array.isArray(told["undone"])) return undefined;
  const failed = told["failed"];
  return {
    done: asList(told["undone"]).map((step) => stepText(asObject(step))),
    failed: isObject(failed) ? `${stepText(asObject(failed["undo"]))}: ${asText(failed["because"]) ?? ""}` : undefined,
    notTried: asList(told["not_tried"]).map((step) => stepText(asObject(step))),
  };
}

function stepText(step: JsonObject): string {
  const back = asText(step["take_back"]);
  if (back !== undefined) return `Take back what ${back} did`;
  const again = asText(step["call_again"]);
  if (again !== undefined) return `Call ${again} again`;
  const act = asText(step["act"]) ?? "change";
  const set = Object.entries(asObject(step["set"])).map(([field, value]) => `${label(field)} = ${line(value, field) || "nothing"}`);
  const what = `${act.charAt(0).toUpperCase()}${act.slice(1)} ${asText(step["record"]) ?? ""}`;
  return set.length === 0 ? what : `${what}: ${set.join(", ")}`;
}

function conflictText(one: JsonObject): string {
  const value = (name: string) => line(one[name], asText(one["field"]) ?? "") || "nothing";
  const field = label(asText(one["field"]) ?? "");
  return `${asText(one["record"]) ?? ""}: ${field} was ${value("before")}, the change made it ${value("ours")}, and it is ${value("now")} now`;
}

function leftText(one: JsonObject): string {
  const field = asText(one["field"]);
  return `${place(one)}${field === undefined ? "" : ` ${label(field)}`}: ${asText(one["because"]) ?? ""}`;
}

function place(one: JsonObject): string {
  const change = one["change"];
  return asText(one["record"]) ?? (typeof change === "number" ? `Change ${change}` : "");
}
