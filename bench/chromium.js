// @ts-check
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

/** Debian's Chromium, or another one that the variable names; undefined where there is none. */
export const foundChromium = [
  process.env.SOFTRL_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
].find((path) => path !== undefined && existsSync(path));

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
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
    ],
  });
}

/**
 * Lets a server listen to this machine.
 * @param {import("node:http").Server} server
 * @returns {Promise<string>} its address, with a slash at its end
 */
export async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("bench: the server has no port");
  return `http://127.0.0.1:${at.port}/`;
}
