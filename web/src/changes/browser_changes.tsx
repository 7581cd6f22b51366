//! The page of changes in a browser: who is signed in as approver decides what waits.

import { useMemo, useState } from "preact/hooks";
import { Notice } from "../parts/notice.tsx";
import { SignIn } from "../parts/sign_in.tsx";
import { useSession } from "../parts/use_session.ts";
import { BrowserConnection } from "../protocol/browser.ts";
import { endSession } from "../protocol/session.ts";
import { ChangesPlace } from "./changes_place.tsx";

export function BrowserChanges() {
  const connection = useMemo(() => new BrowserConnection("footbridge-page"), []);
  const { session, failure, isNeeded, again, need } = useSession();
  const [wantsToDecide, setWantsToDecide] = useState(false);
  if (failure !== undefined) {
    return (
      <main>
        <Notice tone="bad">
          {failure}{" "}
          <button type="button" onClick={again}>
            Try again
          </button>
        </Notice>
      </main>
    );
  }
  if (session === undefined) return <p class="empty">Reading…</p>;
  if (isNeeded) return <SignIn session={session} ways={["token", "account", "approver"]} heading="Sign in to Footbridge" onDone={again} />;
  const leave = async () => {
    await endSession().catch(() => {});
    again();
  };
  const mayAsk = !session.isApprover && session.takes.includes("approver");
  return (
    <main class="changes-page">
      <header class="page-head">
        <h1>Changes</h1>
        <nav aria-label="Pages">
          <a href="./">Work</a>
          {mayAsk && (
            <button type="button" onClick={() => setWantsToDecide(!wantsToDecide)} aria-expanded={wantsToDecide}>
              Approve…
            </button>
          )}
          {session.isSignedIn && (
            <button type="button" onClick={() => void leave()}>
              Sign out
            </button>
          )}
        </nav>
      </header>
      {wantsToDecide && mayAsk && (
        <SignIn
          session={session}
          ways={["approver"]}
          heading="Sign in as approver"
          onDone={() => {
            setWantsToDecide(false);
            again();
          }}
        />
      )}
      <ChangesPlace connection={connection} decides={session.isApprover} onSignedOut={need} />
    </main>
  );
}
