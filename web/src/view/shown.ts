//! Values as a person reads them, in the reader's locale.

import { asText, isObject, type Json } from "../json.ts";

/** Where and how the reader reads; a host may say it. */
export const reader: { locale: string | undefined; timeZone: string | undefined } = { locale: undefined, timeZone: undefined };

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;
/** Numbers by these names name something: nothing is put between their digits. */
const NAMES = /(^|_)(id|ref|number|no|year|key|version|port)s?$/i;

/** Formats are dear to make and cheap to use. */
const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function kept<Format extends Intl.NumberFormat | Intl.DateTimeFormat>(name: string, make: () => Format): Format {
  const key = `${name} ${reader.locale} ${reader.timeZone}`;
  const known = formats.get(key);
  if (known !== undefined) return known as Format;
  const made = make();
  formats.set(key, made);
  return made;
}

export function number(value: number): string {
  return kept("number", () => new Intl.NumberFormat(reader.locale, { maximumFractionDigits: 6 })).format(value);
}

/** The moment that a text is; undefined where it is none. */
export function moment(text: string): Date | undefined {
  if (!DAY.test(text) && !MOMENT.test(text)) return undefined;
  // what changes has no zone, and is UTC
  const zoned = DAY.test(text) || /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`;
  const date = new Date(zoned);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

export function date(text: string): string {
  const found = moment(text);
  if (found === undefined) return text;
  if (DAY.test(text)) return day(found);
  const { locale, timeZone } = reader;
  return kept("moment", () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone })).format(found);
}

export function day(date: Date): string {
  return kept("day", () => new Intl.DateTimeFormat(reader.locale, { dateStyle: "medium", timeZone: "UTC" })).format(date);
}

/** A name of a field as a person says it: `due_date` is "Due date". */
export function label(name: string): string {
  const words = name.replace(/^data__/, "").replace(/_/g, " ").trim();
  return words === "" ? name : words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value as one line of text. */
export function line(value: Json | undefined, name = ""): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return NAMES.test(name) ? String(value) : number(value);
  if (typeof value === "string") return date(value);
  if (Array.isArray(value)) return value.map((item) => line(item)).filter((text) => text !== "").join(", ");
  const own = asText(value["name"]) ?? asText(value["title"]) ?? asText(value["subject"]) ?? asText(value["full_name"]);
  if (own !== undefined) return own;
  return Object.entries(value)
    .map(([key, member]) => `${label(key)}: ${isObject(member) ? JSON.stringify(member) : line(member, key)}`)
    .join(", ");
}

/** All words of a row, to look something up in. */
export function searchText(members: { [name: string]: Json }): string {
  return Object.entries(members).map(([name, value]) => line(value, name)).join("\n").toLocaleLowerCase(reader.locale);
}
