//! Dragging of cards by the browser's own events. Nothing is drawn anew while a card is in the air.

import { BEHIND_ALL } from "../view/order.ts";

export class Dragging {
  /** `before` is the card before which it was let go, or behind all. */
  onDrop: (cardKey: string, columnKey: string, before: string) => void = () => {};
  /** Whether cards have an order in their column. */
  isOrdered = false;
  #before: HTMLElement | undefined;
  #card: HTMLElement | undefined;
  #over: HTMLElement | undefined;

  readonly handlers = {
    onDragStart: (event: DragEvent) => {
      const card = event.target instanceof Element ? event.target.closest<HTMLElement>(".card") : null;
      const key = card?.dataset["key"];
      if (card === null || card.draggable === false || key === undefined || event.dataTransfer === null) return;
      this.#card = card;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.querySelector(".card-title")?.textContent ?? "");
      card.classList.add("dragged");
    },
    onDragOver: (event: DragEvent) => {
      if (this.#card === undefined) return; // a thing from outside the page
      const column = columnAt(event);
      if (column !== this.#over) {
        this.#over?.classList.remove("target");
        column?.classList.add("target");
        this.#over = column;
      }
      if (this.isOrdered) this.#show(column === undefined ? undefined : this.#next(column, event.clientY));
      if (column !== undefined) event.preventDefault();
    },
    onDrop: (event: DragEvent) => {
      const cardKey = this.#card?.dataset["key"];
      const column = columnAt(event);
      const columnKey = column?.dataset["column"];
      const before = column === undefined ? undefined : this.#next(column, event.clientY)?.dataset["key"];
      event.preventDefault();
      this.#end();
      if (cardKey !== undefined && columnKey !== undefined) this.onDrop(cardKey, columnKey, before ?? BEHIND_ALL);
    },
    onDragEnd: () => this.#end(),
  };

  get isOn(): boolean {
    return this.#card !== undefined;
  }

  /** The first card of a column that is below a height. */
  #next(column: HTMLElement, height: number): HTMLElement | undefined {
    const cards = [...column.querySelectorAll<HTMLElement>(".card")].filter((card) => card !== this.#card);
    return cards.find((card) => {
      const { top, bottom } = card.getBoundingClientRect();
      return height < (top + bottom) / 2;
    });
  }

  #show(before: HTMLElement | undefined): void {
    if (before === this.#before) return;
    this.#before?.classList.remove("before");
    before?.classList.add("before");
    this.#before = before;
  }

  #end(): void {
    this.#show(undefined);
    this.#card?.classList.remove("dragged");
    this.#over?.classList.remove("target");
    this.#card = undefined;
    this.#over = undefined;
  }
}

function columnAt(event: DragEvent): HTMLElement | undefined {
  const found = event.target instanceof Element ? event.target.closest<HTMLElement>(".column:not(.elsewhere)") : null;
  return found ?? undefined;
}
