import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** The files of a built site, by path with slashes. @typedef {ReadonlyMap<string, string>} SiteFiles */

/** @param {string} folder @returns {SiteFiles} texts of its pages, styles and scripts; other files without their contents */
export function siteFiles(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      posix.relative(folder.replaceAll("\\", "/"), join(parentPath, name).replaceAll("\\", "/")),
    );
  const text = (/** @type {string} */ path) =>
    /\.(html|css|js)$/.test(path) ? readFileSync(join(folder, path), "utf8") : "";
  return new Map(paths.map((path) => [path, text(path)]));
}

const attributes = (/** @type {string} */ html, /** @type {RegExp} */ pattern) =>
  [...html.matchAll(pattern)].map((match) => match[1].replaceAll("&amp;", "&"));
const idsOf = (/** @type {string} */ html) => attributes(html, /<[^>]*\sid="([^"]+)"/g);
const addressesOf = (/** @type {string} */ html) => attributes(html, /<[^>]*\s(?:href|src)="([^"]*)"/g);
const isElsewhere = (/** @type {string} */ address) => /^([a-z][a-z0-9+.-]*:|\/\/)/i.test(address);

/**
 * Links to files or headings of the site that are not there, and ids that a page has twice.
 * @param {SiteFiles} files
 * @returns {string[]} one line each
 */
export function brokenLinks(files) {
  const pages = [...files].filter(([path]) => path.endsWith(".html"));
  const ids = new Map(pages.map(([path, html]) => [path, new Set(idsOf(html))]));
  return pages.flatMap(([path, html]) => {
    const twice = idsOf(html).filter((id, i, all) => all.indexOf(id) !== i);
    const broken = addressesOf(html).filter((address) => {
      if (isElsewhere(address)) return false;
      const [file, hash] = address.split("#").map(decodeURIComponent);
      const target = file === "" ? path : posix.join(posix.dirname(path), file);
      if (!files.has(target)) return true;
      return hash !== undefined && hash !== "" && ids.get(target)?.has(hash) !== true;
    });
    return [
      ...broken.map((address) => `${path}: ${address}`),
      ...twice.map((id) => `${path}: two of id ${id}`),
    ];
  });
}

/**
 * What the site would load from another host: scripts, styles, pictures, fonts and frames. A link that a reader follows is
 * none of these.
 * @param {SiteFiles} files
 * @returns {string[]} one line each
 */
export function foreignLoads(files) {
  return [...files].flatMap(([path, text]) => {
    const loads = path.endsWith(".html")
      ? attributes(text, /<(?!a\s)[a-z]+\b[^>]*\s(?:href|src|srcset|action|data|poster)="([^"]*)"/g)
      : path.endsWith(".css")
        ? attributes(text, /(?:url\(\s*|@import\s+)["']?([^"')\s]+)/g)
        : [];
    return loads.filter(isElsewhere).map((address) => `${path}: ${address}`);
  });
}
