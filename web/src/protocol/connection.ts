//! The way to the tools, whichever it is: the program itself, in a browser, or the host of a
//! conversation.

import type { Json, JsonObject } from "../json.ts";

/** What a tool answered. */
export interface ToolAnswer {
  content: Json[];
  structured: Json | undefined;
  meta: JsonObject;
  isError: boolean;
}

/** No answer came: whether anything was done is not known. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** The other side refused the request itself. */
export class Refused extends Error {
  override name = "Refused";
  constructor(
    message: string,
    readonly code: number,
  ) {
    super(message);
  }
}

/** Nobody is signed in, or not any more. */
export class SignInNeeded extends Error {
  override name = "SignInNeeded";
}

/** Whether changes are heard of; `deaf` where the program answers, but tells of none. */
export type ListeningState = "live" | "lost" | "deaf";

export interface Connection {
  readonly where: "browser" | "host";
  /** Whether tools can be called at all. */
  readonly canCall: boolean;
  call(tool: string, args: JsonObject, meta?: JsonObject): Promise<ToolAnswer>;
  read(uri: string): Promise<Json | undefined>;
  /** Hears of changes of a resource until the function that it gives is called. */
  listen(uri: string, onChange: () => void, onState: (state: ListeningState) => void): () => void;
  /** Tells the model what the person did; whoever does not take it is not asked again. */
  tellModel(text: string): void;
  openLink(address: string): void;
}

export function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim() === "" ? "It failed without a reason." : text.trim();
}
