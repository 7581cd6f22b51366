//! What is open, as the fragment of the page's address: it can be kept as a bookmark.

import { parseJson, type JsonObject } from "../json.ts";
import type { Offer, Offers } from "../view/view.ts";

const MOST_NAME = 100;

/** `named` is what was chosen, as a person says it. */
export function addressOf(offer: Offer, args: JsonObject, named?: string): string {
  const parts = new URLSearchParams({ open: offer.key });
  if (named !== undefined) parts.set("named", named.slice(0, MOST_NAME));
  for (const [name, value] of Object.entries(args)) parts.set(`with.${name}`, JSON.stringify(value));
  return `#${parts}`;
}

export interface Opened {
  offer: Offer;
  args: JsonObject;
  named: string | undefined;
}

/** What an address opens; without one, the first view that needs nothing more. */
export function openedBy(address: string, offers: Offers): Opened | undefined {
  const parts = new URLSearchParams(address.replace(/^#/, ""));
  const all = [...offers.views, ...offers.tools];
  const named = all.find((offer) => offer.key === parts.get("open"));
  if (named === undefined) {
    const first = offers.views.find((offer) => Object.keys(offer.required).length + offer.choices.length === 0) ?? offers.views[0];
    return first === undefined ? undefined : { offer: first, args: {}, named: undefined };
  }
  const args: JsonObject = {};
  for (const name of [...Object.keys(named.required), ...named.choices.map((choice) => choice.argument)]) {
    const value = parts.get(`with.${name}`);
    const read = value === null ? undefined : parseJson(value);
    if (read !== undefined) args[name] = read;
  }
  return { offer: named, args, named: parts.get("named")?.slice(0, MOST_NAME) };
}
