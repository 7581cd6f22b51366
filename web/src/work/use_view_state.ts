//! Draws a part of a page again whenever what a view shows changes.

import { useLayoutEffect, useState } from "preact/hooks";
import type { Shown, ViewState } from "./view_state.ts";

export function useViewState(state: ViewState): Shown {
  const [, redraw] = useState(0);
  useLayoutEffect(() => {
    redraw((count) => count + 1);
    return state.subscribe(() => redraw((count) => count + 1));
  }, [state]);
  return state.shown;
}
