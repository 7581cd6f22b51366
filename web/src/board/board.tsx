//! A board: columns with their counts and limits, cards that are moved by hand, by keys or by a
//! menu.

import { Component } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { announce } from "../parts/announcer.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { boardShape, type BoardColumn } from "../view/board_columns.ts";
import type { Row } from "../view/rows.ts";
import { BEHIND_ALL } from "../view/order.ts";
import { searchText } from "../view/shown.ts";
import type { View } from "../view/view.ts";
import { Card, titleOf, type CardActions } from "./card.tsx";
import { Dragging } from "./dragging.ts";
import { neighbour } from "./keys.ts";

interface BoardProps {
  view: View;
  rows: readonly Row[];
  filter: string;
  /** By the key of a row, the column that it is on its way to. */
  moved: ReadonlyMap<string, string>;
  /** By the key of a row, the number that it gets in the order of the cards. */
  placed: ReadonlyMap<string, number>;
  onOpen(row: Row): void;
  /** `before` is the card of the column before which it is to stand, "" behind all; null where its place there does not matter. */
  onMove(row: Row, from: BoardColumn, to: BoardColumn, before: string | null): void;
}

export function Board({ view, rows, filter, moved, placed, onOpen, onMove }: BoardProps) {
  const place = useRef<HTMLDivElement>(null);
  const focused = useRef({ key: "", isWanted: false, isIn: false });
  const isDrawing = useRef(false);
  isDrawing.current = true;
  const [menu, setMenu] = useState<Row>();
  const texts = useRef(new WeakMap<object, string>());
  const words = useMemo(() => filter.toLocaleLowerCase().split(/\s+/).filter((word) => word !== ""), [filter]);
  const shown = useMemo(() => {
    if (words.length === 0) return rows;
    return rows.filter((row) => {
      let text = texts.current.get(row.members);
      if (text === undefined) texts.current.set(row.members, (text = searchText(row.members)));
      return words.every((word) => text.includes(word));
    });
  }, [rows, words]);
  const shape = useMemo(() => boardShape(view, shown, moved, placed), [view, shown, moved, placed]);
  const whole = useMemo(() => (shown === rows ? shape : boardShape(view, rows, moved, placed)), [view, rows, shown, shape, moved, placed]);
  const canMove = view.move !== undefined;
  const isOrdered = view.move?.order !== undefined;

  const columnOf = (row: Row) => shape.columns.find((one) => one.rows.some((other) => other.key === row.key));
  const move = (row: Row, to: BoardColumn | undefined, before: string | null = null) => {
    const from = columnOf(row);
    if (from === undefined || to === undefined || to.isElsewhere) return;
    const place = isOrdered ? before : null;
    if (to === from && (place === null || isThere(from, row, place))) return;
    focused.current = { key: row.key, isWanted: true, isIn: true };
    announce(to === from ? `${titleOf(view.card, row)} has another place in ${to.column.name}.` : `${titleOf(view.card, row)} moved to ${to.column.name}.`);
    onMove(row, from, whole.columns.find((one) => one.key === to.key) ?? to, place);
  };
  const state = useRef({ shape, move });
  state.current = { shape, move };
  const dragging = useMemo(() => new Dragging(), []);
  dragging.isOrdered = isOrdered;
  dragging.onDrop = (cardKey, columnKey, before) => {
    const row = rows.find((one) => one.key === cardKey);
    if (row !== undefined) move(row, shape.columns.find((one) => one.key === columnKey), before);
  };
  const actions = useMemo<CardActions>(() => ({ open: onOpen, menu: setMenu }), [onOpen]);

  // one card is in the order of the tab key; a card that moved keeps the focus
  useLayoutEffect(() => {
    const element = place.current;
    isDrawing.current = false;
    if (element === null) return;
    const titles = element.querySelectorAll<HTMLElement>(".card-title");
    const own = element.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused.current.key)}"] .card-title`);
    element.querySelector('.card-title[tabindex="0"]')?.setAttribute("tabindex", "-1");
    (own ?? titles[0])?.setAttribute("tabindex", "0");
    if (focused.current.isWanted && own !== null) {
      own.focus();
      own.scrollIntoView({ block: "nearest", inline: "nearest" });
      focused.current.isWanted = false;
    } else if (focused.current.isIn && own !== null && (document.activeElement === null || document.activeElement === document.body)) {
      // somebody else moved the card, and the browser forgets where the reader was
      own.focus({ preventScroll: true });
    }
  });
  const onFocus = (event: FocusEvent) => {
    const card = event.target instanceof Element ? event.target.closest<HTMLElement>(".card") : null;
    if (card === null) return;
    focused.current.key = card.dataset["key"] ?? "";
    focused.current.isIn = true;
    place.current?.querySelector('.card-title[tabindex="0"]')?.setAttribute("tabindex", "-1");
    card.querySelector(".card-title")?.setAttribute("tabindex", "0");
  };
  const onBlur = () => {
    if (!isDrawing.current) focused.current.isIn = false;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target;
    const key = target instanceof Element ? target.closest<HTMLElement>(".card")?.dataset["key"] : undefined;
    if (key === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const found = neighbour(state.current.shape.columns, key, event.key);
    if (event.shiftKey && canMove && found?.column !== undefined && found.isSideways) {
      event.preventDefault();
      move(found.row, found.column);
    } else if (event.shiftKey && isOrdered && canMove && found?.next !== undefined && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const here = columnOf(found.row);
      const at = here?.rows.findIndex((row) => row.key === found.row.key) ?? -1;
      move(found.row, here, event.key === "ArrowUp" ? found.next : (here?.rows[at + 2]?.key ?? BEHIND_ALL));
    } else if (!event.shiftKey && found?.next !== undefined) {
      event.preventDefault();
      place.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(found.next)}"] .card-title`)?.focus();
    } else if (event.key === "m" && canMove) {
      event.preventDefault();
      setMenu(rows.find((row) => row.key === key));
    }
  };

  return (
    <div class="board-place">
      {canMove && (
        <p id="board-keys" class="only-heard">
          Arrow keys go from card to card, Enter opens one, M asks where to move it, Shift with left or right moves it
          {isOrdered && ", Shift with up or down within its column"}.
        </p>
      )}
      {shape.repeated.length > 0 && (
        <p class="hint" role="note">
          Several columns are called <bdi>{shape.repeated.join(", ")}</bdi>; a card that only names its column stands in the first of them.
        </p>
      )}
      <div
        class="board"
        ref={place}
        role="group"
        aria-label={view.title || "Board"}
        aria-describedby={canMove ? "board-keys" : undefined}
        onFocusIn={onFocus}
        onFocusOut={onBlur}
        onKeyDown={onKeyDown}
        {...dragging.handlers}
      >
        {shape.columns.map((one) => (
          <ColumnView key={one.key} one={one} whole={whole.columns.find((other) => other.key === one.key) ?? one} view={view} moved={moved} canMove={canMove} actions={actions} />
        ))}
      </div>
      {menu !== undefined && (
        <MoveMenu
          title={titleOf(view.card, menu)}
          columns={shape.columns.filter((one) => !one.isElsewhere)}
          from={columnOf(menu)}
          onClose={() => setMenu(undefined)}
          onChoose={(to) => {
            setMenu(undefined);
            move(menu, to);
          }}
        />
      )}
    </div>
  );
}

