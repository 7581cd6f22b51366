// The page of a host: the extension's own bridge around a frame, with handlers that the test chooses. Bundled by host.mjs.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.host = {
  heard: { initialized: 0, calls: [], model: [], sizes: [], links: [], refused: [] },

  /** Shows the page in a frame. `refuses` names the requests that this host does not take. */
  async show({ context = {}, capabilities = { serverTools: {}, serverResources: {}, openLinks: {} }, refuses = [], width = 800, input, result }) {
    const { heard } = this;
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.style.cssText = `border:0;width:${width}px;height:400px`;
    document.body.replaceChildren(frame);
    const bridge = new AppBridge(null, { name: "host", version: "1" }, capabilities, { hostContext: context });
    this.bridge = bridge;
    this.frame = frame;
    bridge.oncalltool = async (params) => {
      heard.calls.push(params);
      if (refuses.includes("tools/call")) throw new Error("this host lets pages call nothing");
      return window.answerTool(params);
    };
    bridge.onreadresource = async (params) => {
      if (refuses.includes("resources/read")) throw new Error("this host reads nothing");
      return window.answerResource(params);
    };
    if (!refuses.includes("ui/update-model-context")) bridge.onupdatemodelcontext = async (params) => (heard.model.push(params), {});
    bridge.onopenlink = async (params) => (heard.links.push(params), {});
    bridge.onrequestdisplaymode = async () => ({ mode: "fullscreen" });
    bridge.onsizechange = (params) => {
      heard.sizes.push(params);
      frame.style.height = `${params.height}px`;
    };
    const initialized = new Promise((resolve) => {
      bridge.oninitialized = () => {
        heard.initialized += 1;
        resolve();
      };
    });
    await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
    frame.src = `/page${location.search}`;
    await initialized;
    if (input !== undefined) await bridge.sendToolInput({ arguments: input });
    if (result !== undefined) await bridge.sendToolResult(result);
  },

  /** Says something to the page that the bridge would not say. */
  post(message) {
    this.frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  },

  /** A frame without the bridge, for hosts that say things in another order. */
  async bare() {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.style.cssText = "border:0;width:800px;height:400px";
    document.body.replaceChildren(frame);
    this.frame = frame;
    window.addEventListener("message", (event) => {
      if (event.source === frame.contentWindow) this.heard.refused.push(event.data);
    });
    const loaded = new Promise((resolve) => (frame.onload = resolve));
    frame.src = `/page${location.search}`;
    await loaded;
  },
};
