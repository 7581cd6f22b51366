//! What waits for a person: each with its difference. An approver's session in a browser decides;
//! whoever has none reads where that is done.

import { useEffect, useState } from "preact/hooks";
import { announce } from "../parts/announcer.tsx";
import { Notice } from "../parts/notice.tsx";
import { date } from "../view/shown.ts";
import { sentence, SignInNeeded } from "../protocol/connection.ts";
import { approve, decline } from "./approvals.ts";
import type { Change, Detail } from "./change.ts";
import { ChangeHead, Difference } from "./change_parts.tsx";
import { useLinked } from "./linked.ts";

interface WaitingListProps {
  changes: readonly Change[];
  show(id: number): Promise<Detail | undefined>;
  /** The reader is an approver in a browser. */
  decides: boolean;
  onDecided(): void;
  onSignedOut(): void;
}

export function WaitingList({ changes, show, decides, onDecided, onSignedOut }: WaitingListProps) {
  if (changes.length === 0) return <p class="empty">Nothing waits.</p>;
  return (
    <ul class="changes">
      {changes.map((change) => (
        <Waiting key={change.id} change={change} show={show} decides={decides} onDecided={onDecided} onSignedOut={onSignedOut} />
      ))}
    </ul>
  );
}

interface WaitingProps extends Omit<WaitingListProps, "changes"> {
  change: Change;
}

function Waiting({ change, show, decides, onDecided, onSignedOut }: WaitingProps) {
  const { row } = useLinked(change.id);
  const [detail, setDetail] = useState<Detail>();
  const [problem, setProblem] = useState<string>();
  const [isDeclining, setDeclining] = useState(false);
  const [reason, setReason] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    show(change.id)
      .then(setDetail)
      .catch((error: unknown) => setProblem(`The difference could not be read: ${sentence(error)}`));
  }, [change.id]);
  const decide = async (said: string, act: () => Promise<void>) => {
    setBusy(true);
    try {
      await act();
      announce(`Change ${change.id} ${said}.`);
      onDecided();
    } catch (error) {
      if (error instanceof SignInNeeded) onSignedOut();
      setProblem(sentence(error));
      announce(sentence(error));
    }
    setBusy(false);
  };
  return (
    <li class="change waiting" ref={row}>
      <h3>
        <ChangeHead change={change} />
      </h3>
      {change.expiresAt !== undefined && <p class="hint">It waits until {date(change.expiresAt)}.</p>}
      {problem !== undefined && <Notice tone="bad">{problem}</Notice>}
      {detail !== undefined && <Difference detail={detail} />}
      {decides && (
        <div class="buttons">
          {isDeclining ? (
            <>
              <label class="reason">
                Reason <input type="text" dir="auto" value={reason} maxLength={1000} onInput={(event) => setReason(event.currentTarget.value)} />
              </label>
              <button type="button" class="main" disabled={isBusy} onClick={() => void decide("declined", () => decline(change.id, reason))}>
                Decline it
              </button>
              <button type="button" onClick={() => setDeclining(false)}>
                Cancel
              </button>
            </>
          ) : (
            <>
              <button type="button" class="main" disabled={isBusy || detail === undefined} aria-label={`Approve change ${change.id}`} onClick={() => void decide("approved", () => approve(change.id))}>
                Approve
              </button>
              <button type="button" disabled={isBusy} aria-label={`Decline change ${change.id}`} onClick={() => setDeclining(true)}>
                Decline
              </button>
            </>
          )}
        </div>
      )}
    </li>
  );
}
