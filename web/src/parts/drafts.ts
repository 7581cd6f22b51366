//! What was typed and not sent yet. It outlives a closed form, a refusal and, in a browser, the page.

const PREFIX = "footbridge draft ";
const drafts = new Map<string, Record<string, string>>();

export function draftOf(name: string): Record<string, string> {
  const known = drafts.get(name);
  if (known !== undefined) return known;
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "{}");
    if (typeof kept === "object" && kept !== null) {
      return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
    }
  } catch {
    // a page in a sandbox has no storage
  }
  return {};
}

export function keepDraft(name: string, draft: Record<string, string>): void {
  const isEmpty = Object.keys(draft).length === 0;
  if (isEmpty) drafts.delete(name);
  else drafts.set(name, draft);
  try {
    if (isEmpty) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
  } catch {
    // as above; memory is left
  }
}

export function forgetDrafts(): void {
  drafts.clear();
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // as above
  }
}
