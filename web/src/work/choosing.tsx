//! What a person says before a view can be drawn: which board, which project.

import { useEffect, useState } from "preact/hooks";
import { asText, isObject, type Json, type JsonObject } from "../json.ts";
import { Form } from "../parts/form.tsx";
import { Notice } from "../parts/notice.tsx";
import { sentence, SignInNeeded, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { allPages } from "../view/rows.ts";
import { label, line } from "../view/shown.ts";
import { draw, type Choice, type Offer } from "../view/view.ts";
import { addressOf } from "./address.ts";

interface Chosen {
  value: Json;
  name: string;
}

interface ChoosingProps {
  connection: Connection;
  offer: Offer;
  args: JsonObject;
  onSignedOut(): void;
}

export function Choosing({ connection, offer, args, onSignedOut }: ChoosingProps) {
  const [choices, setChoices] = useState<Map<string, Chosen[]>>();
  const [problem, setProblem] = useState<string>();
  const paths = Object.keys(offer.required);
  useEffect(() => {
    const read = async () => {
      const found = new Map<string, Chosen[]>();
      for (const [path, choice] of offer.choices) if (paths.includes(path)) found.set(path, await choosable(connection, choice));
      setChoices(found);
    };
    read().catch((error: unknown) => {
      if (error instanceof SignInNeeded) onSignedOut();
      setProblem(sentence(error));
      setChoices(new Map());
    });
  }, [offer.key]);
  const [first] = paths;
  const single = paths.length === 1 && first !== undefined ? choices?.get(first) : undefined;
  const [only] = single ?? [];
  useEffect(() => {
    if (single?.length === 1 && only !== undefined && first !== undefined) location.replace(addressOf(offer, { [first]: only.value }));
  }, [single]);
  if (choices === undefined) return <p class="empty">Reading…</p>;
  if (single !== undefined && first !== undefined && problem === undefined) {
    if (single.length === 0) return <p class="empty">There is nothing to choose from yet.</p>;
    return (
      <ul class="choices">
        {single.map((one) => (
          <li key={String(one.value)}>
            <a href={addressOf(offer, { [first]: one.value })} dir="auto">
              {one.name}
            </a>
          </li>
        ))}
      </ul>
    );
  }
  const fields = Object.fromEntries(
    Object.entries(offer.required).map(([path, schema]) => {
      const found = choices.get(path);
      const told = { title: label(path.split(".").at(-1) ?? path), ...(isObject(schema) ? schema : {}) };
      return [path, found === undefined ? told : { ...told, enum: found.map((one) => one.value), titles: found.map((one) => one.name) }];
    }),
  );
  return (
    <>
      {problem !== undefined && <Notice tone="bad">What there is to choose from could not be read: {problem}</Notice>}
      <Form
        name={`open ${offer.key}`}
        fields={fields}
        values={args}
        required={paths}
        isSendingAll
        button="Open"
        onSend={async (filled) => {
          location.hash = addressOf(offer, filled);
          return undefined;
        }}
      />
    </>
  );
}

async function choosable(connection: Connection, choice: Choice): Promise<Chosen[]> {
  const answer = await connection.call(choice.tool, {});
  if (answer.isError) throw new Error(plainText(answer));
  const drawn = draw(answer, { tool: choice.tool, args: {} });
  if (drawn.view === undefined) return [];
  const { list } = await allPages(connection, drawn.view, data(answer) ?? null);
  return list.flatMap((row) => {
    if (!isObject(row)) return [];
    const value = row[choice.id];
    if (value === null || value === undefined) return [];
    return [{ value, name: (asText(row[choice.name]) ?? line(row[choice.name])) || String(value) }];
  });
}
