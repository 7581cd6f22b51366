//! A backend's text and values, shown as what they are: text. Each stands in its own direction, so
//! that marks of right-to-left texts change nothing beside it.

import type { Json } from "../json.ts";
import { line, moment } from "../view/shown.ts";

export function Text({ text }: { text: string }) {
  return <bdi>{text}</bdi>;
}

export function Value({ value, name }: { value: Json | undefined; name: string }) {
  const text = line(value, name);
  if (text === "") return <span class="nothing">–</span>;
  if (typeof value === "string" && moment(value) !== undefined) return <time dateTime={value}>{text}</time>;
  return <bdi>{text}</bdi>;
}