/** Whether a card stands before another one of its column already, or behind all. */
function isThere(column: BoardColumn, row: Row, before: string): boolean {
  const at = column.rows.findIndex((one) => one.key === row.key);
  return (column.rows[at + 1]?.key ?? BEHIND_ALL) === before || before === row.key;
}

interface ColumnViewProps {
  one: BoardColumn;
  /** The same column without the filter: what its count and its limit are about. */
  whole: BoardColumn;
  view: View;
  moved: ReadonlyMap<string, string>;
  canMove: boolean;
  actions: CardActions;
}

/** A column, drawn again only when something of it changed: most moves concern two of them. */
class ColumnView extends Component<ColumnViewProps> {
  override shouldComponentUpdate(next: ColumnViewProps): boolean {
    const now = this.props;
    if (now.one.column !== next.one.column || now.view !== next.view || now.canMove !== next.canMove) return true;
    if (now.one.rows.length !== next.one.rows.length || now.whole.rows.length !== next.whole.rows.length) return true;
    return next.one.rows.some((row, at) => row !== now.one.rows[at] || next.moved.has(row.key) !== now.moved.has(row.key));
  }

  override render(props: ColumnViewProps) {
    return drawnColumn(props);
  }
}

function drawnColumn({ one, whole, view, moved, canMove, actions }: ColumnViewProps) {
  const { column, rows, isElsewhere } = one;
  const count = whole.rows.length;
  const isOver = column.limit !== undefined && count > column.limit;
  const classes = ["column", isElsewhere ? "elsewhere" : "", column.isClosed ? "closed" : "", isOver ? "over" : ""];
  return (
    <section class={classes.filter((name) => name !== "").join(" ")} data-column={one.key} aria-label={column.name}>
      <header>
        <h3 dir="auto">{column.name}</h3>
        <span class="count">
          {rows.length === count ? count : `${rows.length} of ${count}`}
          {column.limit !== undefined && ` / ${column.limit}`}
          {isOver && <span class="only-heard"> over its limit</span>}
        </span>
      </header>
      {isElsewhere && <p class="hint">Their {view.group.replace(/_/g, " ")} is none of the columns.</p>}
      <ul class="cards">
        {rows.map((row) => (
          <Card key={row.key} row={row} fields={view.card} canMove={canMove && row.id !== undefined} isMoving={moved.has(row.key)} actions={actions} />
        ))}
      </ul>
    </section>
  );
}

interface MoveMenuProps {
  title: string;
  columns: readonly BoardColumn[];
  from: BoardColumn | undefined;
  onClose(): void;
  onChoose(to: BoardColumn): void;
}

function MoveMenu({ title, columns, from, onClose, onChoose }: MoveMenuProps) {
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !(event.currentTarget instanceof Element)) return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons.at((at + step) % buttons.length)?.focus();
  };
  return (
    <Dialog title={`Move ${title} to`} onClose={onClose}>
      <ul class="choices" onKeyDown={keys}>
        {columns.map((one) => (
          <li key={one.key}>
            <button type="button" disabled={one === from} onClick={() => onChoose(one)} dir="auto">
              {one.column.name}
              {one === from ? " (it is here)" : ""}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
