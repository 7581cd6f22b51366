//! What is open, as the fragment of the page's address: it can be kept as a bookmark.

import { parseJson, type JsonObject } from "../json.ts";
import type { Offer, Offers } from "../view/view.ts";

export function addressOf(offer: Offer, args: JsonObject): string {
  const parts = new URLSearchParams({ open: offer.key });
  for (const [name, value] of Object.entries(args)) parts.set(`with.${name}`, JSON.stringify(value));
  return `#${parts}`;
}

/** What an address opens; without one, the first view that needs nothing more. */
export function openedBy(address: string, offers: Offers): { offer: Offer; args: JsonObject } | undefined {
  const parts = new URLSearchParams(address.replace(/^#/, ""));
  const all = [...offers.views, ...offers.tools];
  const named = all.find((offer) => offer.key === parts.get("open"));
  if (named === undefined) {
    const first = offers.views.find((offer) => Object.keys(offer.required).length + offer.choices.length === 0) ?? offers.views[0];
    return first === undefined ? undefined : { offer: first, args: {} };
  }
  const args: JsonObject = {};
  for (const name of [...Object.keys(named.required), ...named.choices.map((choice) => choice.argument)]) {
    const value = parts.get(`with.${name}`);
    const read = value === null ? undefined : parseJson(value);
    if (read !== undefined) args[name] = read;
  }
  return { offer: named, args };
}
