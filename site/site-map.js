import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "./packages.js";

/**
 * Where a file of the repository, or of the reference's Markdown, lies in the site.
 * @typedef {{ kind: "page" | "source" | "file" | "built", path: string, from: string }} Place
 */

const PICTURES = /\.(svg|gif|png)$/;

/** Guides and the reference keep their names; other pages and files of the repository have folders of their own. */
const pagePath = (/** @type {string} */ from) => {
  if (from.startsWith("reference/")) return from.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html");
  const guide = /^docs\/([^/]+)\.md$/.exec(from);
  return guide === null ? `project/${from.replace(/\.md$/, ".html")}` : `guides/${guide[1]}.html`;
};

/**
 * @param {string} from a path in the repository, with slashes
 * @returns {Place | null} null for what is not there, or no file
 */
export function placeOf(from) {
  if (from.startsWith("reference/")) return { kind: "page", path: pagePath(from), from };
  const found = join(root, from);
  if (from.startsWith("../") || !existsSync(found)) return null;
  if (statSync(found).isDirectory()) return placeOf(posix.join(from, "README.md"));
  if (from.endsWith(".md")) return { kind: "page", path: pagePath(from), from };
  if (PICTURES.test(from)) return { kind: "file", path: `files/${from}`, from };
  return { kind: "source", path: `source/${from}.html`, from };
}

/** The address of one page of the site, as another one names it. @param {string} from @param {string} to */
export const relativeAddress = (from, to) => posix.relative(posix.dirname(from), to);
