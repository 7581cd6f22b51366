// The official TypeScript client 1.x behind one JSON command a line; what to ask it is in story.py, not here.
// Usage: client.mjs legacy (stdio COMMAND [ARGUMENT...] | http URL)
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [, transportName, target, ...rest] = process.argv.slice(2);
const transport = transportName === "stdio"
  ? new StdioClientTransport({ command: target, args: rest, stderr: "inherit" })
  : new StreamableHTTPClientTransport(new URL(target));
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

// The client keeps the negotiated revision to itself; the transport is told.
let protocolVersion;
const tell = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => {
  protocolVersion = version;
  tell?.(version);
};

const client = new Client({ name: "footbridge-interop", version: "1.0.0" });
await client.connect(transport);
say({ protocolVersion });

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say(command.do === "list" ? await client.listTools() : await client.callTool({ name: command.tool, arguments: command.arguments }));
  } catch (error) {
    say({ error: { code: error.code, message: error.message } });
  }
}
await client.close();
