import type { Server } from "node:http";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, serveFolder, startChromium } from "../../test/chromium.js";

const dist = join(import.meta.dirname, "../dist");
const executable = findChromium();

const paths = [
  "index.html",
  "guides/index.html",
  "guides/in-a-page.html",
  "guides/settings.html",
  "reference/index.html",
  "reference/softrl/index.html",
  "reference/softrl/classes/RunControl.html",
  "project/README.html",
  "source/packages/core/src/losses/soft-q.ts.html",
];

describe.skipIf(executable === null)("the site in Chromium", () => {
  let [browser, server, address]: [Browser?, Server?, string?] = [];
  let messages: string[] = [];
  beforeAll(async () => {
    if (executable === null) return;
    ({ server, address } = await serveFolder(dist));
    browser = await startChromium(executable);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  const newPage = async (options: BrowserContextOptions): Promise<Page> => {
    const page = await (await browser?.newContext(options))?.newPage();
    if (page === undefined) throw new Error("no browser has started");
    messages = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(address ?? "")) messages.push(`asked elsewhere: ${request.url()}`);
    });
    return page;
  };

  test.each([360, 1440])("fits a window of %d pixels, and writes nothing to the console", async (width) => {
    const page = await newPage({ viewport: { width, height: 900 } });
    for (const path of paths) {
      await page.goto(`${address}${path}`);
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(excess, path).toBeLessThanOrEqual(0);
    }
    expect(messages).toEqual([]);
    await page.close();
  });

  test("is dark where the reader's system is", async () => {
    const page = await newPage({ colorScheme: "dark" });
    await page.goto(`${address}guides/index.html`);
    const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(paper).toBe("rgb(13, 17, 23)");
    await page.close();
  });

  test("finds a name of the reference, and leads from the front there and back", async () => {
    const page = await newPage({});
    await page.goto(`${address}index.html`);
    await page.getByRole("link", { name: "Reference", exact: true }).click();
    await page.getByRole("link", { name: "softrl", exact: true }).last().click();
    await page.getByRole("searchbox").fill("softqloss");
    const shown = page.locator("main tbody tr:visible");
    await expect.poll(() => shown.count()).toBeLessThan(5);
    expect(await shown.allTextContents()).toEqual(
      expect.arrayContaining([expect.stringContaining("softQLoss")]),
    );
    await page.getByRole("link", { name: "softQLoss", exact: true }).first().click();
    await expect.poll(() => page.locator("h1").textContent()).toBe("softQLoss()");
    await page.locator(".home").click();
    await expect.poll(() => page.locator("h1").textContent()).toMatch(/take the same step/);
    expect(messages).toEqual([]);
    await page.close();
  });
});
