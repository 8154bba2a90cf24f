import type { Server } from "node:http";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { findChromium, startChromium } from "../../../../test/chromium.js";
import { servePage } from "./served-page.js";

const executable = findChromium();
/** False where the tests cannot run. */
export const hasChromium = executable !== null;
if (!hasChromium) {
  console.warn(
    "test:web is skipped: no Chromium. Install one (apt-get install chromium) or set SOFTRL_CHROMIUM.",
  );
}

/** Opens the page anew; pages with the same options share a window. */
export type Open = (query?: string, options?: BrowserContextOptions) => Promise<Page>;

/**
 * The tests of the calling `describe` share a server and a browser; each fails if its page has written to the console.
 * @param expected what it may write
 */
export function openedPages(expected: RegExp = /^$/): Open {
  let [browser, server, address]: [Browser?, Server?, string?] = [];
  const pages = new Map<string, Page>();
  let messages: string[] = [];
  beforeAll(async () => {
    if (executable === null) return;
    ({ server, address } = await servePage());
    browser = await startChromium(executable);
  });
  afterEach(() => {
    const written = messages;
    messages = [];
    expect(written.filter((message) => !expected.test(message))).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  const newPage = async (options: BrowserContextOptions) => {
    if (browser === undefined) throw new Error("no browser has started");
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(String(error)));
    page.on("requestfailed", (request) => {
      // A page that is left stops what it loads.
      const reason = request.failure()?.errorText;
      if (reason !== "net::ERR_ABORTED") messages.push(`failed: ${request.url()} ${reason}`);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(address ?? "")) messages.push(`asked elsewhere: ${request.url()}`);
    });
    return page;
  };
  return async (query = "", options = {}) => {
    const key = JSON.stringify(options);
    const page = pages.get(key) ?? (await newPage(options));
    pages.set(key, page);
    await page.goto(`${address}${query}`);
    return page;
  };
}

/** Presses the mouse in the middle of an element, moves it and lets go. */
export async function drag(
  page: Page,
  element: Locator,
  by: { readonly x?: number; readonly y?: number },
): Promise<void> {
  await element.scrollIntoViewIfNeeded();
  const box = await element.boundingBox();
  if (box === null) throw new Error("drag: the element is not shown");
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + (by.x ?? 0) / 2, y + (by.y ?? 0) / 2);
  await page.mouse.move(x + (by.x ?? 0), y + (by.y ?? 0), { steps: 4 });
  await page.mouse.up();
}

/** The numbers of a table, row by row; a true minus sign counts as one. */
export async function tableNumbers(rows: Locator): Promise<number[][]> {
  const texts = await rows.evaluateAll((all) =>
    all.map((row) => Array.from(row.querySelectorAll("td"), (cell) => cell.textContent ?? "")),
  );
  return texts.map((row) =>
    row.map((text) => Number(text.replace("−", "-"))).filter((x) => !Number.isNaN(x)),
  );
}
