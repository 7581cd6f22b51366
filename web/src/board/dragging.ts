//! Dragging of cards by the browser's own events. Nothing is drawn anew while a card is in the air.

export class Dragging {
  onDrop: (cardKey: string, columnKey: string) => void = () => {};
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
      if (column !== undefined) event.preventDefault();
    },
    onDrop: (event: DragEvent) => {
      const cardKey = this.#card?.dataset["key"];
      const columnKey = columnAt(event)?.dataset["column"];
      event.preventDefault();
      this.#end();
      if (cardKey !== undefined && columnKey !== undefined) this.onDrop(cardKey, columnKey);
    },
    onDragEnd: () => this.#end(),
  };

  get isOn(): boolean {
    return this.#card !== undefined;
  }

  #end(): void {
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
