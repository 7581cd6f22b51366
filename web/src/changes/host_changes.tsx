//! The page of changes inside a conversation: it shows what waits and where that is decided, and
//! decides nothing.

import { useEffect, useMemo, useState } from "preact/hooks";
import { asList, asObject, type Json, type JsonObject } from "../json.ts";
import { takeLook, watchSize } from "../parts/look.ts";
import { Notice } from "../parts/notice.tsx";
import type { ToolAnswer } from "../protocol/connection.ts";
import { HostConnection } from "../protocol/host.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { readChange, readDetail } from "./change.ts";
import { ChangeHead, Difference, Plan, Sentences } from "./change_parts.tsx";
import { ChangesPlace } from "./changes_place.tsx";
import { readPlan, readUndone } from "./undo_plan.ts";
import { UndoWindow } from "./undo_window.tsx";

interface Told {
  input: JsonObject;
  answer: ToolAnswer | undefined;
  cancelled: string | undefined;
  isReady: boolean;
}

export function HostChanges({ page }: { page: HTMLElement }) {
  const [told, setTold] = useState<Told>({ input: {}, answer: undefined, cancelled: undefined, isReady: false });
  const connection = useMemo(() => {
    const change = (changed: Partial<Told>) => setTold((now) => ({ ...now, ...changed }));
    return new HostConnection("footbridge-changes", {
      context(context) {
        takeLook(context);
        change({ isReady: true });
      },
      input: (input) => change({ input }),
      result: (answer) => change({ answer, cancelled: undefined }),
      cancelled: (reason) => change({ cancelled: reason ?? "The call was cancelled." }),
      ending() {},
    });
  }, []);
  useEffect(() => {
    void connection.begin();
    watchSize(page, (width, height) => connection.tellSize(width, height));
  }, []);
  return (
    <main class="changes-page inline">
      <h1>Changes</h1>
      {told.cancelled !== undefined && <Notice tone="plain">{told.cancelled}</Notice>}
      {told.answer === undefined ? (
        told.cancelled === undefined && (
          <p class="empty" role="status">
            The result has not come yet.
          </p>
        )
      ) : (
        <Answer answer={told.answer} input={told.input} connection={connection} />
      )}
    </main>
  );
}

function Answer({ answer, input, connection }: { answer: ToolAnswer; input: JsonObject; connection: HostConnection }) {
  const found: Json = data(answer) ?? null;
  const [undoing, setUndoing] = useState(false);
  const [isUndone, setUndone] = useState(false);
  const ids = asList(input["ids"]).flatMap((id) => (typeof id === "number" ? [id] : []));
  const plan = readPlan(found);
  const undone = readUndone(found);
  const detail = Array.isArray(asObject(found)["items"]) ? undefined : readDetail(found);
  if (undone !== undefined) {
    return (
      <>
        <Sentences title="Undone" texts={undone.done} />
        {undone.failed !== undefined && <Notice tone="bad">It ended here: {undone.failed}</Notice>}
        <Sentences title="Not tried" texts={undone.notTried} />
      </>
    );
  }
  const toUndo = plan !== undefined ? ids : detail !== undefined && detail.change.state === "done" ? [detail.change.id] : [];
  const undo = toUndo.length > 0 && connection.canCall && !isUndone && (
    <div class="buttons">
      <button type="button" onClick={() => setUndoing(true)}>
        Undo…
      </button>
    </div>
  );
  const window = undoing && (
    <UndoWindow
      ids={toUndo}
      connection={connection}
      onClose={() => setUndoing(false)}
      onDone={(text) => {
        setUndone(true);
        connection.tellModel(text);
      }}
    />
  );
  if (plan !== undefined) {
    return (
      <>
        <Plan plan={plan} />
        {undo}
        {window}
      </>
    );
  }
  if (detail !== undefined) {
    return (
      <>
        <h2>
          <ChangeHead change={detail.change} />
        </h2>
        {detail.change.state === "proposed" && (
          <p class="hint">
            It waits for a person: an approver decides in a browser, or the operator by <code>footbridge changes approve {detail.change.id}</code>.
          </p>
        )}
        <Difference detail={detail} />
        {undo}
        {window}
      </>
    );
  }
  const items = asObject(found)["items"];
  if (!Array.isArray(items)) {
    return (
      <pre class="plain" dir="auto">
        {plainText(answer)}
      </pre>
    );
  }
  const first = items.flatMap(readChange);
  if (!connection.canCall) return <ReadOnly first={first} />;
  return <ChangesPlace connection={connection} decides={false} first={first} onSignedOut={() => {}} />;
}

/** Where the host lets the page ask nothing: what it brought. */
function ReadOnly({ first }: { first: ReturnType<typeof readChange> }) {
  return (
    <ul class="changes">
      {first.map((change) => (
        <li key={change.id} class="change">
          <ChangeHead change={change} />
        </li>
      ))}
    </ul>
  );
}
