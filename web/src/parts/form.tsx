//! A form made from the JSON schemas of a tool's arguments. It sends what was changed alone, and
//! keeps what was typed until it was taken.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { isCut } from "../fence.ts";
import { asObject, asText, type Json, type JsonObject } from "../json.ts";
import { label } from "../view/shown.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { fieldKind, fieldText, fieldValue, type FieldKind } from "./field_kind.ts";
import { Notice } from "./notice.tsx";

interface FormProps {
  /** Under what name the draft is kept. */
  name: string;
  fields: JsonObject;
  values: JsonObject;
  required?: string[];
  button: string;
  isSendingAll?: boolean;
  /** Sends; what it gives is why it was refused. */
  onSend(changed: JsonObject): Promise<string | undefined>;
  onCancel?: () => void;
}

export function Form({ name, fields, values, required = [], button, isSendingAll, onSend, onCancel }: FormProps) {
  const [draft, setDraft] = useState(() => draftOf(name));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);
  const base = useId();
  const form = useRef<HTMLFormElement>(null);
  const isThere = useRef(true);
  useEffect(() => () => void (isThere.current = false), []);

  const shown = Object.entries(fields).map(([field, schema]) => {
    const kind = fieldKind(schema);
    return { field, schema: asObject(schema), kind, before: fieldText(kind, values[field]), isLocked: isCut(values[field]) };
  });
  const type = (field: string, text: string, before: string) => {
    const { [field]: _, ...others } = draft;
    const next = text === before ? others : { ...draft, [field]: text };
    setDraft(next);
    keepDraft(name, next);
  };
  const send = async (event: Event) => {
    event.preventDefault();
    if (isSending) return;
    const changed: JsonObject = {};
    const wrong: Record<string, string> = {};
    for (const { field, kind, before, isLocked } of shown) {
      if (isLocked) continue;
      const text = draft[field] ?? before;
      if (required.includes(field) && text.trim() === "" && kind.is !== "yes" && (isSendingAll || before !== "" || field in draft)) wrong[field] = "This is needed.";
      else if (text !== before || (isSendingAll && text.trim() !== "")) {
        const read = fieldValue(kind, text);
        if ("problem" in read) wrong[field] = read.problem;
        else changed[field] = read.value;
      }
    }
    setProblems(wrong);
    const [first] = Object.keys(wrong);
    if (first !== undefined) {
      form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus();
      return;
    }
    setSending(true);
    const why = await onSend(changed);
    if (why === undefined) keepDraft(name, {});
    if (!isThere.current) return;
    setSending(false);
    setRefusal(why);
  };
  return (
    <form ref={form} class="form" onSubmit={send} noValidate>
      {refusal !== undefined && <Notice tone="bad">{refusal} What you typed is still here.</Notice>}
      {shown.map(({ field, schema, kind, before, isLocked }) => (
        <Field
          key={field}
          id={`${base}-${field}`}
          field={field}
          schema={schema}
          kind={kind}
          text={draft[field] ?? before}
          isRequired={required.includes(field)}
          isLocked={isLocked}
          problem={problems[field]}
          onType={(text) => type(field, text, before)}
        />
      ))}
      <div class="buttons">
        <button type="submit" class="main" disabled={isSending}>
          {isSending ? "Sending…" : button}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  id: string;
  field: string;
  schema: JsonObject;
  kind: FieldKind;
  text: string;
  isRequired: boolean;
  isLocked: boolean;
  problem: string | undefined;
  onType(text: string): void;
}

function Field({ id, field, schema, kind, text, isRequired, isLocked, problem, onType }: FieldProps) {
  const hint = asText(schema["description"]);
  const said = [hint === undefined ? "" : `${id}-hint`, problem === undefined && !isLocked ? "" : `${id}-problem`].filter((part) => part !== "");
  const common = {
    id,
    name: field,
    disabled: isLocked,
    "aria-required": isRequired,
    "aria-invalid": problem !== undefined,
    ...(said.length > 0 ? { "aria-describedby": said.join(" ") } : {}),
  };
  const most = schema["maxLength"];
  return (
    <div class={`field ${kind.is}`}>
      <label for={id}>
        {asText(schema["title"]) ?? label(field)}
        {isRequired && <span aria-hidden="true"> *</span>}
      </label>
      <Input kind={kind} common={common} text={text} most={typeof most === "number" ? most : undefined} onType={onType} />
      {hint !== undefined && (
        <small id={`${id}-hint`} dir="auto">
          {hint}
        </small>
      )}
      {problem !== undefined && (
        <small id={`${id}-problem`} class="problem">
          {problem}
        </small>
      )}
      {isLocked && (
        <small id={`${id}-problem`} class="problem">
          This text is too long to be edited here.
        </small>
      )}
    </div>
  );
}

interface InputProps {
  kind: FieldKind;
  common: { id: string; name: string; disabled: boolean };
  text: string;
  most: number | undefined;
  onType(text: string): void;
}

function Input({ kind, common, text, most, onType }: InputProps) {
  const typed = (event: Event) => onType((event.currentTarget as HTMLInputElement).value);
  const limit = most === undefined ? {} : { maxLength: most };
  switch (kind.is) {
    case "choice":
      return (
        <select {...common} value={text} onChange={typed}>
          <option value="">–</option>
          {text !== "" && !kind.values.some((value) => String(value) === text) && <option value={text}>{text}</option>}
          {kind.values.map((value: Json, at) => (
            <option key={String(value)} value={String(value)}>
              {String(kind.titles[at] ?? value)}
            </option>
          ))}
        </select>
      );
    case "yes":
      return (
        <input
          {...common}
          type="checkbox"
          checked={text === "true"}
          onChange={(event) => onType(event.currentTarget.checked ? "true" : "")}
        />
      );
    case "long":
      return <textarea {...common} {...limit} dir="auto" rows={6} value={text} onInput={typed} />;
    case "list":
      return <textarea {...common} dir="auto" rows={2} placeholder="One on each line" value={text} onInput={typed} />;
    case "json":
      return <textarea {...common} class="code" rows={4} spellcheck={false} value={text} onInput={typed} />;
    case "number":
    case "whole":
      return <input {...common} type="number" step="any" value={text} onInput={typed} />;
    case "date":
      return <input {...common} type="date" value={text} onInput={typed} />;
    case "text":
      return <input {...common} {...limit} type="text" dir="auto" value={text} onInput={typed} />;
  }
}
