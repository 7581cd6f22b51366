//! What was done, newest first: by whom, through which client, and undone from here.

import { useEffect, useState } from "preact/hooks";
import { Notice } from "../parts/notice.tsx";
import { sentence, type Connection } from "../protocol/connection.ts";
import type { Change, Detail } from "./change.ts";
import { ChangeHead, Difference } from "./change_parts.tsx";
import { useLinked } from "./linked.ts";
import { UndoWindow } from "./undo_window.tsx";

interface DoneListProps {
  changes: readonly Change[];
  connection: Connection;
  canUndo: boolean;
  show(id: number): Promise<Detail | undefined>;
  onUndone(text: string): void;
}

export function DoneList({ changes, connection, canUndo, show, onUndone }: DoneListProps) {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [undoing, setUndoing] = useState<readonly number[]>();
  const choose = (id: number, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  if (changes.length === 0) return <p class="empty">Nothing was changed yet.</p>;
  return (
    <>
      {canUndo && chosen.size > 0 && (
        <div class="buttons">
          <button type="button" class="main" onClick={() => setUndoing([...chosen])}>
            Undo the {chosen.size} chosen
          </button>
        </div>
      )}
      <ul class="changes">
        {changes.map((change) => (
          <Done key={change.id} change={change} canUndo={canUndo} isChosen={chosen.has(change.id)} show={show} onChoose={(is) => choose(change.id, is)} onUndo={() => setUndoing([change.id])} />
        ))}
      </ul>
      {undoing !== undefined && (
        <UndoWindow
          ids={undoing}
          connection={connection}
          onClose={() => setUndoing(undefined)}
          onDone={(text) => {
            setChosen(new Set());
            onUndone(text);
          }}
        />
      )}
    </>
  );
}

/** States that leave something to undo. */
const UNDOABLE = new Set(["done", "unknown"]);

interface DoneProps {
  change: Change;
  canUndo: boolean;
  isChosen: boolean;
  show(id: number): Promise<Detail | undefined>;
  onChoose(isChosen: boolean): void;
  onUndo(): void;
}

function Done({ change, canUndo, isChosen, show, onChoose, onUndo }: DoneProps) {
  const { isLinked, row } = useLinked(change.id);
  const [isOpen, setOpen] = useState(isLinked);
  const [detail, setDetail] = useState<Detail>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (!isOpen || detail !== undefined) return;
    show(change.id)
      .then(setDetail)
      .catch((error: unknown) => setProblem(sentence(error)));
  }, [isOpen]);
  const isUndoable = canUndo && UNDOABLE.has(change.state);
  return (
    <li class="change" ref={row}>
      {isUndoable && <input type="checkbox" aria-label={`Choose change ${change.id}`} checked={isChosen} onChange={(event) => onChoose(event.currentTarget.checked)} />}
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <ChangeHead change={change} />
        </summary>
        {problem !== undefined && <Notice tone="bad">{problem}</Notice>}
        {detail !== undefined && <Difference detail={detail} />}
      </details>
      {isUndoable && (
        <button type="button" aria-label={`Undo change ${change.id}`} onClick={onUndo}>
          Undo
        </button>
      )}
    </li>
  );
}
