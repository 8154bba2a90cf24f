import { escaped } from "./markdown.js";
import { relativeAddress } from "./site-map.js";

/**
 * A page of the site, before its frame.
 * @typedef {object} Page
 * @property {string} path in the site
 * @property {string} title
 * @property {string} about one sentence for a search engine
 * @property {string} html
 * @property {readonly (readonly [string, string])[]} trail the names and paths of the pages above it
 * @property {string} [kind] what the page is about, such as a class
 * @property {boolean} [hasFilter] whether a field filters its tables
 */

/** What a page may load: files of its own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/**
 * The page as a whole file.
 * @param {Page} page
 * @param {string} side the guides beside a guide; may be empty
 */
export function framed({ path, title, about, html, trail, kind = "", hasFilter = false }, side) {
  const to = (/** @type {string} */ target) => relativeAddress(path, target);
  const script = hasFilter ? `\n    <script type="module" src="${to("site/filter.js")}"></script>` : "";
  const steps = trail.map(([name, target]) => `<a href="${to(target)}">${escaped(name)}</a> /`).join(" ");
  const place = path.startsWith("reference/") ? "reference" : "guides";
  const link = (/** @type {string} */ folder, /** @type {string} */ name) =>
    `<a href="${to(`${folder}/index.html`)}"${folder === place ? ' aria-current="true"' : ""}>${name}</a>`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(title)} · softrl</title>
    <meta name="description" content="${escaped(about)}" />
    <link rel="icon" href="${to("icon.svg")}" type="image/svg+xml" />
    <link rel="stylesheet" href="${to("site/site.css")}" />${script}
  </head>
  <body>
    <a class="skip" href="#site-text">Skip to the text</a>
    <header class="bar">
      <a class="home" href="${to("index.html")}">softrl</a>
      <nav aria-label="Site">${link("guides", "Guides")} ${link("reference", "Reference")}</nav>
    </header>
    <div class="columns${side === "" ? "" : " with-side"}">
      <main id="site-text">
${steps === "" ? "" : `<p class="trail">${steps} ${kind}</p>\n`}${html}
      </main>
${side}
    </div>
  </body>
</html>
`;
}
