//! What a screen reader says of what happened, and what a person reads of it for a while.

import { useEffect, useRef, useState } from "preact/hooks";

type Hearer = (text: string) => void;
const hearers = new Set<Hearer>();

/** Says a sentence to whoever cannot see what happened. */
export function announce(text: string): void {
  for (const hear of hearers) hear(text);
}

export function Announcer() {
  const [text, setText] = useState("");
  const isOdd = useRef(false);
  useEffect(() => {
    const hear = (said: string) => {
      isOdd.current = !isOdd.current; // the same sentence twice is said twice
      setText(isOdd.current ? said : `${said}\u00a0`);
    };
    hearers.add(hear);
    return () => void hearers.delete(hear);
  }, []);
  return (
    <div class="only-heard" role="status" aria-live="polite">
      {text}
    </div>
  );
}
