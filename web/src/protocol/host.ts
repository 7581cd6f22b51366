//! The way to the tools through the host of a conversation: JSON-RPC by `postMessage`, as the
//! extension `io.modelcontextprotocol/ui` of revision 2026-01-26 has it. The host may refuse any of
//! it, say it twice, in another order, or never.

import { withoutFences } from "../fence.ts";
import { asList, asObject, asText, isObject, parseJson, type Json, type JsonObject } from "../json.ts";
import { Refused, Unreachable, type Connection, type ListeningState, type ToolAnswer } from "./connection.ts";
import { readAnswer } from "./tool_answer.ts";

const UI_REVISION = "2026-01-26";
const ANSWER_MS = 60_000;
const INITIALIZE_AGAIN_MS = 1_500;
const INITIALIZE_TRIES = 20;
const LOOK_AGAIN_MS = 20_000;
const METHOD_NOT_FOUND = -32601;

/** What a page wants to hear of its host. */
export interface HostEvents {
  context(context: JsonObject): void;
  input(args: JsonObject): void;
  result(answer: ToolAnswer): void;
  cancelled(reason: string | undefined): void;
  ending(): void;
}

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
}

export class HostConnection implements Connection {
  readonly where = "host";
  capabilities: JsonObject = {};
  #context: JsonObject = {};
  #waiting = new Map<number, Waiting>();
  #last = 0;
  #takesModelContext = true;
  #isInitialized = false;
  #hasEnded = false;

  constructor(
    readonly clientName: string,
    readonly events: HostEvents,
  ) {}

  /** Begins to hear, and says to the host that the page is there, until it answers. */
  async begin(): Promise<void> {
    window.addEventListener("message", (event) => this.#hear(event));
    const params = {
      protocolVersion: UI_REVISION,
      appInfo: { name: this.clientName, title: "Footbridge", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    };
    for (let tries = 0; tries < INITIALIZE_TRIES; tries += 1) {
      try {
        const result = asObject(await this.#ask("ui/initialize", params, INITIALIZE_AGAIN_MS * (tries + 1)));
        this.capabilities = asObject(result["hostCapabilities"]);
        this.#isInitialized = true;
        this.#tell("ui/notifications/initialized", {});
        this.#changeContext(asObject(result["hostContext"]));
        return;
      } catch (error) {
        if (error instanceof Refused) return; // it shows a result all the same, if one comes
      }
    }
  }

  get canCall(): boolean {
    return isObject(this.capabilities["serverTools"]);
  }

  get canRead(): boolean {
    return isObject(this.capabilities["serverResources"]);
  }

  async call(tool: string, args: JsonObject, meta?: JsonObject): Promise<ToolAnswer> {
    const params: JsonObject = { name: tool, arguments: args };
    if (meta !== undefined) params["_meta"] = meta;
    return readAnswer(await this.#ask("tools/call", params, ANSWER_MS));
  }

  async read(uri: string): Promise<Json | undefined> {
    const result = asObject(await this.#ask("resources/read", { uri }, ANSWER_MS));
    const text = asText(asObject(asList(result["contents"])[0])["text"]);
    const value = text === undefined ? undefined : parseJson(text);
    return value === undefined ? undefined : withoutFences(value);
  }

  /** A host tells a page of no changes: it is looked now and then, while somebody sees the page. */
  listen(uri: string, onChange: () => void, onState: (state: ListeningState) => void): () => void {
    if (!this.canRead) return () => {};
    let before: string | undefined;
    const look = async () => {
      if (document.visibilityState !== "visible" || this.#hasEnded) return;
      try {
        const now = JSON.stringify(await this.read(uri));
        if (before !== undefined && now !== before) onChange();
        before = now;
        onState("live");
      } catch {
        clearInterval(timer); // it does not take it: the button is left
      }
    };
    const timer = setInterval(() => void look(), LOOK_AGAIN_MS);
    void look();
    return () => clearInterval(timer);
  }

  tellModel(text: string): void {
    if (!this.#takesModelContext || this.#hasEnded) return;
    const params = { content: [{ type: "text", text }] };
    this.#ask("ui/update-model-context", params, ANSWER_MS).catch((error: unknown) => {
      if (error instanceof Refused && error.code === METHOD_NOT_FOUND) this.#takesModelContext = false;
    });
  }

  openLink(address: string): void {
    this.#ask("ui/open-link", { url: address }, ANSWER_MS).catch(() => {});
  }

  requestDisplayMode(mode: string): void {
    this.#ask("ui/request-display-mode", { mode }, ANSWER_MS)
      .then((result) => this.#changeContext({ displayMode: asObject(result)["mode"] ?? mode }))
      .catch(() => {});
  }

  tellSize(width: number, height: number): void {
    if (this.#isInitialized && !this.#hasEnded) this.#tell("ui/notifications/size-changed", { width, height });
  }

  #ask(method: string, params: JsonObject, most: number): Promise<Json> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Unreachable("The host does not answer."));
      }, most);
      const ended = (end: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        end();
      };
      this.#waiting.set(id, {
        resolve: (result) => ended(() => resolve(result)),
        reject: (error) => ended(() => reject(error)),
      });
      this.#post({ jsonrpc: "2.0", id, method, params });
    });
  }

  #tell(method: string, params: JsonObject): void {
    this.#post({ jsonrpc: "2.0", method, params });
  }

  #post(message: JsonObject): void {
    window.parent.postMessage(message, "*"); // its origin is not known to a page in a sandbox
  }

  #hear(event: MessageEvent): void {
    if (event.source !== window.parent) return;
    const message: unknown = event.data;
    if (!isObject(message) || message["jsonrpc"] !== "2.0") return;
    const { id, method } = message;
    if (typeof method !== "string") this.#hearAnswer(message);
    else if (id === undefined) this.#hearNotification(method, asObject(message["params"]));
    else this.#hearRequest(id, method);
  }

  #hearAnswer(message: JsonObject): void {
    const waiting = this.#waiting.get(Number(message["id"]));
    if (waiting === undefined) return; // said twice, or too late
    const error = message["error"];
    if (error === undefined) return waiting.resolve(message["result"] ?? null);
    const { code, message: why } = asObject(error);
    waiting.reject(new Refused(asText(why) ?? "The host refused it.", Number(code ?? 0)));
  }

  #hearNotification(method: string, params: JsonObject): void {
    switch (method) {
      case "ui/notifications/tool-input":
        return this.events.input(asObject(params["arguments"]));
      case "ui/notifications/tool-result":
        return this.events.result(readAnswer(params));
      case "ui/notifications/tool-cancelled":
        return this.events.cancelled(asText(params["reason"]));
      case "ui/notifications/host-context-changed":
        return this.#changeContext(params);
    }
  }

  #hearRequest(id: Json, method: string): void {
    if (method === "ui/resource-teardown") {
      this.#hasEnded = true;
      this.events.ending();
      this.#post({ jsonrpc: "2.0", id, result: {} });
    } else if (method === "ping") {
      this.#post({ jsonrpc: "2.0", id, result: {} });
    } else {
      this.#post({ jsonrpc: "2.0", id, error: { code: METHOD_NOT_FOUND, message: "Method not found" } });
    }
  }

  /** Changes come in parts: what is not said stays. */
  #changeContext(changed: JsonObject): void {
    this.#context = { ...this.#context, ...changed };
    this.events.context(this.#context);
  }
}
