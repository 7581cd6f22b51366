// The browser of the tests: the system's Chromium, driven by playwright-core.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--font-render-hinting=none"];

/** A browser with a profile of its own; `end` closes it and forgets the profile. */
export async function openBrowser(options = {}) {
  const profile = mkdtempSync(path.join(tmpdir(), "footbridge-pages-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0,
    args: ARGUMENTS,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "UTC",
    ...options,
  });
  context.setDefaultTimeout(20_000);
  return {
    context,
    async end() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A tab that remembers what it complained of. */
export async function openTab(context, address) {
  const tab = await context.newPage();
  tab.complaints = [];
  tab.on("pageerror", (error) => tab.complaints.push(String(error)));
  tab.on("console", (message) => {
    // a connection that the test cuts is no complaint
    if (message.type() === "error" && !/ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|Failed to load resource/.test(message.text())) tab.complaints.push(message.text());
  });
  if (address !== undefined) await tab.goto(address);
  return tab;
}
