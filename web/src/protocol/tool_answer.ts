//! The result of `tools/call` as it is read: defensively, as hosts drop parts of it.

import { withoutFence, withoutFences } from "../fence.ts";
import { asList, asObject, asText, isObject, parseJson, type Json } from "../json.ts";
import type { ToolAnswer } from "./connection.ts";

export function readAnswer(result: unknown): ToolAnswer {
  const members = asObject(result);
  return {
    content: asList(members["content"]),
    structured: members["structuredContent"],
    meta: asObject(members["_meta"]),
    isError: members["isError"] === true,
  };
}

/** The text blocks; the first is the answer, others are notes of the program. */
export function texts(answer: ToolAnswer): string[] {
  return answer.content.flatMap((block) => (isObject(block) ? (asText(block["text"]) ?? []) : []));
}

/** The answer as data: what is structured, else the text as JSON, else nothing. */
export function data(answer: ToolAnswer): Json | undefined {
  if (answer.structured !== undefined && answer.structured !== null) return withoutFences(answer.structured);
  const [first] = texts(answer);
  const parsed = first === undefined ? undefined : parseJson(first);
  return parsed === undefined ? undefined : withoutFences(parsed);
}

export function plainText(answer: ToolAnswer): string {
  return texts(answer).map(withoutFence).join("\n");
}

/** The number of the change that waits for a person, where the call became a proposal. */
export function proposedChange(answer: ToolAnswer): string | undefined {
  return /this is proposed as change (\d+)/.exec(plainText(answer))?.[1];
}

/** What a second call must carry, where the program asks that a person agrees first. */
export function askedCode(answer: ToolAnswer): { argument: string; code: string } | undefined {
  const found = /Nothing was changed yet\. First ask the user: .* with "(\w+)": "([^"]+)" beside/s.exec(plainText(answer));
  const [, argument, code] = found ?? [];
  return argument !== undefined && code !== undefined ? { argument, code } : undefined;
}
