//! What a page shows of one tool: its answer, the rows of all its pages, the moves that are under
//! way. It is read again after changes, and no older answer replaces what a person did meanwhile.

import type { JsonObject, Json } from "../json.ts";
import { sentence, SignInNeeded, type Connection, type ToolAnswer } from "../protocol/connection.ts";
import { allPages, hasMore, toRows, type Row } from "../view/rows.ts";
import { draw, rowsOf, type Drawn } from "../view/view.ts";
import { movedRow, moveArguments, refusalOf, write, type Ended } from "../board/moves.ts";
import type { BoardColumn } from "../view/board_columns.ts";
import { numbersFor } from "../view/order.ts";

export interface Source {
  tool: string;
  args: JsonObject;
}

export interface Shown {
  drawn: Drawn | undefined;
  rows: readonly Row[];
  moved: ReadonlyMap<string, string>;
  placed: ReadonlyMap<string, number>;
  isReading: boolean;
  /** Not all rows are there, and why. */
  isCutBecause: string | undefined;
  /** The last reading failed, and why; what was read before stays. */
  failure: string | undefined;
}

const NOTHING: Shown = { drawn: undefined, rows: [], moved: new Map(), placed: new Map(), isReading: false, isCutBecause: undefined, failure: undefined };

export class ViewState {
  shown: Shown = NOTHING;
  #listeners = new Set<() => void>();
  onSignedOut: () => void = () => {};
  #source: Source | undefined;
  /** Counts what makes older answers worthless. */
  #epoch = 0;
  #reading: Promise<void> | undefined;
  #isAskedAgain = false;
  #wasMended = false;
  #moves = new Map<string, Promise<void>>();

  constructor(readonly connection: Connection) {}

  get source(): Source | undefined {
    return this.#source;
  }

  /** Begins with a tool, or with an answer that came already. */
  begin(source: Source | undefined, answer?: ToolAnswer): void {
    this.#epoch += 1;
    this.#source = source;
    this.#wasMended = false;
    this.#change({ ...NOTHING });
    if (answer !== undefined) void this.#take(answer, this.#epoch);
    else this.again();
  }

  /** Reads again; what is asked for while it reads is read once after it. */
  again(): void {
    if (this.#source === undefined) return;
    if (this.#reading !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        this.again();
      }
    });
  }

  async #read(): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    const epoch = this.#epoch;
    this.#change({ isReading: true });
    try {
      const answer = await this.connection.call(source.tool, source.args);
      if (epoch !== this.#epoch) this.#isAskedAgain = true;
      else await this.#take(answer, epoch);
    } catch (error) {
      if (error instanceof SignInNeeded) this.onSignedOut();
      if (epoch === this.#epoch) this.#change({ failure: sentence(error) });
    }
    this.#change({ isReading: false });
  }

  async #take(answer: ToolAnswer, epoch: number): Promise<void> {
    const drawn = draw(answer, this.#source ?? {});
    if (drawn.view === undefined) {
      // what was read before is of more use than a refusal
      if (answer.isError && this.shown.drawn !== undefined) this.#change({ failure: drawn.text });
      else this.#change({ drawn, rows: [], failure: undefined, isCutBecause: undefined });
      return;
    }
    const { view, data } = drawn;
    if (view.again !== undefined && this.connection.canCall && !this.#wasMended) {
      this.#wasMended = true;
      this.#source = view.again;
      this.#isAskedAgain = this.#reading !== undefined;
      if (this.#reading === undefined) this.again();
    }
    if (this.#source === undefined && view.tool !== undefined) this.#source = { tool: view.tool, args: view.args };
    const isFirst = this.shown.drawn?.view === undefined;
    const first = rowsOf(view, data) ?? [];
    const draws = (list: Json[], isCutBecause: string | undefined) => {
      const before = this.shown.drawn?.view;
      const kept = before !== undefined && JSON.stringify(before) === JSON.stringify(view) ? before : view;
      const isTable = view.kind === "board" || view.kind === "table";
      this.#change({ drawn: { view: kept, data }, rows: isTable ? toRows(view, list, this.shown.rows) : [], failure: undefined, isCutBecause });
    };
    const isLong = (view.kind === "board" || view.kind === "table") && hasMore(data);
    if (isFirst || !isLong) draws(first, undefined);
    if (!isLong) return;
    const pages = await allPages(this.connection, view, data);
    if (epoch === this.#epoch) draws(pages.list, pages.isCutBecause);
    else this.#isAskedAgain = true;
  }

  /**
   * Moves a card, before another one of its column where cards have an order; gives the sentence to say when it did not go, and none when it did.
   */
  async move(row: Row, from: BoardColumn, to: BoardColumn, title: string, before: string | null): Promise<{ refusal?: string; ended: Ended }> {
    const view = this.shown.drawn?.view;
    const column = from.key === to.key ? undefined : to.column;
    const order = view?.move?.order;
    const others = to.rows.filter((one) => one.key !== row.key);
    const numbers = before === null || order === undefined ? [] : numbersFor(row, others, before, order);
    const number = numbers?.[0]?.number;
    const args = view === undefined ? undefined : moveArguments(view, row, column, number);
    const refused = (why: string) => ({ ended: { is: "refused" as const, why }, refusal: why });
    if (view?.move === undefined || args === undefined) return refused("It cannot be moved.");
    if (numbers === undefined) return refused("Too many cards behind that place have none of their own: put it further down.");
    const { tool } = view.move;
    const placed = new Map(this.shown.placed);
    for (const one of numbers) placed.set(one.row.key, one.number);
    this.#change({ moved: new Map(this.shown.moved).set(row.key, to.key), placed });
    const earlier = this.#moves.get(row.key) ?? Promise.resolve();
    const moving = earlier.then(async () => {
      // those behind it first, from the last on: what is seen meanwhile is in order
      for (const one of numbers.slice(1).reverse()) {
        const own = moveArguments(view, one.row, undefined, one.number);
        const ended = own === undefined ? undefined : await write(this.connection, tool, own);
        if (ended !== undefined && ended.is !== "done") return ended;
      }
      return write(this.connection, tool, args);
    });
    const settled = moving.then(() => {});
    this.#moves.set(row.key, settled);
    const ended = await moving;
    this.#epoch += 1;
    const isNewest = this.#moves.get(row.key) === settled;
    if (isNewest) this.#moves.delete(row.key);
    const moved = new Map(this.shown.moved);
    if (isNewest) moved.delete(row.key);
    const left = new Map(this.shown.placed);
    for (const one of numbers) if (left.get(one.row.key) === one.number) left.delete(one.row.key);
    const byKey = new Map(numbers.map((one) => [one.row.key, one.number]));
    const isConcerned = (one: Row) => one.key === row.key || byKey.has(one.key);
    const rows =
      ended.is === "done"
        ? this.shown.rows.map((one) => (isConcerned(one) ? movedRow(view, one, one.key === row.key ? column : undefined, byKey.get(one.key)) : one))
        : this.shown.rows;
    this.#change({ moved, placed: left, rows });
    this.again();
    if (ended.is === "signed out") this.onSignedOut();
    const refusal = refusalOf(title, from, ended);
    return refusal === undefined ? { ended } : { ended, refusal };
  }

  /** Something was written by another way than a move. */
  written(): void {
    this.#epoch += 1;
    this.again();
  }

  /** Hears of every change of what is shown, until the function that it gives is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #change(changed: Partial<Shown>): void {
    this.shown = { ...this.shown, ...changed };
    for (const tell of this.#listeners) tell();
  }
}
