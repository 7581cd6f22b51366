//! One record: its fields and their values, long texts as markdown.

import type { Connection } from "../protocol/connection.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { label } from "../view/shown.ts";
import { Markdown } from "./markdown.tsx";
import { Value } from "./text.tsx";

const LONG = 120;
const DEPTH = 4;

interface RecordProps {
  members: JsonObject;
  connection: Connection;
  depth?: number;
}

export function Record({ members, connection, depth = 0 }: RecordProps) {
  const entries = Object.entries(members);
  if (entries.length === 0) return <p class="empty">Nothing is here.</p>;
  return (
    <dl class="record">
      {entries.map(([name, value]) => (
        <div key={name} class={isLong(value) ? "entry long" : "entry"}>
          <dt>
            <bdi>{label(name)}</bdi>
          </dt>
          <dd dir="auto">
            <RecordValue name={name} value={value} connection={connection} depth={depth} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function RecordValue({ name, value, connection, depth }: { name: string; value: Json; connection: Connection; depth: number }) {
  if (typeof value === "string" && isLong(value)) return <Markdown text={value} connection={connection} />;
  if (isObject(value) && depth < DEPTH) return <Record members={value} connection={connection} depth={depth + 1} />;
  if (Array.isArray(value) && value.some(isObject) && depth < DEPTH) {
    return (
      <ol class="records">
        {value.slice(0, 100).map((item, at) => (
          <li key={at}>
            {isObject(item) ? <Record members={item} connection={connection} depth={depth + 1} /> : <Value value={item} name={name} />}
          </li>
        ))}
      </ol>
    );
  }
  return <Value value={value} name={name} />;
}

function isLong(value: Json): boolean {
  if (typeof value === "string") return value.length > LONG || value.includes("\n") || /[*_`#[\]]{2}|^\s*[-*] /m.test(value);
  return isObject(value) || (Array.isArray(value) && value.some(isObject));
}
