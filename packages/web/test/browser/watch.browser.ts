import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findChromium, startChromium } from "../../../../test/chromium.js";
import { hasChromium } from "./opened-page.js";

const bin = join(import.meta.dirname, "../../../cli/bin/softrl.js");
const line = (event: object) => `${JSON.stringify(event)}\n`;
const update = (step: number, meanReturn: number) =>
  line({ event: "update", step, meanReturn, seconds: step / 1000 });
const started = (algorithm: string, seed: number) =>
  line({
    event: "started",
    config: {
      run: { steps: 10_000, seed },
      environment: { id: "CartPole-v1" },
      algorithm: { name: algorithm, tau: algorithm === "a2c" ? 0.01 : 0.1 },
    },
  });

// The page of `softrl watch`: the command draws it, and this package has the browser.
describe.skipIf(!hasChromium)("softrl watch in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "softrl-watch-"));
  const events = join(folder, "a2c", "events.jsonl");
  let command: ChildProcess;
  let browser: Browser;
  let address = "";
  let messages: string[] = [];

  beforeAll(async () => {
    for (const [name, seed] of [["a2c", 1] as const, ["soft-q", 2] as const]) {
      mkdirSync(join(folder, name));
      const points = Array.from({ length: 9 }, (_, i) => update(500 * (i + 1), 20 * (i + seed)));
      writeFileSync(join(folder, name, "events.jsonl"), started(name, seed) + points.join(""));
    }
    const gif = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    writeFileSync(join(folder, "a2c", "film.gif"), Buffer.from(gif, "base64"));
    writeFileSync(join(folder, "a2c", "config.json"), "{}\n");
    command = spawn(process.execPath, [bin, "watch", folder]);
    address = await new Promise<string>((resolve) => {
      command.stdout?.once("data", (text: Buffer) => resolve(text.toString().trim()));
    });
    browser = await startChromium(findChromium() ?? "");
  });
  afterEach(() => {
    const written = messages;
    messages = [];
    expect(written).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    command?.kill("SIGINT");
    rmSync(folder, { recursive: true });
  });
  const open = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await (await browser.newContext(options)).newPage();
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(address)) messages.push(`asked elsewhere: ${request.url()}`);
    });
    await page.goto(address);
    await page.locator("#curves svg").first().waitFor();
    return page;
  };

  test("shows curves that grow, and keeps what is open and focused", async () => {
    const page = await open();
    const curves = page.locator("#curves figure > svg");
    const paths = () => curves.locator("path").evaluateAll((all) => all.map((one) => one.getAttribute("d")));
    const before = await paths();
    await page.locator("#films summary").click();
    await page.locator("#runs a").first().focus();
    appendFileSync(events, update(6000, 321.5));
    await page.getByText("322").waitFor();
    await expect.poll(paths).not.toEqual(before);
    expect(await page.locator("#films details").getAttribute("open")).toBe("");
    expect(await page.locator("#films img").evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(
      1,
    );
    expect(await page.evaluate(() => document.activeElement?.id)).toMatch(/^config-/);
    expect(await page.locator("#settings").textContent()).toMatch(
      /algorithm\.tau 0\.01.*algorithm\.tau 0\.1/s,
    );

    const pause = page.getByRole("button", { name: "Pause" });
    await pause.press("Enter");
    appendFileSync(events, update(6500, 123.4));
    await page.waitForTimeout(1000);
    expect(await page.getByText("123").count()).toBe(0);
    await pause.press("Enter");
    await page.getByText("123").waitFor();
  });

  test("connects again when it was refused, and says what to do when its command has ended", async () => {
    const watch = async (...options: string[]) => {
      const started = spawn(process.execPath, [bin, "watch", folder, ...options]);
      const [text] = (await once(started.stdout, "data")) as [Buffer];
      return { started, url: new URL(text.toString().trim()) };
    };
    const { started: first, url } = await watch();
    const others = Array.from({ length: 200 }, () => get(new URL("events", url)));
    try {
      await Promise.all(others.map((other) => once(other, "response")));
      const page = await (await browser.newContext()).newPage();
      await page.goto(url.href);
      const status = (text: string) =>
        page.waitForFunction((part) => document.getElementById("status")?.textContent?.includes(part), text);
      await status("Too many pages are open: close some of them");
      for (const other of others) other.on("error", () => {}).destroy();
      await page.locator("#runs, #curves").first().waitFor();
      await page.waitForFunction(() => document.getElementById("status")?.textContent === "");
      await page.locator("svg").first().waitFor();
      first.kill("SIGINT");
      await once(first, "exit");
      await status("Not connected; trying again.");
      const { started: second } = await watch("--port", url.port);
      await status("open the one that softrl watch printed last");
      second.kill("SIGINT");
      await once(second, "exit");
    } finally {
      for (const other of others) other.destroy();
      first.kill("SIGINT");
    }
  });

  test("runs no script but its own", async () => {
    const page = await open();
    const title = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'changed'";
      document.body.append(script);
      return document.title;
    });
    expect(title).toMatch(/softrl watch$/);
    expect(messages.splice(0).join()).toMatch(/Content Security Policy/);
  });

  test.each([360, 768, 1440])("fits %d pixels, light and dark", async (width) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open({ viewport: { width, height: 800 }, colorScheme });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(beyond).toBeLessThanOrEqual(0);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(ground).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
      await page.context().close();
    }
  });
});
