//! A card of a board: its title and what matters of it. It is drawn again only when it changed.

import { Component } from "preact";
import type { Json } from "../json.ts";
import { label, line } from "../view/shown.ts";
import type { Row } from "../view/rows.ts";
import { Value } from "../parts/text.tsx";

export interface CardActions {
  open(row: Row): void;
  menu(row: Row): void;
}

interface CardProps {
  row: Row;
  fields: readonly string[];
  canMove: boolean;
  isMoving: boolean;
  actions: CardActions;
}

export function titleOf(fields: readonly string[], row: Row): string {
  const [first] = fields;
  const title = first === undefined ? "" : line(row.members[first]);
  return title || line(row.members["title"]) || line(row.members["subject"]) || line(row.members["name"]) || String(row.id ?? "untitled");
}

export class Card extends Component<CardProps> {
  override shouldComponentUpdate(next: CardProps): boolean {
    const now = this.props;
    return now.row !== next.row || now.fields !== next.fields || now.canMove !== next.canMove || now.isMoving !== next.isMoving;
  }

  override render({ row, fields, canMove, isMoving, actions }: CardProps) {
    const title = titleOf(fields, row);
    // no button, as browsers let nothing be dragged by one
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      actions.open(row);
    };
    return (
      <li class={isMoving ? "card moving" : "card"} data-key={row.key} draggable={canMove} aria-busy={isMoving}>
        <div class="card-title" role="button" tabIndex={-1} dir="auto" onClick={() => actions.open(row)} onKeyDown={pressed}>
          {title}
        </div>
        <Matters row={row} fields={fields} />
        {canMove && (
          <button type="button" class="card-menu quiet" tabIndex={-1} aria-label={`Move ${title}`} onClick={() => actions.menu(row)}>
            ⋯
          </button>
        )}
      </li>
    );
  }
}

function Matters({ row, fields }: { row: Row; fields: readonly string[] }) {
  const told = fields.slice(1).filter((name) => isTold(row.members[name]));
  if (told.length === 0) return null;
  return (
    <ul class="matters">
      {told.map((name) => (
        <li key={name} class={`matter ${name.replace(/[^a-z0-9_]/gi, "")}`} title={label(name)}>
          <Matter name={name} value={row.members[name]} />
        </li>
      ))}
    </ul>
  );
}

/** A number alone says nothing: people write an item's with a sign, and others need their names. */
function Matter({ name, value }: { name: string; value: Json | undefined }) {
  if (value === true) return <bdi>{label(name.replace(/^is_/, ""))}</bdi>;
  const isNumber = typeof value === "number";
  const isReference = isNumber && name === "ref";
  return (
    <>
      <span class={isNumber && !isReference ? undefined : "only-heard"}>{label(name)}: </span>
      {isReference && "#"}
      <Value value={value} name={name} />
    </>
  );
}

/** What is not so, or not there, does not matter. */
function isTold(value: Json | undefined): boolean {
  return value !== false && line(value) !== "";
}
