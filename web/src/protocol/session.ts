//! Who the reader of a page in a browser is: `session` beside the page.

import { asList, asObject, asText, parseJson, type JsonObject } from "../json.ts";
import { Refused, Unreachable } from "./connection.ts";

export interface Session {
  isSignedIn: boolean;
  /** Whether nothing is seen without signing in. */
  needsSignIn: boolean;
  /** The ways of signing in here: `token`, `account`, `approver`, `code`. */
  takes: string[];
  isApprover: boolean;
  who: string | undefined;
}

export async function readSession(): Promise<Session> {
  const answer = await ask("GET");
  const members = asObject(parseJson(await answer.text()));
  const takes = asList(members["takes"]).flatMap((way) => asText(way) ?? []);
  return {
    isSignedIn: members["signed_in"] === true,
    needsSignIn: members["needs"] !== undefined && members["needs"] !== "none",
    takes: takes.length > 0 ? takes : ["token"],
    isApprover: members["is_approver"] === true,
    who: asText(members["who"]),
  };
}

/** Signs in with a token, a code, an approver's secret, or an account. */
export async function beginSession(shown: JsonObject): Promise<void> {
  await ask("POST", shown);
}

export async function endSession(): Promise<void> {
  await ask("DELETE");
}

async function ask(method: string, body?: JsonObject): Promise<Response> {
  let answer: Response;
  try {
    const init: RequestInit = { method, credentials: "same-origin", headers: { accept: "application/json" } };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { accept: "application/json", "content-type": "application/json" };
    }
    answer = await fetch("session", init);
  } catch {
    throw new Unreachable("The server does not answer.");
  }
  if (answer.ok) return answer;
  const text = await answer.text().catch(() => "");
  const detail = asText(asObject(parseJson(text))["detail"]);
  const pause = answer.headers.get("retry-after");
  if (answer.status === 429) {
    const when = pause === null ? "in a while" : `in ${pause} s`;
    throw new Refused(detail ?? `Too many tries: try again ${when}.`, 429);
  }
  throw new Refused(detail ?? (answer.status === 401 ? "That is not right." : `The server answered ${answer.status}.`), answer.status);
}
