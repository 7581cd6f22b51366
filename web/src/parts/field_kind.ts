//! How a field of a form is asked for, by the JSON schema of the argument, and what its text means.

import { asList, asObject, asText, isObject, type Json, type JsonObject } from "../json.ts";

export type FieldKind =
  | { is: "text" | "long" | "number" | "whole" | "date" | "yes" | "list" | "json" }
  | { is: "choice"; values: Json[]; titles: Json[] };

const LONG = 255;

export function fieldKind(schema: Json | undefined): FieldKind {
  const told = plainSchema(asObject(schema));
  const values = asList(told["enum"]).filter((value) => value !== null);
  if (values.length > 0) return { is: "choice", values, titles: asList(told["titles"]) };
  switch (typeName(told)) {
    case "string": {
      if (told["format"] === "date") return { is: "date" };
      const most = told["maxLength"];
      return { is: typeof most === "number" && most > LONG ? "long" : "text" };
    }
    case "integer":
      return { is: "whole" };
    case "number":
      return { is: "number" };
    case "boolean":
      return { is: "yes" };
    case "array":
      return { is: typeName(asObject(told["items"])) === "string" ? "list" : "json" };
    default:
      return { is: "json" };
  }
}

/** Of a schema with alternatives, the one that is a value. */
function plainSchema(schema: JsonObject): JsonObject {
  const ways = [...asList(schema["anyOf"]), ...asList(schema["oneOf"])].filter(isObject);
  const values = ways.filter((way) => way["type"] !== "null");
  const text = values.find((way) => way["type"] === "string" && way["enum"] === undefined);
  const [first] = values;
  return first === undefined ? schema : { ...schema, ...(text ?? first) };
}

function typeName(schema: JsonObject): string | undefined {
  const type = schema["type"];
  if (Array.isArray(type)) {
    const names = type.filter((name) => name !== "null");
    return asText(names.includes("string") ? "string" : names[0]);
  }
  return asText(type) ?? (isObject(schema["properties"]) ? "object" : undefined);
}

/** A value as the text that a form begins with. */
export function fieldText(kind: FieldKind, value: Json | undefined): string {
  if (value === null || value === undefined) return "";
  if (kind.is === "list" && Array.isArray(value)) return value.map(String).join("\n");
  if (kind.is === "json") return JSON.stringify(value, null, 1);
  if (kind.is === "yes") return value === true ? "true" : "";
  if (isObject(value)) return asText(value["name"]) ?? JSON.stringify(value);
  return typeof value === "string" ? value : Array.isArray(value) ? JSON.stringify(value) : String(value);
}

/** What a text means; `problem` where it means nothing. An empty one clears the field. */
export function fieldValue(kind: FieldKind, text: string): { value: Json } | { problem: string } {
  if (kind.is === "yes") return { value: text === "true" };
  if (text.trim() === "") return { value: kind.is === "list" ? [] : null };
  switch (kind.is) {
    case "number":
    case "whole": {
      const value = Number(text);
      if (!Number.isFinite(value)) return { problem: "This must be a number." };
      if (kind.is === "whole" && !Number.isInteger(value)) return { problem: "This must be a whole number." };
      return { value };
    }
    case "choice":
      return { value: kind.values.find((value) => String(value) === text) ?? text };
    case "list":
      return { value: text.split("\n").map((item) => item.trim()).filter((item) => item !== "") };
    case "json":
      try {
        return { value: JSON.parse(text) as Json };
      } catch {
        return { problem: "This must be JSON, such as [\"a\"] or {\"a\": 1}." };
      }
    default:
      return { value: text };
  }
}
