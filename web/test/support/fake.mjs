// A server that answers what the pages ask, out of memory: for what the real program cannot be made to do on demand, such as going away in the
// middle of a move, refusing, or serving a chart of infinities.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const PAGES = new URL("../../../crates/footbridge/pages/", import.meta.url);

export function documentOf(name) {
  return readFileSync(new URL(`${name}.html`, PAGES), "utf8");
}

/** The policy of a served page, as the program makes it. */
export function policyOf(html) {
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const inside = (name) => [...html.matchAll(new RegExp(`<${name}[^>]*>([\\s\\S]*?)</${name}>`, "g"))].map((found) => hash(found[1])).join(" ");
  return [
    "default-src 'none'",
    `script-src ${inside("script")}`,
    `style-src ${inside("style")}`,
    "connect-src 'self'",
    "img-src data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

export class Fake {
  views = [];
  tools = [];
  /** By name, a function of the arguments that gives a result of `tools/call`. */
  answers = new Map();
  resources = new Map();
  /** By path, what else is answered. */
  routes = new Map();
  session = { signed_in: false, needs: "none", is_approver: false, takes: [] };
  calls = [];
  #listening = new Set();
  #server = createServer((request, response) => this.#answer(request, response));
  #port = 0;

  async begin() {
    await new Promise((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = this.#server.address().port;
    this.address = `http://127.0.0.1:${this.#port}/`;
    return this;
  }

  /** Goes away, with every connection; `begin` comes back at the same place. */
  async end() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#listening.clear();
  }

  changed() {
    for (const response of this.#listening) {
      response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "footbridge://changes/latest" } })}\n\n`);
    }
  }

  get listeners() {
    return this.#listening.size;
  }

  async #answer(request, response) {
    const path = new URL(request.url, this.address).pathname;
    if (request.method === "GET" && (path === "/" || path === "/changes")) {
      const html = documentOf(path === "/" ? "work" : "changes");
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policyOf(html) });
      return response.end(html);
    }
    const body = await text(request);
    const json = (status, value) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(value === undefined ? undefined : JSON.stringify(value));
    };
    if (path === "/session" && request.method === "GET") return json(200, this.session);
    const route = this.routes.get(path);
    if (route !== undefined) return json(200, route());
    if (path !== "/mcp") return json(404, { detail: "there is nothing here" });
    const { id, method, params } = JSON.parse(body);
    if (method === "subscriptions/listen") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params: { notifications: params.notifications } })}\n\n`);
      this.#listening.add(response);
      response.on("close", () => this.#listening.delete(response));
      return;
    }
    if (method === "resources/read") {
      const value = params.uri === "footbridge://views" ? { views: this.views, tools: this.tools, has_changes: false, may_approve: false } : this.resources.get(params.uri);
      if (value === undefined) return json(200, { jsonrpc: "2.0", id, error: { code: -32002, message: "no such resource" } });
      return json(200, { jsonrpc: "2.0", id, result: { contents: [{ uri: params.uri, text: JSON.stringify(value) }] } });
    }
    this.calls.push({ name: params.name, arguments: params.arguments });
    const answer = this.answers.get(params.name);
    if (answer === undefined) return json(200, { jsonrpc: "2.0", id, error: { code: -32602, message: `there is no tool ${params.name}` } });
    json(200, { jsonrpc: "2.0", id, result: await answer(params.arguments) });
  }
}

async function text(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** The result of a tool with a view. */
export function result(data, view) {
  const answer = { content: [{ type: "text", text: JSON.stringify(data) }], structuredContent: data };
  return view === undefined ? answer : { ...answer, _meta: { "footbridge/view": view } };
}

export function refusal(text) {
  return { content: [{ type: "text", text }], isError: true };
}

/** A board in memory, with its view and its tools. */
export function boardOf(fake, { columns, cards, limit }) {
  const view = {
    kind: "board",
    name: "cards",
    connector: "board",
    title: "Garden",
    tool: "card_list",
    arguments: {},
    rows: "items",
    id: "id",
    group: "status",
    by: "id",
    columns,
    card: ["title", "priority", "assignee", "due_date", "tags"],
    move: { tool: "card_update", id: "id", column: "status" },
    read: { tool: "card_get", id: "id" },
    edit: {
      tool: "card_update",
      id: "id",
      fields: {
        title: { type: "string", maxLength: 200, description: "Title of the card." },
        description: { type: "string", maxLength: 4000, description: "Details." },
        priority: { type: "string", enum: ["low", "medium", "high"] },
        tags: { type: "array", items: { type: "string" } },
        position: { type: "number" },
      },
    },
    create: { tool: "card_create", fields: { title: { type: "string", maxLength: 200 }, status: { type: "string" } }, required: ["title"] },
  };
  fake.views.push({ name: "cards", connector: "board", title: "Garden", kind: "board", tool: "card_list", arguments: {}, required: {} });
  const size = limit ?? cards.length + 1;
  fake.answers.set("card_list", ({ cursor }) => {
    const from = Number(cursor ?? 0);
    const items = cards.slice(from, from + size);
    return result({ items, ...(from + size < cards.length ? { next_cursor: String(from + size) } : {}) }, view);
  });
  fake.answers.set("card_get", ({ id }) => result(cards.find((card) => card.id === id)));
  fake.answers.set("card_update", ({ id, ...changed }) => {
    const card = cards.find((one) => one.id === id);
    Object.assign(card, changed);
    return result(card);
  });
  fake.answers.set("card_create", (made) => {
    const card = { id: `new-${cards.length}`, ...made };
    cards.push(card);
    return result(card);
  });
  return view;
}
