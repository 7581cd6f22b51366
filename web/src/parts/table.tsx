//! A list as a table whose columns sort it; a row opens its record.

import { useMemo, useState } from "preact/hooks";
import type { Json } from "../json.ts";
import { label, line } from "../view/shown.ts";
import type { Row } from "../view/rows.ts";
import { Value } from "./text.tsx";

const DRAWN_AT_ONCE = 200;
const MOST_COLUMNS = 30;

interface TableProps {
  rows: readonly Row[];
  caption: string;
  onOpen?: (row: Row) => void;
}

interface Order {
  name: string;
  isDown: boolean;
}

export function Table({ rows, caption, onOpen }: TableProps) {
  const [order, setOrder] = useState<Order>();
  const [drawn, setDrawn] = useState(DRAWN_AT_ONCE);
  const names = useMemo(() => columnNames(rows), [rows]);
  const sorted = useMemo(() => (order === undefined ? rows : sortRows(rows, order)), [rows, order]);
  if (rows.length === 0) return <p class="empty">Nothing is here.</p>;
  const sort = (name: string) => setOrder((now) => ({ name, isDown: now?.name === name && !now.isDown }));
  const shown = names.slice(0, MOST_COLUMNS);
  return (
    <div class="table-place" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="only-heard">{caption}</caption>
        <thead>
          <tr>
            {onOpen && (
              <th scope="col">
                <span class="only-heard">Open</span>
              </th>
            )}
            {shown.map((name) => {
              const is = order?.name === name ? (order.isDown ? "descending" : "ascending") : "none";
              return (
                <th key={name} scope="col" aria-sort={is}>
                  <button type="button" class="sort" onClick={() => sort(name)}>
                    <bdi>{label(name)}</bdi>
                    <span aria-hidden="true">{is === "none" ? "" : is === "ascending" ? " ▲" : " ▼"}</span>
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, drawn).map((row, at) => (
            <tr key={row.key}>
              {onOpen && (
                <td>
                  <button type="button" class="quiet" aria-label={`Open row ${at + 1}`} onClick={() => onOpen(row)}>
                    ⤢
                  </button>
                </td>
              )}
              {shown.map((name) => (
                <td key={name} class={typeof row.members[name] === "number" ? "number" : ""} dir="auto">
                  <Value value={row.members[name]} name={name} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {names.length > shown.length && <p class="hint">{names.length - shown.length} more fields stand in each record.</p>}
      {sorted.length > drawn && (
        <p class="hint">
          {drawn} of {sorted.length} rows are drawn.{" "}
          <button type="button" onClick={() => setDrawn(drawn + DRAWN_AT_ONCE)}>
            Draw more
          </button>
        </p>
      )}
    </div>
  );
}

function columnNames(rows: readonly Row[]): string[] {
  const names = new Set<string>();
  for (const row of rows.slice(0, 50)) for (const name of Object.keys(row.members)) names.add(name);
  return [...names];
}

function sortRows(rows: readonly Row[], { name, isDown }: Order): Row[] {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const compare = (one: Json | undefined, other: Json | undefined): number => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    if (typeof one === "string" && typeof other === "string") return collator.compare(one, other);
    return collator.compare(line(one, name), line(other, name));
  };
  return [...rows].sort((a, b) => {
    const [one, other] = [a.members[name], b.members[name]];
    // what has no value stands at the end, whichever the order
    const [isOneEmpty, isOtherEmpty] = [line(one) === "", line(other) === ""];
    if (isOneEmpty || isOtherEmpty) return Number(isOneEmpty) - Number(isOtherEmpty);
    return isDown ? compare(other, one) : compare(one, other);
  });
}
