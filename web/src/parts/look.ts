//! How a host wants a page to look: its theme, colours, locale and insets.

import { asObject, asText, type JsonObject } from "../json.ts";
import { reader } from "../view/shown.ts";

/** Takes over what the host says; what it does not say has our own value in the style sheet. */
export function takeLook(context: JsonObject): void {
  const root = document.documentElement;
  const theme = context["theme"];
  if (theme === "light" || theme === "dark") root.style.colorScheme = theme;
  for (const [name, value] of Object.entries(asObject(asObject(context["styles"])["variables"]))) {
    // a value is a colour or a length: nothing that fetches
    if (/^--[a-z0-9-]+$/.test(name) && typeof value === "string" && !/url\(|image-set|\\/i.test(value)) {
      root.style.setProperty(name, value);
    }
  }
  const insets = asObject(context["safeAreaInsets"]);
  for (const side of ["top", "right", "bottom", "left"]) {
    const inset = insets[side];
    if (typeof inset === "number" && inset >= 0 && inset < 200) root.style.setProperty(`--inset-${side}`, `${inset}px`);
  }
  reader.locale = known(asText(context["locale"]), (locale) => new Intl.NumberFormat(locale));
  reader.timeZone = known(asText(context["timeZone"]), (timeZone) => new Intl.DateTimeFormat(undefined, { timeZone }));
}

function known(name: string | undefined, use: (name: string) => unknown): string | undefined {
  if (name === undefined) return undefined;
  try {
    use(name);
    return name;
  } catch {
    return undefined;
  }
}

/** Tells whoever wants to know how high the page is, whenever that changes. */
export function watchSize(page: HTMLElement, tell: (width: number, height: number) => void): void {
  let before = 0;
  const look = () => {
    const window = document.querySelector<HTMLElement>("dialog[open]");
    const needed = window === null ? 0 : Math.min(window.scrollHeight + 48, 720);
    const height = Math.ceil(Math.max(page.getBoundingClientRect().height, needed));
    if (height === before || height === 0) return;
    before = height;
    tell(document.documentElement.clientWidth, height);
  };
  new ResizeObserver(look).observe(page);
  new MutationObserver(look).observe(page, { childList: true, subtree: true });
}
