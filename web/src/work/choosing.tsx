//! What a person says before a view can be drawn: which board, which project, which sprint of it.

import { useEffect, useState } from "preact/hooks";
import { asText, isObject, type Json, type JsonObject } from "../json.ts";
import { Form } from "../parts/form.tsx";
import { Notice } from "../parts/notice.tsx";
import { Refused, sentence, SignInNeeded, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { allPages } from "../view/rows.ts";
import { label, line } from "../view/shown.ts";
import { draw, type Choice, type Offer } from "../view/view.ts";
import { addressOf } from "./address.ts";

interface ChoosingProps {
  connection: Connection;
  offer: Offer;
  args: JsonObject;
  /** What is chosen next; without one, the fields are filled in. */
  choice: Choice | undefined;
  fields: JsonObject;
  onSignedOut(): void;
}

export function Choosing({ connection, offer, args, choice, fields, onSignedOut }: ChoosingProps) {
  if (choice === undefined) return <Filling offer={offer} args={args} fields={fields} />;
  return <Chosen key={choice.argument} connection={connection} offer={offer} args={args} choice={choice} onSignedOut={onSignedOut} />;
}

function Filling({ offer, args, fields }: { offer: Offer; args: JsonObject; fields: JsonObject }) {
  const titled = Object.entries(fields).map(([path, schema]) => [path, { title: titleOf(path), ...(isObject(schema) ? schema : {}) }] as const);
  return (
    <Form
      name={`open ${offer.key}`}
      fields={Object.fromEntries(titled)}
      values={{}}
      required={Object.keys(fields)}
      isSendingAll
      button="Open"
      onSend={async (filled) => {
        location.hash = addressOf(offer, { ...args, ...filled });
        return undefined;
      }}
    />
  );
}

interface Entry {
  value: Json;
  name: string;
}

interface ChosenProps {
  connection: Connection;
  offer: Offer;
  args: JsonObject;
  choice: Choice;
  onSignedOut(): void;
}

function Chosen({ connection, offer, args, choice, onSignedOut }: ChosenProps) {
  const [entries, setEntries] = useState<Entry[]>();
  const [problem, setProblem] = useState<string>();
  const to = (entry: Entry) => addressOf(offer, { ...args, [choice.argument]: entry.value }, entry.name);
  useEffect(() => {
    entriesOf(connection, choice, args)
      .then((found) => {
        const [only] = found;
        if (found.length === 1 && only !== undefined) location.replace(to(only));
        else setEntries(found);
      })
      .catch((error: unknown) => {
        if (error instanceof SignInNeeded) onSignedOut();
        setProblem(sentence(error));
      });
  }, []);
  if (problem !== undefined) {
    return (
      <>
        <Notice tone="bad">What there is to choose from could not be read: {problem}</Notice>
        <Filling offer={offer} args={args} fields={{ [choice.argument]: { type: "string" } }} />
      </>
    );
  }
  if (entries === undefined) return <p class="empty">Reading…</p>;
  if (entries.length === 0) return <p class="empty">There is nothing to choose from yet.</p>;
  return (
    <>
      {titleOf(choice.argument) !== offer.title && <h2>{titleOf(choice.argument)}</h2>}
      <ul class="choices">
        {entries.map((entry) => (
          <li key={String(entry.value)}>
            <a href={to(entry)} dir="auto">
              {entry.name}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The name of an argument as a person says it: `filter.board_id` is "Board". */
function titleOf(path: string): string {
  return label((path.split(".").at(-1) ?? path).replace(/_id$/, ""));
}

async function entriesOf(connection: Connection, choice: Choice, chosen: JsonObject): Promise<Entry[]> {
  const args = Object.fromEntries(choice.takes.flatMap((name) => (name in chosen ? [[name, chosen[name] ?? null] as const] : [])));
  const answer = await connection.call(choice.tool, args);
  if (answer.isError) throw new Refused(plainText(answer), 0);
  const drawn = draw(answer, { tool: choice.tool, args });
  if (drawn.view === undefined) return [];
  const { list } = await allPages(connection, drawn.view, data(answer) ?? null);
  return list.flatMap((row) => {
    if (!isObject(row)) return [];
    const value = row[choice.id];
    if (value === null || value === undefined) return [];
    return [{ value, name: (asText(row[choice.name]) ?? line(row[choice.name])) || String(value) }];
  });
}
