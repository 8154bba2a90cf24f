// @ts-check
/** Chromium, and servers of this repository's files for its pages: for tests, and for benchmarks beside Node.js. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const root = join(import.meta.dirname, "..");

/** Debian's Chromium, or another one that the variable names; null where there is none. */
export function findChromium() {
  const candidates = [
    process.env.SOFTRL_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/**
 * Starts Chromium without any connection of its own.
 * @param {string} executablePath
 */
export function startChromium(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * A server, and the address of what it serves, with a slash at its end.
 * @typedef {{ readonly address: string, readonly server: import("node:http").Server }} Served
 */

/** @type {Readonly<Record<string, string>>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".gif": "image/gif",
  ".bin": "application/octet-stream",
};

/**
 * Serves the files of a folder to this machine.
 * @param {string} folder
 * @param {object} [options]
 * @param {string} [options.under] the path of the folder's address
 * @param {Readonly<Record<string, string>>} [options.headers] of every answer
 * @param {string} [options.index] what is at the folder's own address, if not its index.html
 * @param {RegExp} [options.only] the names of files that are served; all of them if left out
 * @returns {Promise<Served>}
 */
export async function serveFolder(folder, { under = "/", headers = {}, index, only = /^/ } = {}) {
  const server = createServer(({ url = "" }, response) => {
    const path = decodeURI(new URL(url, "http://localhost").pathname);
    const rest = path.startsWith(under) ? path.slice(under.length) : "..";
    const name = rest === "" ? "index.html" : rest;
    const type = types[extname(name)];
    /** @param {string | Buffer} body */
    const answer = (body) => response.writeHead(200, { "content-type": type, ...headers }).end(body);
    if (rest === "" && index !== undefined) answer(index);
    else if (type === undefined || name.includes("..") || !only.test(name)) response.writeHead(404).end();
    else if (existsSync(join(folder, name))) answer(readFileSync(join(folder, name)));
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${at.port}${under}`, server };
}

/**
 * Serves core's compiled modules, and others, to a page that imports `softrl` by name, without a bundler.
 * @param {string} others the folder whose modules are served too, for example `bench`
 * @returns {Promise<Served>}
 */
export const serveLibrary = (others) =>
  serveFolder(root, {
    only: new RegExp(`^(packages/core/dist|${others})/[\\w/-]+\\.js$`),
    index: `<!doctype html><title>softrl</title>
<script type="importmap">{ "imports": { "softrl": "/packages/core/dist/index.js" } }</script>`,
  });
