import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** The built page: `npm run build -w packages/web` writes it. */
export const built = join(import.meta.dirname, "../../dist/page");

/** Debian's Chromium, or another one that the variable names; null where there is none. */
export function findChromium(): string | null {
  const candidates = [
    process.env.SOFTRL_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** Starts Chromium without any connection of its own. */
export function startChromium(executablePath: string): Promise<Browser> {
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

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".gif": "image/gif",
  ".bin": "application/octet-stream",
};

/** A server, and the address of the folder that it serves, with a slash at its end. */
export interface Served {
  readonly address: string;
  readonly server: Server;
}

/**
 * Serves the files of a folder to this machine.
 * @param under the path of the folder's address
 * @param headers of every answer
 */
export async function serveFolder(
  root: string,
  { under = "/", headers = {} }: { under?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Served> {
  const server = createServer(({ url = "" }, response) => {
    const path = decodeURI(new URL(url, "http://localhost").pathname);
    const name = path.startsWith(under) ? path.slice(under.length) || "index.html" : "";
    const type = types[extname(name)];
    if (name.includes("..") || type === undefined || !existsSync(join(root, name))) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": type, ...headers }).end(readFileSync(join(root, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${at.port}${under}`, server };
}

/** Serves the built page in a folder of its own, as any host may: `http://127.0.0.1:PORT/some/folder/`. */
export const servePage = (): Promise<Served> => serveFolder(built, { under: "/some/folder/" });
