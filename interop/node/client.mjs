// The official TypeScript client 1.x. Usage: client.mjs legacy (stdio COMMAND [ARGUMENT...] | http URL | sse URL)
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { CAPABILITIES, User, serve } from "./commands.mjs";

const [, transportName, target, ...rest] = process.argv.slice(2);
const transport = {
  stdio: () => new StdioClientTransport({ command: target, args: rest, stderr: "inherit" }),
  http: () => new StreamableHTTPClientTransport(new URL(target)),
  sse: () => new SSEClientTransport(new URL(target)),
}[transportName]();

// The client keeps the negotiated revision to itself; the transport is told.
let protocolVersion;
const tell = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => {
  protocolVersion = version;
  tell?.(version);
};

const user = new User();
const client = new Client({ name: "footbridge-interop", version: "1.0.0" }, { capabilities: CAPABILITIES });
client.setRequestHandler(ElicitRequestSchema, user.elicit);
client.setRequestHandler(CreateMessageRequestSchema, user.sample);
client.setRequestHandler(ListRootsRequestSchema, user.roots);
client.fallbackNotificationHandler = user.hear;
await client.connect(transport);
await serve(client, user, protocolVersion, (params, options) => client.callTool(params, undefined, options));
