//! The place of a page where one view is drawn, with what a person does in it.

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Board } from "../board/board.tsx";
import { titleOf } from "../board/card.tsx";
import { Chart } from "../chart/chart.tsx";
import { isObject } from "../json.ts";
import { announce } from "../parts/announcer.tsx";
import { useLive } from "../parts/live.ts";
import { Notice } from "../parts/notice.tsx";
import { Record } from "../parts/record.tsx";
import { Table } from "../parts/table.tsx";
import type { BoardColumn } from "../view/board_columns.ts";
import type { Row } from "../view/rows.ts";
import { CreateWindow, RecordWindow } from "./record_window.tsx";
import { useViewState } from "./use_view_state.ts";
import type { ViewState } from "./view_state.ts";

/** Connectors whose records are all in the file that changes are heard of. */
const LOCAL = "board";
const REMEMBERED = 20;

interface ViewPlaceProps {
  state: ViewState;
  onSignedOut(): void;
}

export function ViewPlace({ state, onSignedOut }: ViewPlaceProps) {
  const [filter, setFilter] = useState("");
  const [refusals, setRefusals] = useState<string[]>([]);
  const [open, setOpen] = useState<Row | "new">();
  const { connection } = state;
  const shown = useViewState(state);
  const { drawn, rows } = shown;
  const view = drawn?.view;
  useEffect(() => {
    state.onSignedOut = onSignedOut;
  }, [state, onSignedOut]);
  const listening = useLive(connection, view !== undefined && view.connector !== LOCAL, () => state.again());
  const told = useMemo<string[]>(() => [], [state]);
  const tell = useCallback(
    (text: string) => {
      told.push(text);
      connection.tellModel(told.slice(-REMEMBERED).join("\n"));
    },
    [connection, told],
  );
  const refuse = (why: string) => {
    setRefusals((now) => [...now.slice(-4), why]);
    announce(why);
  };
  const onOpen = useCallback((row: Row) => setOpen(row), []);
  const onMove = useCallback(
    async (row: Row, from: BoardColumn, to: BoardColumn, before: string | null) => {
      const title = titleOf(state.shown.drawn?.view?.card ?? [], row);
      const { refusal, ended } = await state.move(row, from, to, title, before);
      const how = from.key === to.key ? `within “${to.column.name}”` : `from “${from.column.name}” to “${to.column.name}”`;
      if (refusal !== undefined) refuse(refusal);
      else if (ended.is === "done") tell(`The user moved “${title}” ${how} on the page.`);
    },
    [state, tell],
  );
  const written = (text: string) => {
    state.written();
    tell(text);
    announce("Saved.");
  };

  if (drawn === undefined) {
    return shown.failure === undefined ? <p class="empty" role="status">Reading…</p> : <Notice tone="bad">{shown.failure}</Notice>;
  }
  const current = open !== undefined && open !== "new" ? (rows.find((row) => row.key === open.key) ?? open) : undefined;
  return (
    <div class="view">
      {view?.problem !== undefined && <Notice tone="plain">{view.problem}</Notice>}
      <div class="tools">
        {(view?.kind === "board" || view?.kind === "table") && (
          <label class="filter">
            <span class="only-heard">Filter</span>
            <input type="search" placeholder="Filter" value={filter} maxLength={200} dir="auto" onInput={(event) => setFilter(event.currentTarget.value)} />
          </label>
        )}
        {view?.create !== undefined && (
          <button type="button" class="main" onClick={() => setOpen("new")}>
            New
          </button>
        )}
        <button type="button" onClick={() => state.again()} aria-busy={shown.isReading}>
          Refresh
        </button>
      </div>
      {shown.isCutBecause !== undefined && (
        <p class="hint" role="note">
          {shown.isCutBecause}
        </p>
      )}
      {drawn.view === undefined ? (
        <pre class="plain" dir="auto">
          {drawn.text}
        </pre>
      ) : drawn.view.kind === "board" ? (
        <Board view={drawn.view} rows={rows} filter={filter} moved={shown.moved} placed={shown.placed} onOpen={onOpen} onMove={onMove} />
      ) : drawn.view.kind === "chart" ? (
        <Chart view={drawn.view} data={drawn.data} />
      ) : drawn.view.kind === "table" ? (
        <Table rows={filtered(rows, filter)} caption={drawn.view.title || "The result"} onOpen={onOpen} />
      ) : (
        <Record members={isObject(drawn.data) ? drawn.data : { value: drawn.data }} connection={connection} />
      )}
      {/* below the board, so that nothing moves away under a card in the air */}
      <div class="notices">
        {refusals.map((why, at) => (
          <Notice key={`${at} ${why}`} tone="bad" onClose={() => setRefusals((now) => now.filter((_, index) => index !== at))}>
            {why}
          </Notice>
        ))}
        {shown.failure !== undefined ? (
          <Notice tone="bad">This could not be read again: {shown.failure} It is tried again.</Notice>
        ) : (
          listening === "lost" &&
          connection.where === "browser" && <Notice tone="plain">The server does not answer; this is what was read last. It is tried again.</Notice>
        )}
      </div>
      {current !== undefined && view !== undefined && (
        <RecordWindow key={current.key} view={view} row={current} connection={connection} onClose={() => setOpen(undefined)} onWritten={written} onSignedOut={onSignedOut} />
      )}
      {open === "new" && view !== undefined && (
        <CreateWindow view={view} connection={connection} onClose={() => setOpen(undefined)} onWritten={written} onSignedOut={onSignedOut} />
      )}
    </div>
  );
}

function filtered(rows: readonly Row[], filter: string): readonly Row[] {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = JSON.stringify(row.members).toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}
