// The program itself, as it is served to browsers and agents: started on a free port with a data directory of its own.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const PROGRAM = process.env.FOOTBRIDGE ?? path.join(root, "target/debug/footbridge");
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "an-agent", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

export class Program {
  /** `settings` are of the environment; nothing of ours goes along but the path. */
  static async begin({ words = [], settings = {}, data } = {}) {
    if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: cargo build -p footbridge makes it`);
    const program = new Program();
    program.data = data ?? mkdtempSync(path.join(tmpdir(), "footbridge-seen-"));
    program.owns = data === undefined;
    program.settings = settings;
    program.process = spawn(PROGRAM, ["serve", "--transport", "http", "--port", "0", "--data", program.data, ...words], {
      env: { PATH: process.env.PATH, HOME: program.data, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    program.address = await new Promise((resolve, reject) => {
      const hear = (part) => {
        said += part;
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
        if (found !== null) resolve(found[0]);
      };
      program.process.stdout.on("data", hear);
      program.process.stderr.on("data", hear);
      program.process.on("exit", (code) => reject(new Error(`the program ended with ${code}: ${said}`)));
    });
    return program;
  }

  async end() {
    const ended = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    if (this.owns) rmSync(this.data, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A call of a tool by an agent over HTTP; the first text of its answer, as JSON where it is some. */
  async call(name, args = {}) {
    return readResult(await this.#answer(name, args));
  }

  /** The blocks of its answer. */
  async contents(name, args = {}) {
    return (await this.#answer(name, args)).result.content;
  }

  async #answer(name, args) {
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name };
    if (this.settings.FOOTBRIDGE_TOKEN) headers.authorization = `Bearer ${this.settings.FOOTBRIDGE_TOKEN}`;
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args, _meta: META } });
    const answer = await fetch(new URL("mcp", this.address), { method: "POST", headers, body });
    return answer.json();
  }
}

function readResult(message) {
  const [first] = message.result?.content ?? [];
  if (first === undefined || message.result.isError) throw new Error(first?.text ?? JSON.stringify(message));
  try {
    return JSON.parse(first.text);
  } catch {
    return first.text;
  }
}

/** An agent over stdio, on the same data directory: another process on the same file. */
export class StdioAgent {
  #waiting = new Map();
  #last = 0;

  constructor(data) {
    this.process = spawn(PROGRAM, ["serve", "--transport", "stdio", "--data", data], { env: { PATH: process.env.PATH, HOME: data }, stdio: ["pipe", "pipe", "ignore"] });
    let rest = "";
    this.process.stdout.on("data", (part) => {
      const lines = (rest + part).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const message = JSON.parse(line);
        this.#waiting.get(message.id)?.(message);
      }
    });
  }

  async call(name, args = {}) {
    this.#last += 1;
    const id = this.#last;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.process.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args, _meta: META } })}\n`);
    return readResult(await answer);
  }

  async end() {
    const ended = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.stdin.end();
    await ended;
  }
}
