//! The window over the page that shows one record, and lets it be changed or made.

import { useEffect, useState } from "preact/hooks";
import { write, type Ended } from "../board/moves.ts";
import { titleOf } from "../board/card.tsx";
import { asObject, isObject, type JsonObject } from "../json.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Form } from "../parts/form.tsx";
import { Notice } from "../parts/notice.tsx";
import { Record } from "../parts/record.tsx";
import { sentence, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import type { Row } from "../view/rows.ts";
import type { View } from "../view/view.ts";

interface RecordWindowProps {
  view: View;
  row: Row;
  connection: Connection;
  onClose(): void;
  onWritten(text: string): void;
  onSignedOut(): void;
}

export function RecordWindow({ view, row, connection, onClose, onWritten, onSignedOut }: RecordWindowProps) {
  const [whole, setWhole] = useState<JsonObject>();
  const [problem, setProblem] = useState<string>();
  const [isEditing, setEditing] = useState(false);
  const [said, setSaid] = useState<string>();
  const { read, edit } = view;
  const title = titleOf(view.card, row);
  useEffect(() => {
    if (read === undefined || row.id === undefined) return;
    let isWanted = true;
    const ask = async (args: JsonObject) => {
      const answer = await connection.call(read.tool, { ...read.args, ...args, [read.id]: row.id ?? null });
      if (!isWanted) return;
      const found = data(answer);
      if (answer.isError || !isObject(found)) setProblem(plainText(answer));
      else setWhole(found);
    };
    ask({}).catch((error: unknown) => isWanted && setProblem(sentence(error)));
    return () => void (isWanted = false);
  }, [row, read?.tool, connection]);

  const members = whole ?? row.members;
  const canEdit = edit?.id !== undefined && row.id !== undefined && Object.keys(edit.fields).length > 0;
  const send = async (changed: JsonObject): Promise<string | undefined> => {
    if (edit?.id === undefined || row.id === undefined) return "It cannot be changed here.";
    if (Object.keys(changed).length === 0) {
      setEditing(false);
      return undefined;
    }
    const ended = await write(connection, edit.tool, { ...edit.args, ...changed, [edit.id]: row.id });
    if (ended.is === "done") {
      setEditing(false);
      setWhole({ ...members, ...changed });
      onWritten(`The user changed “${title}” on the page: ${Object.keys(changed).join(", ")}.`);
      return undefined;
    }
    if (ended.is === "waits") {
      setEditing(false);
      setSaid(`Nothing was changed yet: the change waits for a person, as change ${ended.change}.`);
      return undefined;
    }
    if (ended.is === "signed out") onSignedOut();
    return refusal(ended);
  };
  return (
    <Dialog title={title} onClose={onClose} isWide>
      {problem !== undefined && <Notice tone="bad">The record could not be read: {problem}</Notice>}
      {said !== undefined && <Notice tone="plain">{said}</Notice>}
      {isEditing && edit !== undefined ? (
        <Form
          name={`edit ${view.connector} ${edit.tool} ${row.key}`}
          fields={withColumns(view, edit.fields, view.move?.column ?? view.group)}
          values={members}
          required={edit.required}
          button="Save"
          onSend={send}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <>
          <Record members={asObject(members)} connection={connection} />
          {canEdit && (
            <div class="buttons">
              <button type="button" class="main" onClick={() => setEditing(true)} disabled={read !== undefined && whole === undefined && problem === undefined}>
                Edit
              </button>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}

export function refusal(ended: Ended): string {
  switch (ended.is) {
    case "refused":
      return ended.why;
    case "unknown":
      return `${ended.why} Whether it was done is not known.`;
    case "signed out":
      return "You are signed out.";
    default:
      return "";
  }
}

interface CreateWindowProps {
  view: View;
  connection: Connection;
  onClose(): void;
  onWritten(text: string): void;
  onSignedOut(): void;
}

export function CreateWindow({ view, connection, onClose, onWritten, onSignedOut }: CreateWindowProps) {
  const [said, setSaid] = useState<string>();
  // the same key for every try of one draft: what went through without an answer is not made twice
  const [key] = useState(() => `page-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`);
  const { create } = view;
  if (create === undefined) return null;
  const [first] = view.columns ?? [];
  const column = create.column ?? view.move?.column ?? view.group;
  const values: JsonObject = first !== undefined && column in create.fields ? { [column]: first.value } : {};
  const fields = Object.fromEntries(Object.entries(withColumns(view, create.fields, column)).filter(([name]) => !(name in create.args)));
  const send = async (changed: JsonObject): Promise<string | undefined> => {
    const ended = await write(connection, create.tool, { ...changed, ...create.args }, { key });
    if (ended.is === "done") {
      onWritten(`The user made something new on the page: ${Object.values(changed)[0] ?? ""}.`);
      onClose();
      return undefined;
    }
    if (ended.is === "waits") {
      setSaid(`Nothing was made yet: it waits for a person, as change ${ended.change}.`);
      return undefined;
    }
    if (ended.is === "signed out") onSignedOut();
    return refusal(ended);
  };
  return (
    <Dialog title="New" onClose={onClose} isWide>
      {said !== undefined ? (
        <Notice tone="plain">{said}</Notice>
      ) : (
        <Form
          name={`create ${view.connector} ${create.tool}`}
          fields={fields}
          values={values}
          required={create.required}
          isSendingAll
          button="Create"
          onSend={send}
          onCancel={onClose}
        />
      )}
    </Dialog>
  );
}

/** The field that holds the column is chosen among the columns. */
function withColumns(view: View, fields: JsonObject, column: string): JsonObject {
  const schema = fields[column];
  if (!isObject(schema) || view.columns === undefined || view.columns.length === 0) return fields;
  const { columns } = view;
  return { ...fields, [column]: { ...schema, enum: columns.map((one) => one.value), titles: columns.map((one) => one.name) } };
}
