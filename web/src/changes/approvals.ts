//! What an approver does in a browser: the routes beside the page. No tool approves.

import { asList, asObject, asText, parseJson, type Json } from "../json.ts";
import { Refused, SignInNeeded, Unreachable } from "../protocol/connection.ts";
import { readChange, readDetail, type Change, type Detail } from "./change.ts";

const MOST = 200;

export async function waiting(): Promise<Change[]> {
  const answer = asObject(await ask("GET", `approvals?limit=${MOST}`));
  return asList(answer["approvals"]).flatMap(readChange);
}

export async function shownToApprover(id: number): Promise<Detail | undefined> {
  return readDetail(await ask("GET", `approvals/${id}`));
}

export async function approve(id: number): Promise<void> {
  await ask("POST", `approvals/${id}/approve`);
}

export async function decline(id: number, reason: string): Promise<void> {
  await ask("POST", `approvals/${id}/decline`, reason.trim() === "" ? {} : { reason: reason.trim() });
}

async function ask(method: string, address: string, body?: Json): Promise<Json> {
  const init: RequestInit = { method, credentials: "same-origin", headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { accept: "application/json", "content-type": "application/json" };
  }
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(address, init);
    text = await answer.text();
  } catch {
    throw new Unreachable("The server does not answer; look at the change again.");
  }
  if (answer.ok) return parseJson(text) ?? null;
  const why = asText(asObject(parseJson(text))["detail"]) ?? `The server answered ${answer.status}.`;
  if (answer.status === 401 || answer.status === 403) throw new SignInNeeded(why);
  throw new Refused(why, answer.status);
}
