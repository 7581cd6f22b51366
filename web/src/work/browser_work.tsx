//! The page of work in a browser: sign-in, what may be opened, and the view that is open.

import { useEffect, useMemo, useState } from "preact/hooks";
import { forgetDrafts } from "../parts/drafts.ts";
import { Notice } from "../parts/notice.tsx";
import { Text } from "../parts/text.tsx";
import { SignIn } from "../parts/sign_in.tsx";
import { useSession } from "../parts/use_session.ts";
import { Refused, sentence, SignInNeeded } from "../protocol/connection.ts";
import { BrowserConnection } from "../protocol/browser.ts";
import { endSession } from "../protocol/session.ts";
import type { JsonObject } from "../json.ts";
import { missing, readOffers, wholeArguments, type Offer, type Offers } from "../view/view.ts";
import { addressOf, openedBy } from "./address.ts";
import { Choosing } from "./choosing.tsx";
import { ViewPlace } from "./view_place.tsx";
import { useViewState } from "./use_view_state.ts";
import { ViewState } from "./view_state.ts";

const VIEWS = "footbridge://views";

export function BrowserWork() {
  const connection = useMemo(() => new BrowserConnection("footbridge-page"), []);
  const { session, failure, again, isNeeded, need } = useSession();
  const [offers, setOffers] = useState<Offers>();
  const [problem, setProblem] = useState<string>();
  const [address, setAddress] = useState(location.hash);
  useEffect(() => {
    const moved = () => setAddress(location.hash);
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    if (session === undefined || isNeeded) return;
    connection
      .read(VIEWS)
      .then((told) => {
        setOffers(readOffers(told));
        setProblem(undefined);
      })
      .catch((error: unknown) => {
        if (error instanceof SignInNeeded) need();
        else setProblem(error instanceof Refused ? `What can be opened here is not told: ${sentence(error)}` : sentence(error));
      });
  }, [session, isNeeded]);

  const leave = async () => {
    forgetDrafts();
    await endSession().catch(() => {});
    location.hash = "";
    setOffers(undefined);
    again();
  };
  if (failure !== undefined) return <Waiting text={failure} onAgain={again} />;
  if (session === undefined) return <p class="empty">Reading…</p>;
  if (isNeeded) return <SignIn session={session} ways={["token", "account"]} heading="Sign in to Footbridge" onDone={again} />;
  if (problem !== undefined) return <Waiting text={problem} onAgain={again} />;
  if (offers === undefined) return <p class="empty">Reading…</p>;
  const found = openedBy(address, offers);
  return (
    <div class="with-sidebar">
      <Sidebar offers={offers} open={found?.offer} canLeave={session.isSignedIn} onLeave={leave} />
      <main>
        {found === undefined ? (
          <p class="empty">{offers.views.length + offers.tools.length === 0 ? "Nothing can be opened here." : "Open something from the list."}</p>
        ) : (
          <Opened key={`${found.offer.key} ${JSON.stringify(found.args)}`} connection={connection} offer={found.offer} args={found.args} named={found.named} onSignedOut={need} />
        )}
      </main>
    </div>
  );
}

function Waiting({ text, onAgain }: { text: string; onAgain(): void }) {
  useEffect(() => {
    const timer = setTimeout(onAgain, 5_000);
    return () => clearTimeout(timer);
  });
  return (
    <Notice tone="bad">
      {text}{" "}
      <button type="button" onClick={onAgain}>
        Try again
      </button>
    </Notice>
  );
}

interface SidebarProps {
  offers: Offers;
  open: Offer | undefined;
  canLeave: boolean;
  onLeave(): void;
}

function Sidebar({ offers, open, canLeave, onLeave }: SidebarProps) {
  const places = [...new Set([...offers.views, ...offers.tools].map((offer) => offer.connector))];
  return (
    <nav class="sidebar" aria-label="What can be opened">
      {places.map((place) => {
        const views = offers.views.filter((offer) => offer.connector === place);
        const tools = offers.tools.filter((offer) => offer.connector === place);
        return (
          <section key={place}>
            <h2>
              <bdi>{place}</bdi>
            </h2>
            <OfferList offers={views} open={open} />
            {tools.length > 0 && (
              <details open={views.length === 0 || tools.some((tool) => tool.key === open?.key)}>
                <summary>Lists and records</summary>
                <OfferList offers={tools} open={open} />
              </details>
            )}
          </section>
        );
      })}
      <section class="sidebar-end">
        {offers.hasChanges && <a href="changes">Changes</a>}
        {canLeave && (
          <button type="button" onClick={onLeave}>
            Sign out
          </button>
        )}
      </section>
    </nav>
  );
}

function OfferList({ offers, open }: { offers: readonly Offer[]; open: Offer | undefined }) {
  return (
    <ul>
      {offers.map((offer) => (
        <li key={offer.key}>
          <a href={addressOf(offer, {})} aria-current={offer.key === open?.key ? "page" : undefined} dir="auto">
            {offer.title}
          </a>
        </li>
      ))}
    </ul>
  );
}

interface OpenedProps {
  connection: BrowserConnection;
  offer: Offer;
  args: JsonObject;
  named: string | undefined;
  onSignedOut(): void;
}

function Opened({ connection, offer, args, named, onSignedOut }: OpenedProps) {
  const { choice, fields } = missing(offer, args);
  const isWhole = choice === undefined && Object.keys(fields).length === 0;
  const state = useMemo(() => new ViewState(connection), [connection]);
  const shown = useViewState(state);
  useEffect(() => {
    if (isWhole) state.begin({ tool: offer.tool, args: wholeArguments(offer, args) });
  }, [state]);
  useEffect(() => {
    document.title = `${offer.title} – Footbridge`;
  }, [offer.title]);
  return (
    <>
      <h1 dir="auto">
        {shown.drawn?.view?.title || offer.title}
        {named !== undefined && (
          <>
            : <Text text={named} />
          </>
        )}
        {isWhole && offer.choices.length > 0 && (
          <a class="other" href={addressOf(offer, {})}>
            Another…
          </a>
        )}
      </h1>
      {!isWhole ? (
        <Choosing connection={connection} offer={offer} args={args} choice={choice} fields={fields} onSignedOut={onSignedOut} />
      ) : (
        <ViewPlace state={state} onSignedOut={onSignedOut} />
      )}
    </>
  );
}
