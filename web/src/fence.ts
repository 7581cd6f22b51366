//! The fence that the program puts around a stranger's text for a model, taken off for a person. A
//! page shows every text as a text, so the fence has no work here.

import { isObject, type Json } from "./json.ts";

const FENCED = /<untrusted-content>([\s\S]*?)<\/untrusted-content>/g;
const ESCAPED = /&((?:amp;)*)(lt;|#x([0-9A-F]{1,6});)/g;
const HIDDEN =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;
const GOES_ON_AS_MARK = /^[^\p{L}\p{N}]{0,4}u/iu;

/** A text without the fences in it. */
export function withoutFence(text: string): string {
  if (!text.includes("<untrusted-content>")) return text;
  return text.replace(FENCED, (_, inside: string) => unescaped(inside));
}

function unescaped(inside: string): string {
  return inside.replace(ESCAPED, (whole, own: string, what: string, hex: string | undefined, at: number) => {
    if (own !== "") return `&${own.slice("amp;".length)}${what}`;
    if (hex === undefined) return GOES_ON_AS_MARK.test(inside.slice(at + whole.length)) ? "<" : whole;
    const number = Number.parseInt(hex, 16);
    const character = number <= 0x10ffff ? String.fromCodePoint(number) : whole;
    return HIDDEN.test(character) ? character : whole;
  });
}

/** A value in which no text has a fence. */
export function withoutFences(value: Json): Json {
  if (typeof value === "string") return withoutFence(value);
  if (Array.isArray(value)) return value.map(withoutFences);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [withoutFence(name), withoutFences(member)]));
}

const CUT = /… \(cut: \d+ to \d+ of \d+ characters|^\(cut: from character \d+ of \d+\) …/;

/** True for a text of which the program showed a part alone: it may not go back as the whole. */
export function isCut(value: Json | undefined): boolean {
  return typeof value === "string" && CUT.test(value);
}
