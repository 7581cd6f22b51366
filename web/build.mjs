// Makes both pages: each one document with its script and its styles inside, the same bytes every time. Usage: node build.mjs DIRECTORY
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const MOST_BYTES = 250_000;
const MOST_COMPRESSED = 90_000;
const PAGES = [
  { name: "work", title: "Footbridge", styles: ["base", "work"] },
  { name: "changes", title: "Changes – Footbridge", styles: ["base", "changes"] },
];
const TARGET = ["chrome120", "firefox121", "safari17.2"];

export async function page({ name, title, styles }) {
  const script = await bundled({ entryPoints: [path.join(here, "src", `${name}.tsx`)] });
  const sheets = await Promise.all(styles.map((sheet) => readFile(path.join(here, "src/styles", `${sheet}.css`), "utf8")));
  const style = await bundled({ stdin: { contents: sheets.join("\n"), loader: "css" } });
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${title}</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    '<div id="page"></div>',
    `<script type="module">${script}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

async function bundled(options) {
  const { outputFiles } = await build({
    bundle: true,
    minify: true,
    format: "esm",
    target: TARGET,
    charset: "utf8",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    absWorkingDir: here,
    logLevel: "warning",
    write: false,
    ...options,
  });
  // what ends a script or a style within a document stands in no text of it
  return outputFiles[0].text.trimEnd().replace(/<\/(script|style)/gi, "<\\/$1").replaceAll("<!--", "\\x3C!--");
}

export async function makePages(directory) {
  await mkdir(directory, { recursive: true });
  let isTooLarge = false;
  for (const one of PAGES) {
    const html = await page(one);
    const [bytes, compressed] = [Buffer.byteLength(html), gzipSync(html, { level: 9 }).length];
    console.log(`${one.name}.html: ${bytes} bytes, ${compressed} compressed`);
    isTooLarge ||= bytes > MOST_BYTES || compressed > MOST_COMPRESSED;
    await writeFile(path.join(directory, `${one.name}.html`), html);
  }
  if (isTooLarge) throw new Error(`a page may have ${MOST_BYTES} bytes, and ${MOST_COMPRESSED} compressed`);
}

const [, called, directory] = process.argv;
if (called === fileURLToPath(import.meta.url)) {
  await makePages(directory ?? path.join(here, "../crates/footbridge/pages"));
}
