//! The change that the page's address names: the receipt of a write leads there.

import { useEffect, useRef } from "preact/hooks";
import type { Ref } from "preact";

interface Linked {
  isLinked: boolean;
  row: Ref<HTMLLIElement>;
}

export function useLinked(id: number): Linked {
  const isLinked = location.hash === `#${id}`;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isLinked) row.current?.scrollIntoView({ block: "center" });
  }, []);
  return { isLinked, row };
}
