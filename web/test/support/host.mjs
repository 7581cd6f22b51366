// A host of a conversation that nobody here wrote: the bridge of the extension, in a page of its own, and the frame under the policy that hosts
// give a page which names no network.
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { documentOf } from "./fake.mjs";
import { openTab } from "./chromium.mjs";

const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; media-src 'self' data:; connect-src 'none'";
const support = path.dirname(fileURLToPath(import.meta.url));

export class Host {
  async begin() {
    const { outputFiles } = await build({ entryPoints: [path.join(support, "host_page.js")], bundle: true, format: "iife", minify: true, write: false, logLevel: "warning" });
    const script = outputFiles[0].text.replace(/<\/script/gi, "<\\/script");
    const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title></head><body><script>${script}</script></body></html>`;
    this.server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url, "http://host");
      const isPage = pathname === "/page";
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...(isPage ? { "content-security-policy": POLICY } : {}) });
      response.end(isPage ? documentOf(search.slice(1)) : page);
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.address = `http://127.0.0.1:${this.server.address().port}/`;
    return this;
  }

  /** A tab with the host, and the frame's page in it once it is shown. */
  async open(context, page, answers = {}, options = {}) {
    const tab = await openTab(context);
    await tab.exposeFunction("answerTool", (params) => answers.tool?.(params) ?? { content: [] });
    await tab.exposeFunction("answerResource", (params) => answers.resource?.(params) ?? { contents: [] });
    await tab.goto(`${this.address}?${page}`);
    if (options !== null) await tab.evaluate((told) => window.host.show(told), options);
    return tab;
  }

  async end() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const frameOf = (tab) => tab.frames().find((frame) => frame !== tab.mainFrame());
export const heard = (tab) => tab.evaluate(() => window.host.heard);
