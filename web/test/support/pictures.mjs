// Pictures of the pages, kept in docs/pictures, and a look at what hinders a reader. `INSTA_UPDATE=always`, the switch
// of all golden files, takes the pictures anew: look at them before they are committed.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const KEPT = path.join(root, "docs/pictures");
const SEEN = path.join(root, "target/pictures");
/** Of all points, those that may differ: a machine draws letters a little otherwise than another. */
const MOST_DIFFERENT = 0.03;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function picture(tab, name) {
  const seen = await tab.screenshot({ animations: "disabled", caret: "hide" });
  const kept = path.join(KEPT, `${name}.png`);
  const isRewritten = process.env.INSTA_UPDATE === "always";
  if (isRewritten || !existsSync(kept)) {
    assert.ok(isRewritten, `there is no picture ${name}: INSTA_UPDATE=always takes it`);
    writeFileSync(kept, seen);
    return;
  }
  const [one, other] = [PNG.sync.read(seen), PNG.sync.read(readFileSync(kept))];
  const size = ({ width, height }) => `${width} x ${height}`;
  assert.equal(size(one), size(other), `the picture ${name} has another size`);
  const difference = new PNG({ width: one.width, height: one.height });
  const count = pixelmatch(one.data, other.data, difference.data, one.width, one.height, { threshold: 0.2 });
  const part = count / (one.width * one.height);
  if (part > MOST_DIFFERENT) {
    mkdirSync(SEEN, { recursive: true });
    writeFileSync(path.join(SEEN, `${name}.png`), seen);
    writeFileSync(path.join(SEEN, `${name}-difference.png`), PNG.sync.write(difference));
  }
  assert.ok(part <= MOST_DIFFERENT, `${(part * 100).toFixed(1)} % of the picture ${name} differ; see target/pictures`);
}

/** Nothing that axe calls serious or critical. */
export async function readable(frame, name) {
  await frame.evaluate(axe);
  const { violations } = await frame.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    bad.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`),
    [],
  );
}
