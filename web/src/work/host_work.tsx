//! The page of work inside a conversation: the host brings the result of a tool.

import { useEffect, useMemo, useState } from "preact/hooks";
import { HostConnection } from "../protocol/host.ts";
import type { ToolAnswer } from "../protocol/connection.ts";
import { asList, asObject, asText, type JsonObject } from "../json.ts";
import { takeLook, watchSize } from "../parts/look.ts";
import { Notice } from "../parts/notice.tsx";
import { ViewPlace } from "./view_place.tsx";
import { useViewState } from "./use_view_state.ts";
import { ViewState, type Source } from "./view_state.ts";

interface Told {
  input: JsonObject | undefined;
  answer: ToolAnswer | undefined;
  cancelled: string | undefined;
  context: JsonObject;
}

export function HostWork({ page }: { page: HTMLElement }) {
  const [told, setTold] = useState<Told>({ input: undefined, answer: undefined, cancelled: undefined, context: {} });
  const connection = useMemo(() => {
    const change = (changed: Partial<Told>) => setTold((now) => ({ ...now, ...changed }));
    return new HostConnection("footbridge-work", {
      context(context) {
        takeLook(context);
        change({ context });
      },
      input: (input) => change({ input }),
      result: (answer) => change({ answer, cancelled: undefined }),
      cancelled: (reason) => change({ cancelled: reason ?? "The call was cancelled." }),
      ending() {},
    });
  }, []);
  const state = useMemo(() => new ViewState(connection), [connection]);
  const shown = useViewState(state);
  useEffect(() => {
    void connection.begin();
    watchSize(page, (width, height) => connection.tellSize(width, height));
  }, []);
  const tool = asObject(asObject(told.context["toolInfo"])["tool"]);
  const source = sourceOf(tool, told.input);
  useEffect(() => {
    if (told.answer !== undefined) {
      state.begin(source, told.answer);
      // a host that gives the page less than the program said lets it ask itself, perhaps
      const view = state.shown.drawn?.view;
      const isBare = told.answer.meta["footbridge/view"] === undefined;
      if (isBare && !told.answer.isError && (view !== undefined || told.answer === EMPTY) && source !== undefined && isReading(tool) && connection.canCall) {
        state.again();
      }
    }
  }, [told.answer, source?.tool]);
  const modes = asList(told.context["availableDisplayModes"]);
  const isInline = told.context["displayMode"] !== "fullscreen";
  const title = shown.drawn?.view?.title || asText(tool["title"]) || asText(tool["name"]) || "Footbridge";
  return (
    <main class={isInline ? "inline" : "whole"}>
      <header class="host-head">
        <h1 dir="auto">{title}</h1>
        {isInline && modes.includes("fullscreen") && (
          <button type="button" class="quiet" aria-label="Show it larger" onClick={() => connection.requestDisplayMode("fullscreen")}>
            ⤢
          </button>
        )}
      </header>
      {told.cancelled !== undefined && <Notice tone="plain">{told.cancelled}</Notice>}
      {told.answer !== undefined ? (
        <ViewPlace state={state} onSignedOut={() => {}} />
      ) : (
        told.cancelled === undefined && (
          <p class="empty" role="status">
            The result has not come yet.{" "}
            {source !== undefined && isReading(tool) && connection.canCall && (
              <button type="button" onClick={() => setTold((now) => ({ ...now, answer: EMPTY }))}>
                Ask for it
              </button>
            )}
          </p>
        )
      )}
    </main>
  );
}

const EMPTY: ToolAnswer = { content: [], structured: undefined, meta: {}, isError: false };

function sourceOf(tool: JsonObject, input: JsonObject | undefined): Source | undefined {
  const name = asText(tool["name"]);
  return name === undefined ? undefined : { tool: name, args: input ?? {} };
}

/** A tool may be called again only where that changes nothing. */
function isReading(tool: JsonObject): boolean {
  return asObject(tool["annotations"])["readOnlyHint"] === true;
}
