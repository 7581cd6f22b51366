//! Hearing of changes while somebody sees the page, and reading again what it shows.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Connection, ListeningState } from "../protocol/connection.ts";

const LATEST = "footbridge://changes/latest";
const SETTLE_MS = 120;
const LOOK_AGAIN_MS = 30_000;

/** Calls `again` after changes, and now and then where changes are not heard of; never for a page
 * that nobody sees: that one is read again when it is seen. */
export function useLive(connection: Connection, isElsewhere: boolean, again: () => void): ListeningState {
  const [state, setState] = useState<ListeningState>("live");
  const latest = useRef(again);
  latest.current = again;
  const isHeard = useRef(true);
  isHeard.current = state === "live";
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isStale = false;
    const isSeen = () => document.visibilityState === "visible";
    const changed = () => {
      if (!isSeen()) {
        isStale = true;
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => latest.current(), SETTLE_MS);
    };
    const seen = () => {
      if (isSeen() && isStale) {
        isStale = false;
        changed();
      }
    };
    const stop = connection.listen(LATEST, changed, setState);
    document.addEventListener("visibilitychange", seen);
    const regularly = setInterval(() => {
      if (isSeen() && connection.where === "browser" && (isElsewhere || !isHeard.current)) latest.current();
    }, LOOK_AGAIN_MS);
    return () => {
      stop();
      clearTimeout(timer);
      clearInterval(regularly);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [connection, isElsewhere]);
  return state;
}
