//! A long text of a backend, drawn as the markdown that it may be. What comes out of it goes through
//! a sanitiser that keeps few elements and no picture, style or script.

import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Connection } from "../protocol/connection.ts";

/** Longer texts are shown as they are. */
const MOST_CHARACTERS = 60_000;

// elements in a backend's text are text, and so is a picture's name
const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  renderer: {
    html: ({ text }) => escaped(text),
    image: ({ text }) => escaped(text),
  },
});

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

const KEPT = {
  ALLOWED_TAGS: [
    "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
  ],
  ALLOWED_ATTR: ["href", "title", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
} as const;

export function sanitised(text: string): DocumentFragment {
  // headings of a text stand below those of the page
  const html = (marked.parse(text) as string).replace(/<(\/?)h[12]>/g, "<$1h3>");
  const fragment = DOMPurify.sanitize(html, { ...KEPT, ALLOWED_TAGS: [...KEPT.ALLOWED_TAGS], ALLOWED_ATTR: [...KEPT.ALLOWED_ATTR] });
  for (const link of fragment.querySelectorAll("a")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
  }
  for (const block of fragment.querySelectorAll("p, li, h3, h4, h5, h6, td, th, blockquote")) {
    block.setAttribute("dir", "auto");
  }
  return fragment;
}

export function Markdown({ text, connection }: { text: string; connection: Connection }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (text.length > MOST_CHARACTERS) place.current?.replaceChildren(text);
    else place.current?.replaceChildren(sanitised(text));
  }, [text]);
  const open = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || connection.where !== "host") return;
    event.preventDefault();
    connection.openLink(link.href);
  };
  return <div class="markdown" dir="auto" ref={place} onClick={open} />;
}
