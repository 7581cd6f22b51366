// The commands of the stories, one JSON line each, for the official TypeScript client 1.x and 2.x; what to ask is in the stories, not here.
import { createInterface } from "node:readline";

// How long something that is awaited may take to come, in milliseconds.
const EVENT_MS = 30_000;

const EVENTS = {
  "notifications/resources/updated": (params) => `updated ${params.uri}`,
  "notifications/tools/list_changed": () => "tools changed",
  "notifications/message": (params) => `log ${params.level} ${params.data}`,
};

/** Who answers the server's questions, and hears what it tells. */
export class User {
  elicitation = { action: "cancel" };
  events = [];
  #news = () => {};

  elicit = async () => this.elicitation;
  roots = async () => ({ roots: [{ uri: "file:///notes" }, { uri: "file:///drafts" }] });
  sample = async (request) => {
    const asked = request.params.messages.at(-1).content;
    const text = `You asked: ${(Array.isArray(asked) ? asked[0] : asked).text}`;
    return { role: "assistant", model: "none", content: { type: "text", text } };
  };

  hear = async (notification) => {
    const event = EVENTS[notification.method]?.(notification.params ?? {});
    if (event) {
      this.events.push(event);
      this.#news();
    }
  };

  /** Everything heard until this event, which comes last. */
  async until(event) {
    const late = Date.now() + EVENT_MS;
    while (!this.events.includes(event)) {
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`"${event}" did not come; there came ${JSON.stringify(this.events)}`)), late - Date.now());
        this.#news = () => (clearTimeout(timer), resolve());
      });
    }
    return this.events.splice(0, this.events.indexOf(event) + 1);
  }
}

export const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };

/**
 * Carries out commands until the end of input. `callTool(params, options)` hides what differs between the two clients; `listen` is there on
 * 2026-07-28 only, and is how that revision subscribes.
 */
export async function serve(client, user, protocolVersion, callTool, listen) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const listening = {};
  const commands = {
    list: () => client.listTools(),
    async call({ tool, arguments: values, progress, log_level: level }) {
      const steps = [];
      const options = progress ? { onprogress: (step) => steps.push([step.progress, step.total, step.message]) } : {};
      const meta = level ? { _meta: { "io.modelcontextprotocol/logLevel": level } } : {};
      const result = await callTool({ name: tool, arguments: values, ...meta }, options);
      return progress ? { ...result, progress: steps } : result;
    },
    // Calls a tool and cancels the call at its first progress.
    async cancel({ tool, arguments: values }) {
      const abort = new AbortController();
      const options = { signal: abort.signal, onprogress: () => abort.abort(new Error("the story goes on")), timeout: EVENT_MS };
      const refused = await callTool({ name: tool, arguments: values }, options).then(() => false, () => abort.signal.aborted);
      if (!refused) throw new Error("the call was not cancelled");
      return {};
    },
    resources: () => client.listResources(),
    templates: () => client.listResourceTemplates(),
    read: ({ uri }) => client.readResource({ uri }),
    prompts: () => client.listPrompts(),
    prompt: ({ name, arguments: values }) => client.getPrompt({ name, arguments: values }),
    complete: ({ ref, argument }) => client.complete({ ref, argument }),
    answer({ elicitation }) {
      user.elicitation = elicitation;
      return {};
    },
    level: ({ level }) => client.setLoggingLevel(level),
    // To one resource, and to the list of tools where that has to be asked for.
    async subscribe({ uri }) {
      if (!listen) return client.subscribeResource({ uri });
      listening[uri] = await listen({ resourceSubscriptions: [uri] });
      listening.tools = await listen({ toolsListChanged: true });
      return {};
    },
    async unsubscribe({ uri }) {
      if (!listen) return client.unsubscribeResource({ uri });
      await listening[uri].close();
      delete listening[uri];
      return {};
    },
    until: async ({ event }) => ({ events: await user.until(event) }),
  };
  say({ protocolVersion });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      say(await commands[command.do](command));
    } catch (error) {
      say({ error: { code: error.code, message: error.message } });
    }
  }
  await client.close();
}
