// The official TypeScript client 2.x. Usage: client-2.mjs (legacy | modern) (stdio COMMAND [ARGUMENT...] | http URL | sse URL)
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { CAPABILITIES, User, serve } from "./commands.mjs";

const [era, transportName, target, ...rest] = process.argv.slice(2);
const transport = {
  stdio: () => new StdioClientTransport({ command: target, args: rest, stderr: "inherit" }),
  http: () => new StreamableHTTPClientTransport(new URL(target)),
  sse: () => new SSEClientTransport(new URL(target)),
}[transportName]();

const user = new User();
const versionNegotiation = { mode: era === "legacy" ? "legacy" : "auto" };
const client = new Client({ name: "footbridge-interop", version: "1.0.0" }, { capabilities: CAPABILITIES, versionNegotiation });
client.setRequestHandler("elicitation/create", user.elicit);
client.setRequestHandler("sampling/createMessage", user.sample);
client.setRequestHandler("roots/list", user.roots);
client.fallbackNotificationHandler = user.hear;
await client.connect(transport);
const listen = client.getProtocolEra() === "modern" ? (filter) => client.listen(filter) : undefined;
await serve(client, user, client.getNegotiatedProtocolVersion(), (params, options) => client.callTool(params, options), listen);
