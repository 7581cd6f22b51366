//! A window over the page, of the browser's own kind: it keeps the focus and gives it back.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  isWide?: boolean;
}

export function Dialog({ title, onClose, children, isWide }: DialogProps) {
  const place = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    const element = place.current;
    if (element !== null && !element.open) element.showModal();
    return () => {
      element?.close(); // what is behind an open one takes no focus
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  const outside = (event: MouseEvent) => {
    if (event.target === place.current) onClose();
  };
  return (
    <dialog ref={place} class={isWide ? "wide" : ""} aria-labelledby={heading} onCancel={cancel} onMouseDown={outside}>
      <div class="dialog-inside">
        <header class="dialog-head">
          <h2 id={heading} dir="auto">
            {title}
          </h2>
          <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
