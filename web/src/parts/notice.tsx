//! A sentence about what went wrong, or what is to be known, above what it is about.

import type { ComponentChildren } from "preact";

interface NoticeProps {
  tone: "bad" | "plain";
  children: ComponentChildren;
  onClose?: () => void;
}

export function Notice({ tone, children, onClose }: NoticeProps) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "note"}>
      <div dir="auto">{children}</div>
      {onClose && (
        <button type="button" class="quiet" aria-label="Dismiss" onClick={onClose}>
          ✕
        </button>
      )}
    </div>
  );
}
