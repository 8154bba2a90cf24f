// Builds the documentation site into site/dist, static files for any folder of any host: `npm run site`.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { build } from "vite";
import { chapters, projectPages } from "./guides.js";
import { brokenLinks, foreignLoads, siteFiles } from "./links.js";
import { escaped, highlighted, rendered } from "./markdown.js";
import { packages, root } from "./packages.js";
import { referenceFiles } from "./reference.js";
import { framed } from "./shell.js";
import { placeOf, relativeAddress } from "./site-map.js";

const out = join(import.meta.dirname, "dist");

/** @param {string} path @param {string} text */
function write(path, text) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), text);
}

/** The page is the front of the site. */
async function buildFront() {
  const configFile = join(root, "packages/web/vite.config.ts");
  await build({ configFile, mode: "site", logLevel: "error", build: { outDir: out, emptyOutDir: true } });
  mkdirSync(join(out, "site"));
  const theme = readFileSync(join(root, "packages/web/src/theme.css"), "utf8");
  write("site/site.css", theme + readFileSync(join(import.meta.dirname, "site.css"), "utf8"));
  cpSync(join(import.meta.dirname, "filter.js"), join(out, "site/filter.js"));
}

/** The list of guides, as a page at `path` shows it. @param {string} path */
function guideList(path) {
  const item = (/** @type {string} */ target, /** @type {string} */ name) =>
    target === path
      ? `<li><a href="${relativeAddress(path, target)}" aria-current="page">${escaped(name)}</a></li>`
      : `<li><a href="${relativeAddress(path, target)}">${escaped(name)}</a></li>`;
  const parts = chapters.map(({ title, guides }) => ({
    title,
    items: guides.map(([name, words]) => item(`guides/${name}.html`, words)),
  }));
  const project = projectPages.map(([file, words]) => item(placeOf(file)?.path ?? "", words));
  return [...parts, { title: "The project", items: project }]
    .map(({ title, items }) => `<section><h2>${title}</h2><ul>${items.join("")}</ul></section>`)
    .join("\n");
}

const side = (/** @type {string} */ path) => `<nav class="side" aria-label="Guides">${guideList(path)}</nav>`;

/**
 * Writes pages and what they link to, until nothing new is named.
 * @param {ReadonlyMap<string, string>} reference the Markdown of the reference, by path
 */
function writePages(reference) {
  const broken = new Set();
  const named = [
    ...chapters.flatMap(({ guides }) => guides.map(([name]) => `docs/${name}.md`)),
    ...projectPages.map(([file]) => file),
    ...reference.keys(),
  ];
  const written = new Set();
  for (let from = named.pop(); from !== undefined; from = named.pop()) {
    const place = placeOf(from);
    if (place === null) throw new Error(`the site has no ${from}`);
    if (written.has(place.path)) continue;
    written.add(place.path);
    const { kind, path } = place;
    const address = (/** @type {string} */ href) => {
      if (/^([a-z]+:|#)/.test(href)) return href;
      const [file, hash] = decodeURI(href).split("#");
      const target = placeOf(posix.join(posix.dirname(place.from), file));
      if (target === null) {
        broken.add(`${place.from}: ${href}`);
        return href;
      }
      if (!written.has(target.path)) named.push(target.from);
      return relativeAddress(path, target.path) + (hash === undefined ? "" : `#${hash}`);
    };
    if (kind === "file") {
      mkdirSync(dirname(join(out, path)), { recursive: true });
      cpSync(join(root, place.from), join(out, path));
    } else if (kind === "source") {
      const code = highlighted(
        readFileSync(join(root, place.from), "utf8"),
        posix.extname(place.from).slice(1),
      );
      const html = `<h1 class="file">${escaped(place.from)}</h1>\n<pre><code>${code}</code></pre>`;
      write(
        path,
        framed({ path, title: place.from, about: "A source file of softrl.", html, trail: [] }, ""),
      );
    } else {
      const text = reference.get(place.from) ?? readFileSync(join(root, place.from), "utf8");
      const page = { ...rendered(text, address), path };
      const isReference = place.from.startsWith("reference/");
      write(path, framed({ ...page, ...frameOf(path) }, isReference ? "" : side(path)));
    }
  }
  if (broken.size > 0) throw new Error(`links to what is not in the repository:\n${[...broken].join("\n")}`);
}

/** The folders of TypeDoc, and what a page in them is about. @type {Readonly<Record<string, string>>} */
const kinds = {
  classes: "class",
  enumerations: "enumeration",
  functions: "function",
  interfaces: "interface",
  "type-aliases": "type",
  variables: "constant",
};

/** The pages above one, what it is about, and whether it has a filter. @param {string} path */
function frameOf(path) {
  const [section, folder, kind] = path.split("/");
  const found = packages.find(({ name }) => posix.basename(name) === folder);
  if (section !== "reference" || found === undefined) return { trail: [] };
  /** @type {[string, string][]} */
  const trail = [["Reference", "reference/index.html"]];
  if (kind === "index.html") return { trail, hasFilter: true };
  trail.push([found.name, `reference/${folder}/index.html`]);
  return { trail, kind: kinds[kind] };
}

/** The two lists: of guides, and of packages. */
function writeLists() {
  const guides = "guides/index.html";
  const about = "Guides to softrl: a first run, runs and figures, your own environments and algorithms.";
  const list = `<h1>Guides</h1>\n<div class="chapters">${guideList(guides)}</div>`;
  write(guides, framed({ path: guides, title: "Guides", about, html: list, trail: [] }, ""));
  const path = "reference/index.html";
  const items = packages.map(
    ({ name, description }) =>
      `<dt><a href="${posix.basename(name)}/index.html">${escaped(name)}</a></dt><dd>${escaped(description)}</dd>`,
  );
  const words = "Every function, class and type that the packages export, with its docstring.";
  const html = `<h1>Reference</h1>\n<p>${words}</p>\n<dl>${items.join("\n")}</dl>`;
  write(path, framed({ path, title: "Reference", about: words, html, trail: [] }, ""));
}

const scratch = mkdtempSync(join(tmpdir(), "softrl-reference-"));
try {
  await buildFront();
  const files = await referenceFiles(scratch);
  writePages(new Map(files.map(({ path, text }) => [`reference/${path}`, text])));
  writeLists();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const files = siteFiles(out);
const faults = [...brokenLinks(files), ...foreignLoads(files)];
if (faults.length > 0)
  throw new Error(`the site has broken links, or loads from another host:\n${faults.join("\n")}`);
const pages = [...files.keys()].filter((path) => path.endsWith(".html")).length;
console.log(`site/dist: ${pages} pages, every link resolves`);
