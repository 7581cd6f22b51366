//! The window that shows what an undo would do, and does just that: it is bound to the plan by its
//! digest.

import { useEffect, useState } from "preact/hooks";
import { write } from "../board/moves.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Notice } from "../parts/notice.tsx";
import { parseJson } from "../json.ts";
import { withoutFences } from "../fence.ts";
import { sentence, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { Plan, Sentences } from "./change_parts.tsx";
import { readPlan, readUndone, type UndoPlan } from "./undo_plan.ts";

interface UndoWindowProps {
  ids: readonly number[];
  connection: Connection;
  onClose(): void;
  onDone(text: string): void;
}

type Undone = NonNullable<ReturnType<typeof readUndone>>;

export function UndoWindow({ ids, connection, onClose, onDone }: UndoWindowProps) {
  const [plan, setPlan] = useState<UndoPlan>();
  const [problem, setProblem] = useState<string>();
  const [undone, setUndone] = useState<Undone>();
  const [isBusy, setBusy] = useState(false);
  const look = async () => {
    setBusy(true);
    try {
      const answer = await connection.call("changes_undo", { ids: [...ids], dry_run: true });
      const found = readPlan(data(answer) ?? null);
      if (answer.isError || found === undefined) setProblem(plainText(answer));
      else {
        setPlan(found);
        setProblem(undefined);
      }
    } catch (error) {
      setProblem(sentence(error));
    }
    setBusy(false);
  };
  useEffect(() => void look(), []);
  const undo = async () => {
    if (plan?.digest === undefined) return;
    setBusy(true);
    const ended = await write(connection, "changes_undo", { ids: [...ids], digest: plan.digest });
    setBusy(false);
    const text = ended.is === "done" ? ended.text : ended.is === "refused" ? ended.why : "";
    const told = withoutFences(parseJson(text.split("\n")[0] ?? "") ?? parseJson(text) ?? null);
    const far = readUndone(told);
    const other = readPlan(told);
    if (far !== undefined) {
      setUndone(far);
      onDone(`The user undid the changes ${ids.join(", ")} on the page: ${far.done.join("; ") || "nothing was left to do"}.`);
    } else if (other !== undefined) {
      setPlan(other); // it would be another one by now: nothing was sent
      setProblem("Things changed since. This is the plan now; nothing was undone yet.");
    } else if (ended.is === "waits") setProblem(`The undo waits for a person, as change ${ended.change}.`);
    else if (ended.is === "unknown") setProblem(`${ended.why} Whether it was undone is not known: look at the changes again.`);
    else setProblem(text || "It was refused.");
  };
  return (
    <Dialog title={ids.length === 1 ? `Undo change ${ids[0]}` : `Undo ${ids.length} changes`} onClose={onClose} isWide>
      {problem !== undefined && <Notice tone="bad">{problem}</Notice>}
      {undone !== undefined ? (
        <>
          <Sentences title="Done" texts={undone.done} />
          {undone.failed !== undefined && <Notice tone="bad">It ended here: {undone.failed}</Notice>}
          <Sentences title="Not tried" texts={undone.notTried} />
          <div class="buttons">
            <button type="button" class="main" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      ) : (
        <>
          {plan === undefined ? problem === undefined && <p role="status">Looking at what it would do…</p> : <Plan plan={plan} />}
          <div class="buttons">
            {plan !== undefined && plan.steps.length > 0 && plan.digest !== undefined && (
              <button type="button" class="main" disabled={isBusy} onClick={() => void undo()}>
                Undo it
              </button>
            )}
            <button type="button" onClick={onClose}>
              Cancel
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
