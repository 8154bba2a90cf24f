import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hasChromium, openedPages } from "./opened-page.js";

const folder = new URL("../../../../experiments/", import.meta.url);

describe.skipIf(!hasChromium)("the evidence", () => {
  const open = openedPages();
  const figure = (page: Page) => page.locator("#evidence");
  const task = (page: Page) => figure(page).locator("[data-part=task]");
  const rows = (page: Page) => figure(page).locator("tbody tr");
  const texts = (page: Page) =>
    rows(page).evaluateAll((all) =>
      all.map((row) => Array.from(row.children, (cell) => cell.textContent ?? "")),
    );
  const shown = async (query?: string, options?: Parameters<typeof open>[1]) => {
    const page = await open(query, options);
    await figure(page).scrollIntoViewIfNeeded();
    await rows(page).first().waitFor();
    return page;
  };

  test("is loaded when it comes near, and is small", async () => {
    const page = await open();
    await page.waitForLoadState("networkidle");
    const names = () => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    const before = await names();
    expect(await rows(page).count()).toBe(0);
    await figure(page).scrollIntoViewIfNeeded();
    await rows(page).first().waitFor();
    // A browser asks for the icon when it likes.
    const isNew = (name: string) => !before.includes(name) && !name.endsWith("/icon.svg");
    const later = (await names()).filter(isNew);
    expect(later, later.join(" ")).toHaveLength(1);
    expect(gzipSync(await (await page.request.get(later[0])).body()).length).toBeLessThan(25_000);
  });

  test("shows the means of the committed tables", async () => {
    const page = await shown();
    const table = readFileSync(new URL("minatar/curves.csv", folder), "utf8");
    const last = (variant: string) => {
      const ends = new Map<string, number>();
      for (const line of table.split("\n")) {
        const match = /^(?:"([^"]*)"|([^,]*)),MinAtar\/Asterix-v1,(\d+),\d+,(.*)$/.exec(line);
        if (match !== null && (match[1] ?? match[2]) === variant) ends.set(match[3], Number(match[4]));
      }
      return [...ends.values()].reduce((sum, end) => sum + end, 0) / ends.size;
    };
    const found = await texts(page);
    const names = ["A2C, proper bonus", "A2C, naive bonus", "soft Q-learning"];
    expect(found.map(([name]) => name)).toEqual([...names, "soft Q-learning − A2C, proper bonus"]);
    // The table of experiments/minatar has −3.57 [−6.36, −0.758], from other resamples.
    const [, difference, ends] = found[3];
    expect(difference).toBe("−3.57");
    expect(ends).toMatch(/^−6\.\d\d to −0\.\d\d$/);
    for (const [name, mean, interval, runs] of found.slice(0, 3)) {
      expect(Number(mean)).toBeCloseTo(last(name), 1);
      const [low, high] = interval.split(" to ").map(Number);
      expect(low).toBeLessThan(Number(mean));
      expect(high).toBeGreaterThan(Number(mean));
      expect(runs).toBe("10");
    }
  });

  test("chooses the task and the step, by pointer and keyboard; the address keeps both", async () => {
    const page = await shown();
    expect(await task(page).locator("option").count()).toBe(23);
    await task(page).selectOption("classic.MountainCar");
    await expect.poll(() => texts(page).then(([row]) => row.slice(0, 2))).toEqual(["A2C", "−129"]);
    expect(await texts(page)).toHaveLength(4);
    const slider = figure(page).locator("input[type=range]");
    await slider.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => texts(page).then(([row]) => row[1])).toBe("−193");
    await expect.poll(() => page.url()).toMatch(/evidence\.task=classic\.MountainCar.*evidence\.step=0/);
    const address = new URL(page.url()).search;
    expect((await texts(await shown(address)))[0].slice(0, 2)).toEqual(["A2C", "−193"]);
    const chart = figure(page).locator("[data-part=chart]");
    const box = await chart.boundingBox();
    if (box === null) throw new Error("the chart is not shown");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await expect.poll(() => slider.inputValue()).not.toBe("0");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Step 2\d\dk$/);
    expect(await chart.getAttribute("aria-label")).toMatch(
      /Mean return on MountainCar.*soft Q-learning −130/,
    );
  });

  test("draws the paper's figures 1 and 3", async () => {
    const page = await shown();
    const seen = new Set<string | null>();
    for (const [choice, first, second] of [
      ["figure-1.Freeway", "A2C, naive bonus", "A2C, proper bonus"],
      ["figure-3.Breakout", "A2C, proper bonus", "soft Q-learning"],
    ]) {
      await task(page).selectOption(choice);
      // The difference follows where both are algorithms of the theorem.
      const names = () => texts(page).then((all) => all.slice(0, 2).map(([name]) => name));
      await expect.poll(names).toEqual([first, second]);
      expect(await rows(page).count()).toBe(second === "soft Q-learning" ? 3 : 2);
      const lines = figure(page).locator("[data-part=chart] .mean-line");
      expect(await lines.count()).toBe(2);
      for (const line of await lines.all()) seen.add(await line.getAttribute("d"));
      await expect.poll(() => page.url()).toContain(`evidence.task=${choice}`);
    }
    expect(seen.size).toBe(4);
  });

  test("takes any address", async () => {
    const wanted = await texts(await shown());
    for (const query of ["?evidence.task=x&evidence.step=2", "?evidence.step=%00&evidence.task="]) {
      expect(await texts(await shown(query))).toEqual(wanted);
    }
  });

  test.each([360, 768, 1440])("fits %d pixels and does not shift", async (width) => {
    const page = await open("", { viewport: { width, height: 800 } });
    const height = () => figure(page).evaluate((one) => one.getBoundingClientRect().height);
    const before = await height();
    await figure(page).scrollIntoViewIfNeeded();
    await rows(page).first().waitFor();
    await page.waitForTimeout(100);
    expect(Math.abs((await height()) - before)).toBeLessThanOrEqual(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    const [hidden] = await figure(page)
      .locator(".scroll")
      .evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    expect(hidden).toBeLessThanOrEqual(0);
  });
});
