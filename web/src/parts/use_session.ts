//! The session of a page in a browser: read at its beginning, begun by a code where the address
//! brings one, and asked for again when the program says so.

import { useEffect, useState } from "preact/hooks";
import { Refused, sentence } from "../protocol/connection.ts";
import { beginSession, readSession, type Session } from "../protocol/session.ts";

/** Where the program has no sessions, nothing is needed. */
const NONE: Session = { isSignedIn: false, needsSignIn: false, takes: [], isApprover: false, who: undefined };
const NOT_FOUND = 404;

export interface SessionState {
  session: Session | undefined;
  failure: string | undefined;
  isNeeded: boolean;
  again(): void;
  /** The program said that nobody is signed in. */
  need(): void;
}

export function useSession(): SessionState {
  const [session, setSession] = useState<Session>();
  const [failure, setFailure] = useState<string>();
  const [isAsked, setAsked] = useState(false);
  const again = async () => {
    try {
      await useCode();
      setSession(await readSession());
      setFailure(undefined);
    } catch (error) {
      if (error instanceof Refused && error.code === NOT_FOUND) setSession(NONE);
      else setFailure(sentence(error));
    }
    setAsked(false);
  };
  useEffect(() => void again(), []);
  const isNeeded = session !== undefined && ((session.needsSignIn && !session.isSignedIn) || isAsked);
  return { session, failure, isNeeded, again: () => void again(), need: () => setAsked(true) };
}

/** The code of `footbridge open` counts once, and does not stay in the address. */
async function useCode(): Promise<void> {
  const code = new URLSearchParams(location.hash.replace(/^#/, "")).get("code");
  if (code === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  await beginSession({ code }).catch(() => {}); // the form asks, where it did not count
}
