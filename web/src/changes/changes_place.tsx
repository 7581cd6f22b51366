//! The page of changes, wherever it is: what waits, what was done, which records are leased.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useLive } from "../parts/live.ts";
import { Notice } from "../parts/notice.tsx";
import { Text, Value } from "../parts/text.tsx";
import { asList, asObject, asText, type Json, type JsonObject } from "../json.ts";
import { Refused, sentence, SignInNeeded, type Connection } from "../protocol/connection.ts";
import { data, plainText } from "../protocol/tool_answer.ts";
import { shownToApprover, waiting } from "./approvals.ts";
import { readChange, readDetail, type Change, type Detail } from "./change.ts";
import { DoneList } from "./done_list.tsx";
import { WaitingList } from "./waiting_list.tsx";

const PAGE = 50;
const LEASES = "footbridge://leases";

interface ChangesPlaceProps {
  connection: Connection;
  /** The reader decides what waits: an approver in a browser. */
  decides: boolean;
  /** What a host brought already, before the page asks itself. */
  first?: readonly Change[];
  onSignedOut(): void;
}

interface Read {
  waiting: readonly Change[];
  done: readonly Change[];
  before: number | undefined;
  leases: readonly JsonObject[] | undefined;
}

export function ChangesPlace({ connection, decides, first, onSignedOut }: ChangesPlaceProps) {
  const [read, setRead] = useState<Read>();
  const [failure, setFailure] = useState<string>();
  const reading = useRef(false);
  const wanted = useRef(false);

  const page = async (args: JsonObject): Promise<{ changes: Change[]; before: number | undefined }> => {
    const answer = await connection.call("changes_list", { limit: PAGE, ...args });
    if (answer.isError) throw new Refused(plainText(answer), 0);
    const found = asObject(data(answer));
    const before = found["before"];
    return { changes: asList(found["items"]).flatMap(readChange), before: typeof before === "number" ? before : undefined };
  };
  const again = async () => {
    wanted.current = reading.current;
    if (reading.current) return;
    reading.current = true;
    try {
      const waits = decides ? waiting() : page({ state: "proposed" }).then((found) => found.changes);
      const [done, waitingNow, leases] = await Promise.all([page({}), waits, connection.read(LEASES).catch(() => undefined)]);
      const isDone = (change: Change) => change.state !== "proposed";
      setRead({ waiting: waitingNow, done: done.changes.filter(isDone), before: done.before, leases: readLeases(leases) });
      setFailure(undefined);
    } catch (error) {
      if (error instanceof SignInNeeded) onSignedOut();
      setFailure(sentence(error));
    }
    reading.current = false;
    if (wanted.current) void again();
  };
  useEffect(() => void again(), [connection, decides]);
  const listening = useLive(connection, decides, () => void again());
  const more = async () => {
    if (read?.before === undefined) return;
    try {
      const found = await page({ before: read.before });
      setRead({ ...read, done: [...read.done, ...found.changes.filter((change) => change.state !== "proposed")], before: found.before });
    } catch (error) {
      setFailure(sentence(error));
    }
  };
  const show = useCallback(
    async (id: number): Promise<Detail | undefined> => {
      if (decides) return shownToApprover(id);
      const answer = await connection.call("changes_show", { id });
      if (answer.isError) throw new Refused(plainText(answer), 0);
      return readDetail(data(answer) ?? null);
    },
    [connection, decides],
  );
  const shown = read ?? fromHost(first);
  return (
    <div class="view">
      {listening === "lost" && connection.where === "browser" && (
        <Notice tone="plain">The server does not answer; this is what was read last. It is tried again.</Notice>
      )}
      {failure !== undefined && (
        <Notice tone="bad">
          The changes could not be read: {failure}{" "}
          <button type="button" onClick={() => void again()}>
            Try again
          </button>
        </Notice>
      )}
      {shown === undefined ? (
        failure === undefined && <p class="empty">Reading…</p>
      ) : (
        <>
          <section aria-labelledby="waits">
            <header class="section-head">
              <h2 id="waits">Waiting for a person ({shown.waiting.length})</h2>
              <button type="button" onClick={() => void again()}>
                Refresh
              </button>
            </header>
            {!decides && shown.waiting.length > 0 && (
              <p class="hint">
                An approver decides, on this page in a browser, or the operator by <code>footbridge changes approve NUMBER</code>.
              </p>
            )}
            <WaitingList changes={shown.waiting} show={show} decides={decides} onDecided={() => void again()} onSignedOut={onSignedOut} />
          </section>
          <section aria-labelledby="done">
            <h2 id="done">What was done</h2>
            <DoneList
              changes={shown.done}
              connection={connection}
              canUndo
              show={show}
              onUndone={(text) => {
                connection.tellModel(text);
                void again();
              }}
            />
            {shown.before !== undefined && (
              <button type="button" onClick={() => void more()}>
                Older ones
              </button>
            )}
          </section>
          {shown.leases !== undefined && <Leases leases={shown.leases} />}
        </>
      )}
    </div>
  );
}

function fromHost(first: readonly Change[] | undefined): Read | undefined {
  if (first === undefined) return undefined;
  const waits = (change: Change) => change.state === "proposed";
  return { waiting: first.filter(waits), done: first.filter((change) => !waits(change)), before: undefined, leases: undefined };
}

function readLeases(told: Json | undefined): JsonObject[] | undefined {
  const leases = asObject(told)["leases"];
  return Array.isArray(leases) ? leases.map(asObject) : undefined;
}

function Leases({ leases }: { leases: readonly JsonObject[] }) {
  return (
    <section aria-labelledby="leases">
      <h2 id="leases">Leases</h2>
      {leases.length === 0 ? (
        <p class="empty">No record is leased.</p>
      ) : (
        <ul class="changes">
          {leases.map((lease, at) => {
            const record = asText(lease["record"]) ?? [lease["kind"], lease["id"]].join(":");
            const holder = asText(lease["holder"]) ?? asText(lease["name"]) ?? asText(lease["as"]);
            const until = asText(lease["until"]) ?? asText(lease["ends_at"]) ?? asText(lease["expires_at"]);
            return (
              <li key={at} class="change">
                <span>
                  <Text text={record} />
                  {holder !== undefined && (
                    <>
                      {" "}
                      by <Text text={holder} />
                    </>
                  )}
                  {until !== undefined && (
                    <>
                      {" "}
                      until <Value value={until} name="until" />
                    </>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
