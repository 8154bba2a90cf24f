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
};

/** Serves the built page in a folder of its own, as any host may: `http://127.0.0.1:PORT/some/folder/`. */
export async function servePage(): Promise<{ readonly address: string; readonly server: Server }> {
  const folder = "/some/folder/";
  const server = createServer(({ url = "" }, response) => {
    const path = new URL(url, "http://localhost").pathname;
    const name = path.startsWith(folder) ? path.slice(folder.length) || "index.html" : "";
    const type = types[extname(name)];
    if (name.includes("..") || type === undefined || !existsSync(join(built, name))) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": type }).end(readFileSync(join(built, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${at.port}${folder}`, server };
}
