//! The way to the program from a page that it serves itself: `POST mcp` beside the page, with the
//! cookie of the session, as any client of revision 2026-07-28.

import { withoutFences } from "../fence.ts";
import { asList, asObject, asText, parseJson, type Json, type JsonObject } from "../json.ts";
import {
  Refused,
  SignInNeeded,
  Unreachable,
  type Connection,
  type ListeningState,
  type ToolAnswer,
} from "./connection.ts";
import { readEvents } from "./event_stream.ts";
import { readAnswer } from "./tool_answer.ts";

export const REVISION = "2026-07-28";
export const PAGE_TYPE = "text/html;profile=mcp-app";
const AGAIN_FIRST_MS = 500;
const AGAIN_MOST_MS = 15_000;
const ANSWER_MS = 60_000;

export class BrowserConnection implements Connection {
  readonly where = "browser";
  readonly canCall = true;
  #last = 0;

  constructor(readonly clientName: string) {}

  async call(tool: string, args: JsonObject, meta: JsonObject = {}): Promise<ToolAnswer> {
    return readAnswer(await this.#ask("tools/call", { name: tool, arguments: args }, tool, meta));
  }

  async read(uri: string): Promise<Json | undefined> {
    const result = asObject(await this.#ask("resources/read", { uri }, uri));
    const text = asText(asObject(asList(result["contents"])[0])["text"]);
    const value = text === undefined ? undefined : parseJson(text);
    return value === undefined ? undefined : withoutFences(value);
  }

  listen(uri: string, onChange: () => void, onState: (state: ListeningState) => void): () => void {
    const ending = new AbortController();
    void this.#listenAgainAndAgain(uri, onChange, onState, ending.signal);
    return () => ending.abort();
  }

  tellModel(): void {}

  openLink(address: string): void {
    window.open(address, "_blank", "noopener,noreferrer");
  }

  async #listenAgainAndAgain(
    uri: string,
    onChange: () => void,
    onState: (state: ListeningState) => void,
    ending: AbortSignal,
  ): Promise<void> {
    let pause = AGAIN_FIRST_MS;
    let wasLost = false;
    while (!ending.aborted) {
      try {
        const params = { notifications: { resourceSubscriptions: [uri] } };
        const answer = await this.#post("subscriptions/listen", params, undefined, {}, ending);
        if (answer.body === null) throw new Unreachable("The stream has no body.");
        await readEvents(answer.body, (text) => {
          const message = asObject(parseJson(text));
          if (message["error"] !== undefined) throw new Unreachable("The program ended the stream.");
          pause = AGAIN_FIRST_MS;
          if (message["method"] === "notifications/subscriptions/acknowledged") {
            const { resourceSubscriptions } = asObject(asObject(message["params"])["notifications"]);
            onState(asList(resourceSubscriptions).includes(uri) ? "live" : "deaf");
          }
          if (wasLost) onChange(); // what happened while nothing was heard
          wasLost = false;
          if (message["method"] === "notifications/resources/updated") onChange();
        });
      } catch (error) {
        if (ending.aborted) return;
        if (error instanceof SignInNeeded || error instanceof Refused) {
          onState("lost");
          return;
        }
      }
      if (ending.aborted) return;
      wasLost = true;
      onState("lost");
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, AGAIN_MOST_MS);
    }
  }

  async #ask(method: string, params: JsonObject, name: string, meta: JsonObject = {}): Promise<Json> {
    const answer = await this.#post(method, params, name, meta, AbortSignal.timeout(ANSWER_MS));
    const message = await finalMessage(answer);
    const error = message["error"];
    if (error !== undefined) {
      const { code, message: why } = asObject(error);
      throw new Refused(asText(why) ?? "The program refused it without a reason.", Number(code ?? 0));
    }
    return message["result"] ?? null;
  }

  async #post(
    method: string,
    params: JsonObject,
    name: string | undefined,
    meta: JsonObject,
    signal: AbortSignal,
  ): Promise<Response> {
    this.#last += 1;
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": REVISION,
      "mcp-method": method,
    };
    if (name !== undefined) headers["mcp-name"] = headerText(name);
    const body = { jsonrpc: "2.0", id: this.#last, method, params: { ...params, _meta: { ...this.#meta(), ...meta } } };
    let answer: Response;
    try {
      answer = await fetch("mcp", { method: "POST", headers, body: JSON.stringify(body), signal, credentials: "same-origin" });
    } catch {
      throw new Unreachable("The server does not answer.");
    }
    if (answer.status === 401) throw new SignInNeeded("Sign in first.");
    if (answer.status >= 500) throw new Unreachable(`The server answered ${answer.status}.`);
    if (answer.status === 429) throw new Refused("Too many requests: wait a little.", 429);
    return answer;
  }

  #meta(): JsonObject {
    return {
      "io.modelcontextprotocol/protocolVersion": REVISION,
      "io.modelcontextprotocol/clientInfo": { name: this.clientName, title: "The page of Footbridge", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {
        extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [PAGE_TYPE] } },
      },
    };
  }
}

/** The message that ends an answer, of a body or of a stream. */
async function finalMessage(answer: Response): Promise<JsonObject> {
  try {
    if (answer.headers.get("content-type")?.startsWith("text/event-stream") && answer.body !== null) {
      let last: JsonObject = {};
      await readEvents(answer.body, (text) => {
        const message = asObject(parseJson(text));
        if ("result" in message || "error" in message) last = message;
      });
      if ("result" in last || "error" in last) return last;
      throw new Unreachable("The answer broke off.");
    }
    const text = await answer.text();
    const message = parseJson(text);
    if (message !== undefined && ("result" in asObject(message) || "error" in asObject(message))) return asObject(message);
    throw new Refused(readable(text) ?? `The server answered ${answer.status}.`, answer.status);
  } catch (error) {
    if (error instanceof Refused || error instanceof Unreachable) throw error;
    throw new Unreachable("The answer broke off.");
  }
}

function readable(text: string): string | undefined {
  const detail = asObject(parseJson(text))["detail"];
  return asText(detail) ?? (text !== "" && text.length < 500 && !text.startsWith("<") ? text : undefined);
}

/** A name as a header may carry it. */
function headerText(name: string): string {
  if (/^[\x21-\x7e]+$/.test(name) && !name.startsWith("=?")) return name;
  const bytes = new TextEncoder().encode(name);
  return `=?base64?${btoa(String.fromCharCode(...bytes))}?=`;
}
