// Both pages of the program itself, in a real browser: signing in, approving, undoing, and what others do.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { openBrowser, openTab } from "./support/chromium.mjs";
import { Program } from "./support/program.mjs";
import { readable } from "./support/pictures.mjs";

const TOKEN = "a-shared-bearer-of-the-pages-test";
const APPROVER = "a-secret-of-the-approver-alone";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.end());

async function started(t, options) {
  const program = await Program.begin(options);
  t.after(() => program.end());
  return program;
}

async function opened(t, address, context = browser.context) {
  const tab = await openTab(context, address);
  t.after(async () => {
    await tab.close();
    assert.deepEqual(tab.complaints, []);
  });
  return tab;
}

test("the token is asked for once, a wrong one is refused, and signing out forgets it", async (t) => {
  const program = await started(t, { words: ["--groups", "changes"], settings: { FOOTBRIDGE_TOKEN: TOKEN } });
  const tab = await opened(t, `${program.address}changes`);
  await tab.fill('[name="secret"]', "wrong");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".sign-in .notice.bad");
  assert.equal(await tab.inputValue('[name="secret"]'), "wrong");
  await tab.fill('[name="secret"]', TOKEN);
  await tab.keyboard.press("Enter");
  await tab.waitForSelector("text=Nothing was changed yet.");
  const cookies = await browser.context.cookies(program.address);
  assert.equal(cookies.length, 1);
  assert.ok(cookies[0].httpOnly && cookies[0].sameSite === "Strict" && !cookies[0].value.includes(TOKEN));
  await tab.reload();
  await tab.waitForSelector("text=Nothing was changed yet.");
  await tab.click("text=Sign out");
  await tab.waitForSelector(".sign-in");
  await tab.reload();
  await tab.waitForSelector(".sign-in");
});

test("what an agent proposes is approved and declined by an approver alone", async (t) => {
  const settings = { FOOTBRIDGE_TOKEN: TOKEN, FOOTBRIDGE_APPROVER_TOKEN: APPROVER };
  const program = await started(t, { words: ["--groups", "changes", "--allow", "write,card_update=propose"], settings });
  const { id } = await program.call("card_create", { title: "Plant", status: "todo" });
  await program.call("card_update", { id, status: "done" });
  await program.call("card_update", { id, title: "Plant <b>more</b>" });
  const tab = await opened(t, `${program.address}changes`);
  await tab.locator("label", { hasText: "Token" }).first().click();
  await tab.fill('[name="secret"]', TOKEN);
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".change.waiting .difference td");
  assert.equal(await tab.locator("button", { hasText: /^Approve$/ }).count(), 0);
  await tab.click("text=Approve…");
  await tab.fill('[name="secret"]', APPROVER);
  await tab.keyboard.press("Enter");
  await tab.click('[aria-label="Approve change 2"]');
  await tab.waitForSelector('[aria-label="Approve change 2"]', { state: "detached" });
  assert.equal((await program.call("card_get", { id })).status, "done");
  assert.match(await tab.locator(".change.waiting").textContent(), /Plant <b>more<\/b>/);
  await readable(tab, "the changes of the program");
  await tab.click('[aria-label="Decline change 3"]');
  await tab.fill(".reason input", "not now");
  await tab.click("text=Decline it");
  await tab.waitForSelector("text=Nothing waits.");
  assert.equal((await program.call("card_get", { id })).title, "Plant");
});

test("a change is undone by its plan, and what people changed since is left", async (t) => {
  const program = await started(t, { words: ["--groups", "changes", "--allow", "write,destroy"] });
  const { id } = await program.call("card_create", { title: "Plant", status: "todo" });
  await program.call("card_update", { id, status: "doing", title: "Plant beans" });
  await program.call("card_update", { id, title: "Plant peas" });
  const tab = await opened(t, `${program.address}changes`);
  await tab.click('[aria-label="Undo change 2"]');
  await tab.waitForSelector("dialog >> text=This stays as it is");
  await program.call("card_update", { id, status: "done" }); // meanwhile: the plan is another now
  await tab.click("text=Undo it");
  await tab.waitForSelector("dialog >> text=Things changed since");
  assert.equal((await program.call("card_get", { id })).status, "done");
  await tab.keyboard.press("Escape");
  await tab.waitForSelector('[aria-label="Undo change 4"]');
  await tab.click('[aria-label="Undo change 4"]');
  await tab.click("text=Undo it");
  await tab.waitForSelector('dialog h4:text-is("Done")');
  assert.equal((await program.call("card_get", { id })).status, "doing");
  await tab.click("dialog >> text=Close >> nth=-1");
  await tab.waitForSelector("text=undoes 4");
});

test("the receipt of a write leads to its change", async (t) => {
  const program = await started(t, { words: ["--groups", "changes"] });
  const { id } = await program.call("card_create", { title: "Plant", status: "todo" });
  const [, receipt] = await program.contents("card_update", { id, title: "Plant beans" });
  const address = `${program.address}changes#2`;
  assert.equal(receipt.text, `change 2 (${address})`);
  const tab = await opened(t, address);
  await tab.waitForSelector("details[open] .difference >> text=Plant beans");
  assert.equal(await tab.locator("details[open]").count(), 1);
});

test("another site's page reads nothing and writes nothing, however it asks", async (t) => {
  const program = await started(t, { words: ["--groups", "changes", "--allow", "write,destroy"] });
  const { id } = await program.call("card_create", { title: "Plant", status: "todo" });
  const other = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>other</title><body></body>");
  });
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const own = await opened(t, `${program.address}changes`);
  await own.waitForSelector('[aria-label="Undo change 1"]');
  const tab = await browser.context.newPage(); // its console complains, as it should
  t.after(async () => {
    await tab.close();
    other.closeAllConnections();
    other.close();
  });
  await tab.goto(`http://127.0.0.1:${other.address().port}/`);
  const found = await tab.evaluate(
    async ({ address, id }) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "card_update", arguments: { id, title: "taken" } } });
      const asked = await Promise.all(
        ["cors", "no-cors"].flatMap((mode) =>
          ["application/json", "text/plain", "application/x-www-form-urlencoded"].map((type) =>
            fetch(`${address}mcp`, { method: "POST", mode, credentials: "include", headers: { "content-type": type }, body }).then((answer) => answer.text(), () => ""),
          ),
        ),
      );
      const read = await Promise.all(["", "changes", "session", "approvals"].map((path) => fetch(address + path, { credentials: "include" }).then((answer) => answer.text(), () => "")));
      const frame = document.createElement("iframe");
      frame.src = `${address}changes`;
      const loaded = new Promise((resolve) => (frame.onload = resolve));
      document.body.append(frame);
      await loaded;
      const form = document.createElement("form");
      form.method = "post";
      form.action = `${address}mcp`;
      form.enctype = "text/plain";
      form.target = "elsewhere";
      const field = Object.assign(document.createElement("input"), { name: body.slice(0, -1) + ',"x":"', value: '"}' });
      form.append(field);
      document.body.append(form);
      const away = Object.assign(document.createElement("iframe"), { name: "elsewhere" });
      document.body.append(away);
      const sent = new Promise((resolve) => (away.onload = resolve));
      form.submit();
      await sent;
      return { asked, read };
    },
    { address: program.address, id },
  );
  assert.deepEqual(found.asked, ["", "", "", "", "", ""]);
  assert.deepEqual(found.read, ["", "", "", ""]);
  const frames = tab.frames().filter((frame) => frame !== tab.mainFrame());
  for (const frame of frames) assert.equal(await frame.locator("#page").count(), 0);
  assert.equal((await program.call("card_get", { id })).title, "Plant");
});
